-- The append after a unique violation: the same batch, without the streams whose entries cannot be taken.
-- $1 owner's session. Per shard: $2 id, $3 epoch, $4 expected head.
-- Per entry: $5 shard, $6 stream, $7 seq, $8 op_id, $9 digest, $10 payload, $11 author, $12 at, $13 recorded_at.
-- Left out is a stream with an op_id that is known or stands there twice, and one whose entries are not the next ones:
-- seq minus its number within the batch has to be the stream's last stored seq, for each of them.
-- Answers one row per shard that is ours, with its head afterwards and its streams that were left out.
WITH fence AS MATERIALIZED (
    SELECT s.shard_id, s.epoch, s.head
      FROM shards s
      JOIN unnest($2::int[], $3::bigint[], $4::bigint[]) AS f (shard_id, epoch, expected_head)
        ON s.shard_id = f.shard_id AND s.epoch = f.epoch AND s.head = f.expected_head
     WHERE s.owner = $1
     ORDER BY s.shard_id
       FOR NO KEY UPDATE OF s
),
batch AS MATERIALIZED (
    SELECT e.*, e.seq - row_number() OVER (PARTITION BY e.stream ORDER BY e.ord) AS base
      FROM unnest($5::int[], $6::text[], $7::bigint[], $8::uuid[], $9::bytea[], $10::bytea[], $11::text[],
                  $12::text[], $13::text[]) WITH ORDINALITY
           AS e (shard_id, stream, seq, op_id, digest, payload, author, at, recorded_at, ord)
      JOIN fence USING (shard_id)
),
refused AS MATERIALIZED (
    SELECT b.shard_id, b.stream
      FROM batch b
     WHERE EXISTS (SELECT 1 FROM entries o WHERE o.stream = b.stream AND o.op_id = b.op_id)
    UNION
    SELECT b.shard_id, b.stream
      FROM batch b
     GROUP BY b.shard_id, b.stream, b.op_id
    HAVING count(*) > 1
    UNION
    SELECT g.shard_id, g.stream
      FROM (SELECT b.shard_id, b.stream, min(b.base) AS low, max(b.base) AS high
              FROM batch b GROUP BY b.shard_id, b.stream) g
     WHERE g.low <> g.high
        OR g.low <> coalesce((SELECT o.seq FROM entries o WHERE o.stream = g.stream ORDER BY o.seq DESC LIMIT 1), 0)
),
good AS MATERIALIZED (
    SELECT b.*, f.epoch, f.head + row_number() OVER (PARTITION BY b.shard_id ORDER BY b.ord) AS pos
      FROM batch b
      JOIN fence f USING (shard_id)
     WHERE b.stream NOT IN (SELECT r.stream FROM refused r)
),
heads AS MATERIALIZED (
    SELECT shard_id, max(pos) AS head FROM good GROUP BY shard_id
),
moved AS (
    UPDATE shards s SET head = h.head FROM heads h WHERE s.shard_id = h.shard_id
),
ins AS (
    INSERT INTO entries (shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at)
    SELECT shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at::timestamptz, recorded_at::timestamptz
      FROM good
)
SELECT f.shard_id,
       coalesce(h.head, f.head) AS head,
       ARRAY(SELECT r.stream FROM refused r WHERE r.shard_id = f.shard_id) AS refused
  FROM fence f
  LEFT JOIN heads h USING (shard_id)
