"""Small helpers that consumers and integrations share."""
