"""The history of topics: what was sent, and how members that have missed something get it."""
