-- As load.sql, for one stream in the past: $1 stream, $2 seq or null, $3 time or null, $4 and $5 as $2 and $3 there.
-- The snapshot is the newest that lies within both bounds; entries after $2 are left out.
WITH newest AS MATERIALIZED (
    SELECT w.stream, s.seq, s.epoch, s.at, s.schema_version, s.state
      FROM (SELECT $1::text AS stream) w
      LEFT JOIN LATERAL (
          SELECT *
            FROM snapshots o
           WHERE o.stream = w.stream
             AND ($2::bigint IS NULL OR o.seq <= $2)
             AND ($3::timestamptz IS NULL OR o.at IS NULL OR o.at <= $3)
           ORDER BY o.seq DESC
           LIMIT 1
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
                  WHERE stream = n.stream AND seq > coalesce(n.seq, 0) AND ($2::bigint IS NULL OR seq <= $2)
                  ORDER BY seq
                  LIMIT $4
             ) o
       ) measured
      WHERE $5::bigint IS NULL OR coalesce(before, 0) < $5::bigint
 ) e
