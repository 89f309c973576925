-- Names and addresses are one account's in any case, whatever the database's own collation makes of an I.
-- Where it has let two accounts have one name, this fails and says which: rename one of them with the build before.

DROP INDEX accounts_username;
DROP INDEX accounts_email;
CREATE UNIQUE INDEX accounts_username ON accounts (lower(username COLLATE "C"));
CREATE UNIQUE INDEX accounts_email ON accounts (lower(email COLLATE "C"));
