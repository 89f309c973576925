"""The commands of the command line: one file each, with what it says to a person."""
