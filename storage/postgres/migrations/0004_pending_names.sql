-- Names that came with a registration, only until its profile is there: a crash in between must not lose them.

ALTER TABLE accounts
    ADD COLUMN first_name text,
    ADD COLUMN last_name  text;
