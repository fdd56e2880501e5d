"""What consumer classes declare."""
