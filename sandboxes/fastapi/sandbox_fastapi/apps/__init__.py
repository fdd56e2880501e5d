"""The WebSocket applications of the sandbox, one package each."""
