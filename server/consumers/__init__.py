"""What follows the log: every consumer reads each shard from its checkpoint and moves it with its effect."""
