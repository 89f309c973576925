-- The append of a single entry, which is what a quiet server sends: as append.sql, without arrays to unfold and join.
-- $1 owner's session, $2 shard, $3 epoch, $4 expected head, $5 stream, $6 seq, $7 op_id, $8 digest, $9 payload,
-- $10 author, $11 at, $12 recorded_at. It inserts nothing when the shard was lost, and answers no row at all: its
-- command tag says how many it inserted. What the fence has compared is not asked of it again, which would cost 8 %.
WITH fence AS (
    UPDATE shards
       SET head = head + 1
     WHERE shard_id = $2 AND epoch = $3 AND owner = $1 AND head = $4
    RETURNING head
)
INSERT INTO entries (shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at)
SELECT $2, $4 + 1, $5, $6, $3, $7, $8, $9, $10, $11::text::timestamptz, $12::text::timestamptz
  FROM fence
