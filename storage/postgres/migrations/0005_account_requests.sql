-- The newest requests that named a key of their own (`Idempotency-Key`), per account: a row is written in the same
-- transaction as the account's change, so that the same request changes nothing a second time.

CREATE TABLE account_requests (
    user_id uuid        NOT NULL,
    op_id   uuid        NOT NULL,
    digest  bytea       NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (user_id, op_id)
);
