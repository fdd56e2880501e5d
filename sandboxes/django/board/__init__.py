"""A discussion board whose votes count live."""
