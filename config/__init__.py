"""Settings, secrets and logging: what differs between installations. Read by the composition root only."""
