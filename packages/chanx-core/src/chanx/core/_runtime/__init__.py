"""Tasks and queues, for all that runs concurrently."""
