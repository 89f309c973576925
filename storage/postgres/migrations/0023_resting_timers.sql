-- A refused timer rests until the stream wakes it: it fires at `fires_at`, which is `due_at` unless it rests. `seq` is that of
-- the entry that set or woke it last; whatever comes of an earlier firing does not touch it. All timers so far are awake.

ALTER TABLE timers ADD COLUMN seq bigint NOT NULL DEFAULT 0, ADD COLUMN fires_at timestamptz;
UPDATE timers SET fires_at = due_at;
ALTER TABLE timers ALTER COLUMN seq DROP DEFAULT, ALTER COLUMN fires_at SET NOT NULL;

DROP INDEX timers_due;
CREATE INDEX timers_due ON timers (shard_id, fires_at);
