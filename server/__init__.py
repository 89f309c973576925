"""The edges and the composition root: HTTP, Socket.IO, consumers, command line."""
