"""`pantherahive import`: histories from elsewhere, sent to a running server by way of the client library."""
