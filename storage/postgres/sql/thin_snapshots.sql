-- Thins the snapshots of a stream with age: $1 stream, $2 seqs within which all are kept, $3 entries per kept older one.
-- Of the older ones the first of every $3 seqs stays (it never changes later), and the newest $4 always stay.
DELETE FROM snapshots s
 USING (SELECT max(o.seq) AS seq FROM snapshots o WHERE o.stream = $1) newest
 WHERE s.stream = $1
   AND s.seq <= newest.seq - $2::bigint
   AND EXISTS (SELECT 1 FROM snapshots o
                WHERE o.stream = $1 AND o.seq < s.seq AND o.seq / $3::bigint = s.seq / $3::bigint)
   AND $4::bigint <= (SELECT count(*) FROM snapshots o WHERE o.stream = $1 AND o.seq > s.seq)
