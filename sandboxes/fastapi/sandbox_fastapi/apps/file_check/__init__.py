"""A long job whose progress is streamed to the client that asked for it."""
