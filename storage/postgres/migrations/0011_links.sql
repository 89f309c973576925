-- Links between the tasks of a project. Those of deleted tasks stay: they come back with them.

CREATE TABLE links (
    project_id text   COLLATE "C" NOT NULL,
    id         text   COLLATE "C" NOT NULL,
    type       text   COLLATE "C" NOT NULL,
    task_id    text   COLLATE "C" NOT NULL,
    other_id   text   COLLATE "C" NOT NULL,
    created_by text   COLLATE "C" NOT NULL,
    created_at text   COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX links_task ON links (project_id, task_id);
CREATE INDEX links_other ON links (project_id, other_id);
