-- The usual append: entries of many streams and shards, all or nothing per shard, one statement, one commit.
-- $1 owner's session. Per shard: $2 id, $3 epoch, $4 expected head, $5 number of entries.
-- Per entry: $6 shard, $7 offset 1..n within its shard, $8 stream, $9 seq, $10 op_id, $11 digest, $12 payload,
-- $13 author, $14 at, $15 recorded_at. Instants come as text: the driver takes longer to encode them than the server.
-- The UPDATE holds each shard's row from the check to the commit. A shard that is missing in the answer was lost.
WITH fence AS (
    UPDATE shards s
       SET head = s.head + f.n
      FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[]) AS f (shard_id, epoch, expected_head, n)
     WHERE s.shard_id = f.shard_id AND s.epoch = f.epoch AND s.owner = $1 AND s.head = f.expected_head
    RETURNING s.shard_id, s.epoch, s.head, f.expected_head
),
ins AS (
    INSERT INTO entries (shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at)
    SELECT e.shard_id, fence.expected_head + e.off, e.stream, e.seq, fence.epoch, e.op_id, e.digest, e.payload,
           e.author, e.at::timestamptz, e.recorded_at::timestamptz
      FROM unnest($6::int[], $7::bigint[], $8::text[], $9::bigint[], $10::uuid[], $11::bytea[], $12::bytea[],
                  $13::text[], $14::text[], $15::text[])
           AS e (shard_id, off, stream, seq, op_id, digest, payload, author, at, recorded_at)
      JOIN fence USING (shard_id)
)
SELECT shard_id, head FROM fence
