"""An echo that needs no channel layer."""
