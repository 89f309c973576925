"""The example bots against the real server."""
