-- Everything to bring streams to life, in one round trip and one snapshot of the database.
-- $1 streams, $2 at most so many entries each, $3 up to the one with which their payloads reach so many bytes (null: all).
-- A row is a snapshot (shard_id is null) or an entry after it.
WITH newest AS MATERIALIZED (
    SELECT w.stream, s.seq, s.epoch, s.at, s.schema_version, s.state
      FROM unnest($1::text[]) AS w (stream)
      LEFT JOIN LATERAL (
          SELECT * FROM snapshots o WHERE o.stream = w.stream ORDER BY o.seq DESC LIMIT 1
      ) s ON true
)
SELECT n.stream, n.seq, n.epoch, NULL::int AS shard_id, NULL::bigint AS pos, NULL::uuid AS op_id,
       NULL::bytea AS digest, n.state AS payload, NULL::text AS author, n.at, NULL::timestamptz AS recorded_at,
       n.schema_version
  FROM newest n
 WHERE n.seq IS NOT NULL
UNION ALL
SELECT e.stream, e.seq, e.epoch, e.shard_id, e.pos, e.op_id, e.digest, e.payload, e.author, e.at, e.recorded_at,
       NULL::int
  FROM newest n
 CROSS JOIN LATERAL (
     SELECT measured.*
       FROM (
           SELECT o.*,
                  sum(octet_length(payload)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                      AS before
             FROM (
                 SELECT *
                   FROM entries
                  WHERE stream = n.stream AND seq > coalesce(n.seq, 0)
                  ORDER BY seq
                  LIMIT $2
             ) o
       ) measured
      WHERE $3::bigint IS NULL OR coalesce(before, 0) < $3::bigint
 ) e
