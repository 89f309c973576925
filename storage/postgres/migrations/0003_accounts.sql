-- Accounts (the truth for usernames and e-mail addresses; secrets never enter the log) and the keys of projects.

CREATE TABLE accounts (
    user_id         uuid        CONSTRAINT accounts_user_id PRIMARY KEY,
    username        text        NOT NULL,
    email           text,
    password_hash   text        NOT NULL,
    locale          text,
    timezone        text,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    profile_created boolean     NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX accounts_username ON accounts (lower(username));
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email));

-- A key is claimed before its project is created, and is never released.
CREATE TABLE project_keys (
    key        text        COLLATE "C" PRIMARY KEY,
    project_id uuid        NOT NULL UNIQUE,
    claimed_at timestamptz NOT NULL DEFAULT now()
);
