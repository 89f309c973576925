"""What runs actors. No word of the domain appears here: streams, entries, commands and states are opaque."""
