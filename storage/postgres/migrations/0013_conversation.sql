-- Comments got threads, mentions, reactions and tombstones.
-- The read tables are emptied: the projector fills them again from the log, where older forms are read as newer ones.

TRUNCATE projects, members, tasks, comments, profiles;
DELETE FROM consumers WHERE name = 'projector';

ALTER TABLE comments
    ADD COLUMN thread_id  text COLLATE "C",
    ADD COLUMN reply_to   text COLLATE "C",
    ADD COLUMN mentions   jsonb NOT NULL,
    ADD COLUMN reactions  jsonb NOT NULL,
    ADD COLUMN deleted_at text COLLATE "C",
    ADD COLUMN deleted_by text COLLATE "C";
