"""The actor of a person's public profile."""
