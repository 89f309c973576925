"""The log, the ownership of shards and the plain tables in Postgres 15 or newer."""
