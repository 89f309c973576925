-- Where the entries about an object and those of a person stand in the log; the words stay there. Written by the projector.
-- The read tables are emptied, so that it fills these from the beginning of the log.

CREATE TABLE activity_objects (
    project_id uuid   NOT NULL,
    object_id  uuid   NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, object_id, seq)
);

-- A person's entries are read project by project, so that what a reader may not see costs no more than a look.
CREATE TABLE activity_authors (
    author_id  uuid        NOT NULL,
    project_id uuid        NOT NULL,
    at         timestamptz NOT NULL,
    seq        bigint      NOT NULL,
    PRIMARY KEY (author_id, project_id, at, seq)
);
CREATE INDEX activity_authors_project ON activity_authors (project_id);

TRUNCATE projects, members, tasks, comments, profiles, roles, links, milestones, custom_fields, invitations;
DELETE FROM consumers WHERE name = 'projector';
