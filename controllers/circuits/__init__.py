"""Network builders, one file per circuit."""
