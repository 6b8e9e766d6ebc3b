"""The numbers of the fold: what is believed, what snapping weighs, when a van is at a stop and when a tour is done.

As in `geo.numbers`: unit, meaning, source. "Moved" beside a weight names the bench that moves it by a fifth and prints
the score: `tests/bench/snap_weights.py`.
"""

# judging: geo.fold.clean ----------------------------------------------------------------------------------------------

INACCURATE_M = 200.0
"""A fix whose own accuracy is worse is not believed: it is of a cell tower, not of satellites."""

JUMP_SLACK_M = 30.0
"""How far two fixes may lie apart beyond speed and accuracy; one second's standing drift stays below."""

NULL_ISLAND_DEG = 0.01
"""Broken receivers report places within about a kilometre of 0, 0."""

QUIET_MS = 300_000
"""Another phone of the driver takes over when the active one has recorded nothing believable for so long."""

SAME_FIX_M = 2.0
"""Fixes nearer to each other may be one place, kept by a phone without a satellite and given again with a new time."""

SAME_FIX_MS = 60_000
"""A place given for so long is where the phone is, however equal its fixes are: vans stand."""

ESTABLISHED = 3
"""So many believed fixes in a row have established where the van is: one more witness is asked for than without."""

# snapping, its memory: geo.fold.snap ----------------------------------------------------------------------------------

HYPOTHESES = 6
"""Places on the path that are kept; more than six passes are hardly ever as likely as each other."""

OFF_AT, BACK_AT = 0.7, 0.3
"""A van is off its route when that is so likely, and on it again when it is no more likely than this. By hand: two far
fixes take it off, one does not."""

DOUBT_AT, SURE_AT = 0.5, 0.2
"""Likelier off than on: no new place is told. Less likely off than SURE_AT: the place is where it would have left."""

LEAVE_M = 5_000.0
"""Drivers leave their path about once in so many metres. Moved."""

LEAVE_AT_MOST = 0.3
"""From one fix to the next they leave it with at most this probability, however far it is."""

RETURN_S = 100.0
"""Off their path drivers come back to it after about so long. Moved."""

RETURN_AT_MOST = 0.5
"""From one fix to the next they come back with at most this probability; so likely the first fix is on the path."""

LEAST_WEIGHT = 1e-4
"""Hypotheses with less weight are dropped."""

SEARCH_AT = 0.05
"""The whole path is searched when the van may be off it with this probability."""

PACE_S = 8.0
"""Seconds over which the motion of fixes is smoothed: the jitter of one second looks like walking."""

HEADING_MPS = 2.0
"""Below this speed a phone's heading says nothing."""

FAST_MPS = 4.0
"""Above this speed the smoothed motion of the fixes tells the heading, where the phone does not."""

# snapping, the fix: geo.fold.snap -------------------------------------------------------------------------------------

OPTIMISM = 1.4
"""The accuracy that phones report is better than they are, by this. Moved."""

BEST_M = 3.0
"""No phone on a dashboard is better than this, whatever it says."""

VAN_M, WALK_M = 8.0, 20.0
"""Beside the error of its fix a van keeps this close to the middle line of its path; a driver on foot does less.
Moved."""

EVIDENCE_S = 10.0
"""Errors of fixes last: seconds that make a fix count in full. One a second counts a tenth. Moved."""

# snapping, where to look: geo.fold.candidates -------------------------------------------------------------------------

ROUNDS = 3
"""Places that each hypothesis may have moved to: as many passes run side by side within its reach."""

BEHIND_M, AHEAD_M = 100.0, 150.0
"""A hypothesis is looked for from BEHIND_M behind it to AHEAD_M plus what REACH_MPS reaches ahead of it."""

APART_M = 30.0
"""Places along the path nearer to each other than this are one hypothesis."""

# snapping, how unlikely a place is: geo.fold.likelihood ---------------------------------------------------------------

NEAR_GAIN, FAR_COST = 2.3, 4.6
"""Logarithms: how much likelier a fix on the path is when the van is on it than when it may be anywhere within 150 m;
and how much less likely, at the most, one far away is. One fix in a hundred is simply wrong. Moved."""

TURN = 1.5
"""How sharply headings agree with the direction of the path (the concentration of a von Mises distribution). Moved."""

TURN_FREE = 1 / 3
"""The cosine at which a heading speaks neither for the path nor against it: log I0(TURN) / TURN, which makes the
distribution of headings one, as against a heading that may be any."""

OVER_M, OVER_MOVED, OVER_ERROR = 20.0, 0.4, 0.5
"""How much farther along the path than the phone moved straight a place may be at the cost of 1: so many metres, and
these parts of the way and of the fix's error, for streets bend and fixes err. By hand, moved."""

UNTOLD_MPS = 3.0
"""The same for every second since the fix before, where the phone told no speed: what it may have driven unseen.
By hand, moved."""

TOLD_PART, TOLD_MPS = 0.5, 0.5
"""Where it told one: this part of it, and these. By hand, moved."""

UNDER_M, UNDER_MOVED, UNDER_ERROR = 15.0, 0.3, 1.0
"""How much less far than the phone moved straight, at the cost of 1: so many metres, and these parts of the way and of
the fix's error. Less than over: no path is shorter than the straight line. By hand, moved."""

DETOUR_MPS, DETOUR, TURN_ROUND_S = 10.0, 3.0, 15.0
"""Between two fixes a van may have driven into a street and back out of it, at this speed; how unlikely that is when
there was time to turn round. Moved."""

DETOUR_M, BEYOND_M = 10.0, 10.0
"""A detour may be longer than there was time for by DETOUR_M and the fix's error; beyond, every BEYOND_M cost 1.
By hand, moved."""

BACK_M = 15.0
"""Nobody drives backwards: every so many metres behind cost 1, beyond the error of the fix. By hand, moved."""

RETURN_AHEAD_M, RETURN_BEHIND_M = 1_500.0, 400.0
"""How far along the path drivers come back to it, ahead of where they left and behind it, at the cost of 1. Moved."""

ANYWHERE = 6.0
"""Logarithm: how much less likely, at the most, a place is where they come back. Unbounded, a van once taken for one
far ahead would be lost. Moved."""

# stops: geo.fold.stops ------------------------------------------------------------------------------------------------

DWELL_MS = 15_000
"""Standing shorter is a turn into the street; two fixes 30 s apart are enough."""

OFF_PATH_MS = 25_000
"""Off its path a van that stands so long inside the fence of a stop it was not yet at is there: drivers have orders of
their own. Longer, because nothing but the fence speaks for it."""

IDLE_MS = 20_000
"""A van that was inside a fence for one fix, and for so long less under way before and after it than the clock says,
stood there: fixes 30 s apart see a short stop but once."""

NEVER_IDLE_MS = -86_400_000
"""Where the phone says that the van drives: a day of standing to make up for."""

BASE_MS = 10_000
"""Where the phone gives no speed it is taken over at least this long: the jitter of fixes looks fast in a second."""

MARGIN, MARGIN_VAGUEST_M = 0.5, 40.0
"""A fix is inside a fence when it is outside by at most this part of its accuracy, which counts as at most so much."""

PIN_M = 60.0
"""A van that stands at a stop is told to stay, unless a fix is further along the path than this from where it stood."""

NEARER_M = 10.0
"""Next door is where the van is when it stands this much nearer to that stop than to the one it was at."""

ALONG_PART = 0.5
"""A metre along the path counts as this much of one beside it, when stops are compared: fixes err to all sides, but the
pass of the path is known."""

OUT_OF_TURN_M, OUT_OF_TURN_STOPS = 15.0, 4
"""Where fences overlap, a stop counts as this much farther for each stop that would be passed over, up to four."""

SERVED_M = 1_000.0
"""And as this much farther when there is nothing more to do at it: every other stop comes first."""

LEFT_M, LEFT_MS, LEFT_OUTS = 20.0, 60_000, 2
"""Outside its fence by more than LEFT_M (and its accuracy) twice in a row a van has left the stop, when it is moving or
has been outside for LEFT_MS: a standing phone drifts too."""

FAR_M = 120.0
"""Outside its fence by more than this (and its accuracy) and moving, once is enough."""

OUTLINE_M = 2_000.0
"""Of a fence that is no circle the outline is asked within so far of the circle around it."""

# tours: geo.fold.tour -------------------------------------------------------------------------------------------------

DEPOT_M = 200.0
"""A van this far from the start of its path has left the depot; one standing this near its end is back."""

HOME_M = 30.0
"""So near the end of its path a van is back even while it moves."""

SERVED_PART = 0.5
"""Of its stops this part must be served before a tour can be done: less is a tour broken off, and ends by its hours."""

# what is kept, and when nobody is heard -------------------------------------------------------------------------------

MAX_FINISHED = 16
"""Finished routes a track remembers, newest first."""

MAX_PARKED = 3
"""Tours a track remembers that it left, newest first: a driver who comes back to one goes on with it."""

SILENT_MS = 600_000
"""A driver on a route who was not heard for this long is silent."""

AT_ONCE = 1_000
"""Drivers folded together: what they need stays in a processor's cache."""
