"""Where concrete classes meet: each file makes one group of the server's parts from settings and storage."""
