"""The actor of a project: its members, tasks and comments."""
