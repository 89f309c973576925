-- Takes shards: $1 session. Per shard: $2 id, $3 epoch as it was seen. $4 step of the epoch.
-- A shard may be taken from nobody, from oneself, and from a session that has ended. Rows are locked in one order.
-- Where the lock has to be waited for, the row is judged anew in its newest version, but the look into `nodes` is as old
-- as the statement: the comparison of the epoch is what notices that somebody else was faster.
WITH free AS MATERIALIZED (
    SELECT s.shard_id, s.epoch
      FROM shards s
      JOIN unnest($2::int[], $3::bigint[]) AS seen (shard_id, epoch)
        ON s.shard_id = seen.shard_id AND s.epoch = seen.epoch
     WHERE (s.owner IS NULL OR s.owner = $1 OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.session = s.owner))
       AND EXISTS (SELECT 1 FROM nodes n WHERE n.session = $1)
     ORDER BY s.shard_id
       FOR NO KEY UPDATE OF s
)
UPDATE shards s
   SET owner = $1, epoch = s.epoch + $4::bigint
  FROM free f
 WHERE s.shard_id = f.shard_id AND s.epoch = f.epoch
RETURNING s.shard_id, s.epoch, s.head
