"""When what nobody ended is over: docs/reference/closing.md tells it to people."""

SAME_SPELL_S = 4 * 3600
"""A second `shift_started` (or `break_started`) within so many seconds of the one before is the same one, said twice; a
later one is the next, and ends the one that nobody ended. Who presses a button twice does it within minutes; between
two shifts lies a night."""
