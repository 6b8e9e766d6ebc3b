"""Numbers that more than one room of `geo` rests on: what phones leave unsaid, and how fast vans are.

Each has its unit in its name, what it means and where it comes from. Those of one room alone are on that room's page.
"By hand" says that nobody has a better source than the tours of `make score`, on which it does well; by how much the
score moves with the weights of snapping tells `docs/explanation/where-is-the-van.md`.
"""

# what a phone that gives no accuracy is taken to mean: each question errs to the side that does less harm there

UNSAID_TO_JUDGE_M = 30.0
"""When it is asked whether a fix can be believed: generous, for a fix that is thrown away is lost. By hand."""

UNSAID_TO_SNAP_M = 15.0
"""When a fix is weighed against the passes of a path: the middle of what phones under open sky report. By hand."""

UNSAID_AT_STOP_M = 20.0
"""When a fix is in or outside of the fence of a stop: a phone beside houses. By hand."""

UNSAID_AT_FENCE_M = 20.0
"""The same at a geofence."""

VAGUEST_M = 100.0
"""At fences and on paths a phone counts as at most so vague: beyond that its circle says nothing about a street."""

# speeds

SLOW_MPS = 2.5
"""Slower nobody drives between two stops: standing, or the driver walking to a door. By hand: a hurried walk is
2 m/s, and a van that looks for a number does 3."""

TYPICAL_MPS = 6.5
"""A delivery van's mean speed between stops, where a plan has no times of its own (23 km/h: city tours with their
lights and their parking)."""

DRIVE_MPS = 22.0
"""Nobody is expected sooner than the rest of a path at this mean speed takes (80 km/h)."""

REACH_MPS = 40.0
"""No van moves along its path faster than this (144 km/h): how far a place on it is looked for."""

BELIEVED_MPS = 70.0
"""No delivery vehicle is faster (252 km/h): beyond, neither a phone's speed nor a way between fixes is believed."""

# the path

START_M = 1_000.0
"""A van that halts nearer to the start of its path may be waiting for its tour to begin. By hand: the yard and the
street of a depot."""
