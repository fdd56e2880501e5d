"""Groups of the channel layer: members, fan-out, and what a layer loses."""
