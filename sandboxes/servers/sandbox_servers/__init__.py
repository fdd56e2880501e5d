"""One set of consumers on both integrations, to be served by every ASGI server."""
