"""The product as its users meet it: a process of its own, real sockets, a real Postgres, real signals."""
