"""Stand-ins for BSHM's graph: same tensor names and types, weights of our own making."""
