"""One connection, from handshake to end."""
