"""Who is calling: passwords, access tokens, accounts."""
