"""What all pages share, and the command that serves them."""
