"""The numbers of plans and fences. As in `geo.numbers`: unit, meaning, source."""

# plans ----------------------------------------------------------------------------------------------------------------

EARLY_MS = 2 * 3_600_000
"""How long before its start a route may be driven."""

LATE_MS = 4 * 3_600_000
"""How long after its end a route may still be driven."""

MAX_STOPS = 512
"""Stops a plan can have: a track counts the visits of each in one byte."""

BIN_M = 25.0
"""Metres of path to a bin of `Plan.segment_at` and `Plan.next_from`."""

STOP_SLACK_M = 120.0
"""How far from a stop along the path a van may be and still be at it."""

NEXT_DOOR_M, SAME_PLACE_M = 15.0, 5.0
"""Stops of one building: doors within NEXT_DOOR_M, served from the same SAME_PLACE_M of the path. Doors within
SAME_PLACE_M are one door: geocoders give one address one place."""

FAR_DOOR_M = 150.0
"""A door farther from its place on the path is driven to; a nearer one is walked to. By hand: two minutes on foot."""

ROUND_THE_CORNER_M = 100.0
"""Between two stops of one place a tour that stays this near has not left it: an order that was geocoded to the yard, a
neighbour across the street. By hand."""

ONCE_MS = 3_600_000
"""Two deliveries at one door that the plan has within this are handed over at once; later is a second turn. By hand: a
bad order of a tour costs half an hour, a second round is half a day later."""

DEPOT_M = 200.0
"""A van this far from the start of its path has left the depot; one standing this near its end is back."""

# geofences ------------------------------------------------------------------------------------------------------------

MAX_OPEN = 16
"""Fences a driver can be in at once; more are not seen until one is left."""

CLEARLY_M, CLEARLY_PART = 10.0, 0.5
"""A fix is clearly inside when it is so deep, or this part of its accuracy if that is more."""

CLEARLY_OUT_M = 20.0
"""One clearly outside is so much farther than that: who leaves is told at once, who walks along the border is not."""

OUTS = 2
"""Fixes outside in a row that end a visit though none is clearly so."""

SCATTERS, JITTER_FIXES, JITTER_M = 2.5, (4, 30), 50.0
"""A standing phone's fixes are at a border when they are outside by less than its accuracy, or SCATTERS times what
their distances from the fence scatter, at most JITTER_M: measured over the last fixes, from the fourth of them on."""

STANDS_OUT_MS, STANDS_FAR_M = 60_000, 100.0
"""Who stands has left when the fixes are farther outside than that for so long, or by this much more at once."""

STANDS_MOVED_M = 60.0
"""So far apart are two fixes of a van that stands at the second only when it has driven in between. By hand: drift in a
street canyon is less."""

CHORD_M = 10.0
"""A way through a fence shorter than this is no crossing."""

STRAIGHT_MS, STRAIGHT_EAST_DEG, STRAIGHT_NORTH_DEG = 300_000, 0.25, 0.05
"""Between pings farther apart than this, in time or space, the straight line says nothing about the way taken."""

DEG_M = 111_195.0
"""Metres to a degree on a sphere: near enough to tell a way from jitter."""

MOST_OFFSET_M = 3276.7
"""What is farther from its path is as far as this: it is kept as tenths in two bytes."""
