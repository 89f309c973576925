-- Bots: accounts without a password, owned by a person. Their tokens are kept as hashes.

ALTER TABLE accounts ADD COLUMN owner_id uuid REFERENCES accounts (user_id) ON DELETE CASCADE;
CREATE INDEX accounts_owner ON accounts (owner_id, user_id) WHERE owner_id IS NOT NULL;

CREATE TABLE api_tokens (
    token_id    uuid        PRIMARY KEY,
    bot_id      uuid        NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    name        text        NOT NULL,
    scopes      text[]      NOT NULL,
    project_ids uuid[],
    secret_hash bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz
);
CREATE INDEX api_tokens_bot ON api_tokens (bot_id, created_at);
