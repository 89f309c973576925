-- The page with the first entry after $5, else the last: $1 stream, $2 where its entries begin, $3 so many of them, $4 bytes of a page.
-- The length of a payload is known without reading it: the other pages cost no more than their rows.
WITH measured AS (
    SELECT e.*,
           coalesce(
               sum(octet_length(payload)) OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
           ) / $4::bigint AS page
      FROM (SELECT * FROM entries WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT $3) e
)
SELECT shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at
  FROM measured
 WHERE page = coalesce(
           (SELECT page FROM measured WHERE seq > $5 ORDER BY seq LIMIT 1), (SELECT max(page) FROM measured)
       )
 ORDER BY seq
