"""What our own commands will do once the server takes them: one file per feature, as on the server.

Foresight makes the events that the server is expected to answer with, from the state that a client holds. It judges
nothing: a command that will be refused shows its effect until the refusal comes.
"""
