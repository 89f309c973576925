-- Roles that projects define themselves: named sets of permissions. `members.role` holds a built-in name or an id of these.

CREATE TABLE roles (
    project_id  text   COLLATE "C" NOT NULL,
    id          text   COLLATE "C" NOT NULL,
    name        text   NOT NULL,
    permissions jsonb  NOT NULL,
    created_at  text   COLLATE "C" NOT NULL,
    updated_at  text   COLLATE "C" NOT NULL,
    seq         bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);
