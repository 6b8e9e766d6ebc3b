"""The numbers of simulation.

As in `geo.numbers`: unit, meaning, source.
"""

BLOCK_M = 110.0
"""Between two streets of a made-up city."""
