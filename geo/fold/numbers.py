"""The numbers of the fold: what is kept of a drive, and when nobody is heard.

As in `geo.numbers`: unit, meaning, source.
"""

MAX_FINISHED = 16
"""Finished routes a track remembers, newest first."""

MAX_PARKED = 3
"""Tours a track remembers that it left, newest first: a driver who comes back to one goes on with it."""

SILENT_MS = 600_000
"""A driver on a route who was not heard for this long is silent."""

AT_ONCE = 1_000
"""Drivers folded together: what they need stays in a processor's cache."""
