-- What an account was registered with under an `Idempotency-Key`, but for the password: the same request finds it made.

ALTER TABLE accounts ADD COLUMN registration bytea;
