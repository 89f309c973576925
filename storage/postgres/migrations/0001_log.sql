-- The log: shards with their fences, entries, snapshots, checkpoints of consumers, timers, sessions of nodes, dead letters.

-- 128 rows, one per shard. Every append updates one, so most of each page is left free for the new versions (HOT).
-- `owner` is a session of `nodes`; there is no foreign key, because its KEY SHARE locks would make MultiXacts.
CREATE TABLE shards (
    shard_id int    PRIMARY KEY CHECK (shard_id BETWEEN 0 AND 127),
    epoch    bigint NOT NULL DEFAULT 0,
    head     bigint NOT NULL DEFAULT 0,
    owner    text   COLLATE "C"
) WITH (fillfactor = 20);

INSERT INTO shards (shard_id) SELECT generate_series(0, 127);

-- One row per accepted command: `seq` is dense per stream, `pos` is dense per shard.
CREATE TABLE entries (
    shard_id    int         NOT NULL,
    pos         bigint      NOT NULL CHECK (pos > 0),
    stream      text        COLLATE "C" NOT NULL,
    seq         bigint      NOT NULL CHECK (seq > 0),
    epoch       bigint      NOT NULL,
    op_id       uuid        NOT NULL,
    digest      bytea       NOT NULL,
    payload     bytea       NOT NULL,
    author      text        COLLATE "C" NOT NULL,
    at          timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT entries_seq PRIMARY KEY (stream, seq),
    CONSTRAINT entries_op UNIQUE (stream, op_id),
    CONSTRAINT entries_pos UNIQUE (shard_id, pos)
);

-- `at` is the newest content time that is folded in, null while there is none.
CREATE TABLE snapshots (
    stream         text        COLLATE "C" NOT NULL,
    seq            bigint      NOT NULL,
    epoch          bigint      NOT NULL,
    at             timestamptz,
    schema_version int         NOT NULL,
    state          bytea       NOT NULL,
    PRIMARY KEY (stream, seq)
);

-- How far each consumer has come in each shard's log.
CREATE TABLE consumers (
    name     text   COLLATE "C" NOT NULL,
    shard_id int    NOT NULL CHECK (shard_id BETWEEN 0 AND 127),
    pos      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (name, shard_id)
) WITH (fillfactor = 20);

-- A projection of the log, written by the timekeeper.
CREATE TABLE timers (
    stream   text        COLLATE "C" NOT NULL,
    name     text        COLLATE "C" NOT NULL,
    shard_id int         NOT NULL,
    due_at   timestamptz NOT NULL,
    PRIMARY KEY (stream, name)
);
CREATE INDEX timers_due ON timers (shard_id, due_at);

-- One row per session of a node. Its death is the committed deletion of the row, not the passing of time.
CREATE TABLE nodes (
    session     text        COLLATE "C" PRIMARY KEY,
    node_id     text        COLLATE "C" NOT NULL UNIQUE,
    address     text        NOT NULL,
    lease_until timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What a consumer could not deliver; the shard goes on without it.
CREATE TABLE dead_letters (
    consumer text        COLLATE "C" NOT NULL,
    shard_id int         NOT NULL,
    pos      bigint      NOT NULL,
    stream   text        COLLATE "C" NOT NULL,
    reason   text        NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, shard_id, pos, stream)
);
