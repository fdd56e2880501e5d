"""The engine in a simulated world: seeded, in virtual time, with everything that can go wrong."""
