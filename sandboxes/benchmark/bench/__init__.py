"""The benchmark: prepares an environment for each peer, runs the peers in turn, and compares."""
