-- Read tables, written by the projector from the log alone: they can be emptied and filled again.
-- Ids are text and instants canonical text (UTC, milliseconds, Z), as in the protocol: text order is time order.
-- `seq` is the entry of the row's stream that wrote it last; a project's own row moves with every entry.

CREATE TABLE projects (
    id          text   COLLATE "C" PRIMARY KEY,
    key         text   COLLATE "C" NOT NULL,
    name        text   NOT NULL,
    description text   NOT NULL,
    status      text   COLLATE "C" NOT NULL,
    states      jsonb  NOT NULL,
    created_at  text   COLLATE "C" NOT NULL,
    updated_at  text   COLLATE "C" NOT NULL,
    deleted_at  text   COLLATE "C",
    seq         bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE members (
    project_id text   COLLATE "C" NOT NULL,
    user_id    text   COLLATE "C" NOT NULL,
    role       text   COLLATE "C" NOT NULL,
    added_at   text   COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX members_user ON members (user_id, project_id);

-- A task's id is unique in its project only: it may come from a client.
CREATE TABLE tasks (
    project_id   text   COLLATE "C" NOT NULL,
    id           text   COLLATE "C" NOT NULL,
    key          text   COLLATE "C" NOT NULL,
    number       bigint NOT NULL,
    title        text   NOT NULL,
    description  text   NOT NULL,
    state_id     text   COLLATE "C" NOT NULL,
    priority     text   COLLATE "C" NOT NULL,
    labels       jsonb  NOT NULL,
    assignee_ids jsonb  NOT NULL,
    start_date   text   COLLATE "C",
    due_date     text   COLLATE "C",
    estimate     double precision,
    external_id  text   COLLATE "C",
    created_by   text   COLLATE "C" NOT NULL,
    created_at   text   COLLATE "C" NOT NULL,
    updated_at   text   COLLATE "C" NOT NULL,
    closed_at    text   COLLATE "C",
    seq          bigint NOT NULL,
    PRIMARY KEY (project_id, id)
) WITH (fillfactor = 80);
CREATE INDEX tasks_assignees ON tasks USING gin (assignee_ids);

CREATE TABLE comments (
    project_id text   COLLATE "C" NOT NULL,
    id         text   COLLATE "C" NOT NULL,
    task_id    text   COLLATE "C" NOT NULL,
    author_id  text   COLLATE "C" NOT NULL,
    body       text   NOT NULL,
    created_at text   COLLATE "C" NOT NULL,
    updated_at text   COLLATE "C" NOT NULL,
    edits      jsonb  NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX comments_author ON comments (author_id, created_at, project_id, id);

CREATE TABLE profiles (
    user_id    text   COLLATE "C" PRIMARY KEY,
    first_name text,
    last_name  text,
    bio        text,
    avatar_id  text   COLLATE "C",
    created_at text   COLLATE "C" NOT NULL,
    updated_at text   COLLATE "C" NOT NULL,
    seq        bigint NOT NULL
);
