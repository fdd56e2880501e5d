"""Jobs that a worker process does, with their results streamed back."""
