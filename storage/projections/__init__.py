"""Read tables: one file per feature with its table, its fold and its reads. They follow the log."""
