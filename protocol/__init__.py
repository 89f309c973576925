"""The contract between server, clients and the log: messages, errors, cursors. Imports nothing else of the product."""
