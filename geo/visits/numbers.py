"""The numbers of visits: when a van is at a stop, when it has left it, and when a tour is done.

As in `geo.numbers`: unit, meaning, source.
"""

# stops ----------------------------------------------------------------------------------------------------------------

DWELL_MS = 15_000
"""Standing shorter is a turn into the street; two fixes 30 s apart are enough."""

AGAIN_TIMES = 2
"""So many times as long as at another a van stands at a stop that was visited before: few are met twice. On made-up
tours (seeds 7401 to 7403) 6 false second visits were shorter, and 5 true ones."""

OFF_PATH_MS = 25_000
"""A van that stands so long inside the fence of a stop it was not yet at is there, off its path or on another pass of
it than the plan has the stop on: drivers have orders of their own, and plans guess passes. Longer, because nothing but
the fence speaks for it. On tours of `make score` and made-up ones 95 of 96 were true of those that stood so for 30 s on
another pass, at a stop that was next or left out."""

IDLE_MS = 20_000
"""A van that was inside a fence for one fix, and for so long less under way before and after it than the clock says,
stood there: fixes 30 s apart see a short stop but once."""

IDLE_PART, IDLE_LEAST_MS = 2 / 3, 10_000
"""Fixes less far apart tell better how long driving took: this part of the time from its first fix there until it was
gone is enough, at least so much. By hand."""

DROVE_MS, DROVE_PART = 120_000, 0.5
"""Where the phone says that the van drives, so much longer, and by this part of the way's own time: a light, a queue, a
slow road. A speed says nothing of the hour after it. By hand."""

NO_FIX_MS, UNSEEN_MS = 120_000, 30_000
"""A van that was idle for NO_FIX_MS between two fixes was where the first one is, until it must have left: in a garage,
a hall. One that was so without a fix, UNSEEN_MS of driving from a stop, was at the stop. By hand."""

BASE_MS = 10_000
"""Where the phone gives no speed it is taken over at least this long: the jitter of fixes looks fast in a second."""

MARGIN, MARGIN_VAGUEST_M = 0.5, 40.0
"""A fix is inside a fence when it is outside by at most this part of its accuracy, which counts as at most so much."""

BY_STANDING, BY_FENCE = 0.98, 0.92
"""How certain an arrival is of a van that stood there, on its path and off it: what part of them is true on made-up
tours of all drivers (seeds 7401 to 7403 and 7501 to 7503: 8,295 of 8,457; 182 of 197)."""

BY_CLOCK = (10_000.0, 30_000.0, 180_000.0), (0.8, 0.9, 0.97)
"""How certain it is of one that was idle for so long, ms, around a fix or two: 48 of 60 are true of those that lost 10
to 20 s, 56 of 61 up to a minute, all nine from there, on recorded tours and on made-up ones of seeds 7202 and 7203."""

PIN_M = 60.0
"""A van that stands at a stop is told to stay, unless a fix is further along the path than this from where it stood."""

BESIDE_M = 30.0
"""A van that stands so near to a fence (and the margin) may be there for its stop. By hand."""

NEARER_M = 10.0
"""Next door is where the van is when it stands this much nearer to that stop than to the one it was at; the straight
line, which knows no path, may say so much the other way."""

ALONG_PART = 0.5
"""A metre along the path counts as this much of one beside it, when stops are compared: fixes err to all sides, but the
pass of the path is known."""

OUT_OF_TURN_M, OUT_OF_TURN_STOPS = 15.0, 4
"""Where fences overlap, a stop counts as this much farther for each stop that would be passed over, up to four. And so
many times as long a van stands there as stops are left out before it, up to four: of made-up tours (seeds 7401 to 7403)
20 of 25 that stood beyond two and more for less than 45 s were not there for the stop."""

SERVED_M = 1_000.0
"""And as this much farther when there is nothing more to do at it: every other stop comes first."""

LEFT_M, LEFT_MS, LEFT_OUTS = 20.0, 60_000, 2
"""Outside its fence by more than LEFT_M (and its accuracy) twice in a row a van has left the stop, when it is moving or
has been outside for LEFT_MS: a standing phone drifts too."""

FAR_M = 120.0
"""Outside its fence by more than this (and its accuracy), once is enough where the phone says that it moves: a fix
that is simply wrong looks like moving."""

OUTLINE_M = 2_000.0
"""Of a fence that is no circle the outline is asked within so far of the circle around it."""

# tours ----------------------------------------------------------------------------------------------------------------

HOME_M = 30.0
"""So near the end of its path a van is back even while it moves."""

SERVED_PART = 0.5
"""Of its stops this part must be served before a tour is left for the next one: who turned back may still come."""
