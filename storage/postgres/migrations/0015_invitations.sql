-- Invitations that wait for an answer, as the log tells of them; and, apart, what the log must never hold.

CREATE TABLE invitations (
    project_id text   COLLATE "C" NOT NULL,
    id         text   COLLATE "C" NOT NULL,
    role       text   COLLATE "C" NOT NULL,
    user_id    text   COLLATE "C",
    invited_by text   COLLATE "C" NOT NULL,
    created_at text   COLLATE "C" NOT NULL,
    expires_at text   COLLATE "C" NOT NULL,
    seq        bigint NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX invitations_user ON invitations (user_id, project_id, id);

CREATE TABLE invitation_secrets (
    project_id    uuid        NOT NULL,
    invitation_id uuid        NOT NULL,
    address       text        NOT NULL,
    token_hash    bytea       NOT NULL,
    kept_at       timestamptz NOT NULL,
    PRIMARY KEY (project_id, invitation_id)
);
CREATE INDEX invitation_secrets_age ON invitation_secrets (kept_at);
