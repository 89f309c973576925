"""What the product costs, measured beside something known in the same run. Run with `make bench`."""
