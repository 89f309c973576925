-- $1 streams and $2 seqs of entries, $3 up to the one with which their payloads reach so many bytes (null: all).
SELECT shard_id, pos, stream, seq, epoch, op_id, digest, payload, author, at, recorded_at
  FROM (
      SELECT e.*,
             w.place,
             sum(octet_length(e.payload)) OVER (ORDER BY w.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                 AS before
        FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w (stream, seq, place)
        JOIN entries e ON e.stream = w.stream AND e.seq = w.seq
  ) measured
 WHERE $3::bigint IS NULL OR coalesce(before, 0) < $3::bigint
 ORDER BY place
