-- Ends the backends of ended sessions that own any of the shards $2 ($1: our own session), by their application name.
-- A stopped process cannot let go of a row lock; ending its backend does it for it.
SELECT pg_terminate_backend(a.pid, $3)
  FROM pg_stat_activity a
 WHERE a.datname = current_database()
   AND EXISTS (
       SELECT 1
         FROM shards s
        WHERE s.shard_id = ANY ($2::int[])
          AND s.owner <> $1
          AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.session = s.owner)
          AND starts_with(a.application_name, 'pantherahive/' || s.owner || '/')
   )
