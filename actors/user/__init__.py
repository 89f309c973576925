"""The user's actor: what is private to one person. Its decisions are pure; nothing here reads a clock or a network."""
