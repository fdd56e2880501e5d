"""Tasks and queues."""
