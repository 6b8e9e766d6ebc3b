"""The numbers of plans and fences. As in `geo.numbers`: unit, meaning, source."""

# plans ----------------------------------------------------------------------------------------------------------------

EARLY_MS = 2 * 3_600_000
"""How long before its start a route may be driven."""

LATE_MS = 4 * 3_600_000
"""How long after its end a route may still be driven."""

MAX_STOPS = 512
"""Stops a plan can have: a track counts the visits of each in one byte."""

BIN_M = 25.0
"""Metres of path to a bin of `Plan.segment_at` and `Plan.stops_near`."""

STOP_SLACK_M = 120.0
"""How far from a stop along the path a van may be and still be at it."""

NEXT_DOOR_M, SAME_PLACE_M = 15.0, 5.0
"""Stops of one building: doors within NEXT_DOOR_M, served from the same SAME_PLACE_M of the path."""

# geofences ------------------------------------------------------------------------------------------------------------

MAX_OPEN = 16
"""Fences a driver can be in at once; more are not seen until one is left."""

CLEARLY_M, CLEARLY_PART = 10.0, 0.5
"""A fix is clearly inside when it is so deep, or this part of its accuracy if that is more."""

CLEARLY_OUT_M = 20.0
"""One clearly outside is so much farther than that: who leaves is told at once, who walks along the border is not."""

OUTS = 2
"""Fixes outside in a row that end a visit though none is clearly so."""

CHORD_M = 10.0
"""A way through a fence shorter than this is no crossing."""

STRAIGHT_MS, STRAIGHT_EAST_DEG, STRAIGHT_NORTH_DEG = 300_000, 0.25, 0.05
"""Between pings farther apart than this, in time or space, the straight line says nothing about the way taken."""
