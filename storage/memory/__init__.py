"""In-memory twins of all ports. They pass the suites that Postgres passes, and forget everything at the end."""
