-- $1 shard, $2 after this pos, $3 at most so many entries, $4 up to the one with which the payloads reach so many bytes
-- (null: all). The length of a payload is known without reading it: what is left out costs no more than its row.
SELECT shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at
  FROM (
      SELECT e.*,
             sum(octet_length(payload)) OVER (ORDER BY pos ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM (SELECT * FROM entries WHERE shard_id = $1 AND pos > $2 ORDER BY pos LIMIT $3) e
  ) measured
 WHERE $4::bigint IS NULL OR coalesce(before, 0) < $4::bigint
 ORDER BY pos
