"""The numbers of shapes: how large they may be, and what doors, streets and walks are like. As in `geo.numbers`."""

# planes and paths: geo.shape.plane, lines, stretch --------------------------------------------------------------------

FAR_DEG = 6.0
"""`plane.project` pulls places farther than this from the origin to that edge: far, but not where they are."""

MAX_LAT_DEG = 80.0
"""Nobody delivers nearer to a pole, where planes and boxes in degrees break."""

MAX_REACH_M = 300_000.0
"""How far a path may lie from its middle; within it its plane is right to 1 in 1000."""

DOOR_M = 20.0
"""How far a door is from the path that serves it, typically: half a street, a front garden, an error of geocoding."""

AT_DOOR_M = 5.0
"""Nearer to a door than this no pass of the path is a better one."""

LEG_M, LEG_PART = 50.0, 0.35
"""How far the way between two stops differs from what the plan's times say: parking, and streets faster or slower than
the tour's mean pace."""

TURNS, TURN_M, TURNED = 1.5, 8.0, -0.9
"""Logarithm: how much likelier a stop is where the path turns round, within so many metres; by more than 154 degrees,
whose cosine this is. Tours on real streets: 2 is as good, 3 worse."""

LOOP, LOOP_M, SAME_M = 1.0, 60.0, 3.0
"""Logarithm: how much less likely the way from a stop to the next one comes by, at least LOOP_M later and within
SAME_M, where it began: it is the quickest way, but streets lead one way. On recorded tours 3 stops of 1,303 are placed
wrong instead of 14; 2 is as good, at 3 it is 5."""

BEGINS = 5.0
"""Logarithm: how much less likely a first stop is elsewhere, where the path begins at its door. By hand."""

DRAWN_WITHIN_M = 3.0
"""How far a drawn line may lie beside the path: half a lane, one pixel at street scale (zoom 16)."""

# geofences: geo.shape.fence_shape -------------------------------------------------------------------------------------

MAX_RADIUS_M = 100_000.0
MAX_BUFFER_M = 5_000.0
MAX_VERTICES = 10_000
MAX_WIDTH_DEG = 5.0
"""Limits of a fence's geometry; within them its plane is right to 1 in 1000 at the edge."""

LEAST_AREA_M2 = 1.0
"""A polygon or corridor with less has no inside that a fix could be in."""

# on foot or driving: geo.shape.gait -----------------------------------------------------------------------------------

FIRST_MPS = 0.3
"""Added to speeds before their logarithm is taken: what standing still looks like."""

SIGHT_S = 120.0
"""What is further away says nothing of a fix: those up to here on either side, and the next one beyond, are enough."""

STRETCH_S = SIGHT_S - 10.0
"""How far from a fix its slow stretch is followed: which fix is slow shows within 10 s of it."""

GAP_S = 600.0
"""Who was not heard of for longer may have done anything: there one trace ends and another one begins."""

STRAY_M = 50_000.0
"""Nearer than this to the middle of the others nobody asks: as far as a tour of a day reaches out of its town."""

STRAY_TIMES = 6.0
"""So many times the median distance, where the tour itself is a wide one."""

STRAY_FEWEST = 3
"""Of two places nobody can say which is the wrong one."""

ZERO_DEG = 0.01
"""Within about a kilometre of 0/0, where geocoders put what they do not find."""

SPOT_M = 25.0
"""Around where vans park for a stop its fence reaches so far: errors of a fix, and the length of a van. By hand."""
