"""How well arrivals would have been foretold: `reparto replay --score`."""
