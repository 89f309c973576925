-- Tasks got parents, milestones, watchers, fields of the project's own, ranks and tombstones.
-- The read tables are emptied: the projector fills them again from the log, where older forms are read as newer ones.

TRUNCATE projects, members, tasks, comments, profiles;
DELETE FROM consumers WHERE name = 'projector';

ALTER TABLE tasks
    ADD COLUMN parent_id    text COLLATE "C",
    ADD COLUMN milestone_id text COLLATE "C",
    ADD COLUMN watcher_ids  jsonb NOT NULL,
    ADD COLUMN fields       jsonb NOT NULL,
    ADD COLUMN recurrence   jsonb,
    ADD COLUMN rank         text COLLATE "C" NOT NULL,
    ADD COLUMN deleted_at   text COLLATE "C";
CREATE INDEX tasks_watchers ON tasks USING gin (watcher_ids);
