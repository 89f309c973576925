-- Milestones and fields of projects' own: read tables that the projector writes.

CREATE TABLE milestones (
    project_id  text   COLLATE "C" NOT NULL,
    id          text   COLLATE "C" NOT NULL,
    name        text   NOT NULL,
    description text   NOT NULL,
    status      text   COLLATE "C" NOT NULL,
    start_date  text   COLLATE "C",
    due_date    text   COLLATE "C",
    created_by  text   COLLATE "C" NOT NULL,
    created_at  text   COLLATE "C" NOT NULL,
    updated_at  text   COLLATE "C" NOT NULL,
    closed_at   text   COLLATE "C",
    seq         bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE custom_fields (
    project_id text   COLLATE "C" NOT NULL,
    id         text   COLLATE "C" NOT NULL,
    name       text   NOT NULL,
    type       text   COLLATE "C" NOT NULL,
    choices    jsonb  NOT NULL,
    created_at text   COLLATE "C" NOT NULL,
    updated_at text   COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);
