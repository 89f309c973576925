-- Log-ins with their refresh tokens, of which only hashes are kept, and what was ended lately: every node polls that.

CREATE TABLE logins (
    login_id      uuid        PRIMARY KEY,
    user_id       uuid        NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    family_hash   bytea       NOT NULL,
    refresh_hash  bytea       NOT NULL,
    previous_hash bytea,
    request_hash  bytea,
    salt          bytea       NOT NULL,
    started_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX logins_user ON logins (user_id, started_at);
CREATE INDEX logins_expiry ON logins (expires_at);

-- Numbers are given under the lock of this one row, so they are committed in their order and a reader skips none.
CREATE TABLE endings_head (
    head bigint NOT NULL
);
INSERT INTO endings_head VALUES (0);

CREATE TABLE endings (
    number   bigint      PRIMARY KEY,
    grant_id uuid        NOT NULL,
    ended_at timestamptz NOT NULL
);
CREATE INDEX endings_age ON endings (ended_at);
