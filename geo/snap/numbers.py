"""The numbers of snapping: what it remembers, where it looks, what it weighs.

As in `geo.numbers`: unit, meaning, source. "Moved" beside a weight names the bench that moves it by a fifth and prints
the score: `tests/bench/snap_weights.py`.
"""

# its memory -----------------------------------------------------------------------------------------------------------

HYPOTHESES = 6
"""Places on the path that are kept; more than six passes are hardly ever as likely as each other."""

OFF_AT, BACK_AT = 0.7, 0.5
"""A van is off its route when that is so likely, and on it again when it is no more likely than this, less likely than
not. By hand: two far fixes take it off, one does not."""

DOUBT_AT, SURE_AT = 0.5, 0.2
"""Likelier off than on: no new place is told. Less likely off than SURE_AT: the place is where it would have left."""

JUMP_M = 300.0
"""A van that is on its path again so far behind or ahead of where it was last, beside what it may have driven, came
upon another pass, and not along the path."""

MEANT_M = 3_000.0
"""After so long on that pass it is where the van means to be; until then a detour may have led along it, and where the
path was left before it is remembered too. By hand."""

MEANT_SERVED_M = 500.0
"""So far along that pass it is enough that a stop was served where the plan has it. By hand; at 300 and 1,000 m
made-up tours are as right."""

LEAVE_M = 5_000.0
"""Drivers leave their path about once in so many metres. Moved."""

LEAVE_AT_MOST = 0.3
"""From one fix to the next they leave it with at most this probability, however far it is."""

RETURN_S = 50.0
"""Off their path drivers come back to it after about so long. Moved."""

ALIKE = 1.4
"""Logarithm: how much less likely a van off its path is to drive in a street of the path, in the path's direction, than
one on it: a detour leads along streets of later and earlier passes for a while. Moved."""

RETURN_AT_MOST = 0.5
"""From one fix to the next they come back with at most this probability; so likely the first fix is on the path."""

LEAST_WEIGHT = 1e-6
"""Hypotheses with less weight are dropped. One that enters far from where the path was left has 1e-5 of the weight at
one fix a second, and must live to grow, or what is found would depend on how often a phone sends."""

SEARCH_AT = 0.05
"""The whole path is searched when the van may be off it with this probability."""

PACE_S = 8.0
"""Seconds over which the motion of fixes is smoothed: the jitter of one second looks like walking."""

HEADING_MPS = 2.0
"""Below this speed a phone's heading says nothing."""

FAST_MPS = 4.0
"""Above this speed the smoothed motion of the fixes tells the heading, where the phone does not."""

# the fix --------------------------------------------------------------------------------------------------------------

OPTIMISM = 1.4
"""The accuracy that phones report is better than they are, by this. Moved."""

BEST_M = 3.0
"""No phone on a dashboard is better than this, whatever it says."""

VAN_M, WALK_M = 8.0, 20.0
"""Beside the error of its fix a van keeps this close to the middle line of its path; a driver on foot does less.
Moved."""

EVIDENCE_S = 10.0
"""Errors of fixes last: seconds that make a fix count in full. One a second counts a tenth. Moved."""

# the way by the speed -------------------------------------------------------------------------------------------------

SHARP_M = 15.0
"""A fix whose error is no larger is told where it lies on the path; a vaguer one between there and where the speeds
that the phone tells lead. It is the error of a fix that claims ten metres. By hand."""

SPEED_PART, SPEED_MPS = 0.1, 0.5
"""How far the way by the speed is off: by this part of it, for streets bend and lanes change, and so much a second, as
phones tell speeds. By hand; at the double of either 95 % of recorded tours are within 0.1 m more or less."""

SPEED_ERRORS = 2.0
"""Farther from the fix than so many of its errors the way by the speed is wrong, and not heeded: phones tell zeros
where they know nothing. By hand; at 3 they are within 27.6 m."""

STILL_S = 20.0
"""Of two slow speeds so soon after one another the van did not drive in between; later it may have started and come to
stand again, as buses do. By hand: between 15 s, where it helps, and 30, where it made one bus leave its path."""

# where to look --------------------------------------------------------------------------------------------------------

ROUNDS = 3
"""Places that each hypothesis may have moved to: as many passes run side by side within its reach."""

BEHIND_M, AHEAD_M = 100.0, 150.0
"""A hypothesis is looked for from BEHIND_M behind it to AHEAD_M plus what REACH_MPS reaches ahead of it."""

APART_M = 30.0
"""Places along the path nearer to each other than this are one hypothesis."""

# how unlikely a place is ----------------------------------------------------------------------------------------------

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

ANYWHERE, ANYWHERE_BEHIND = 6.0, 12.0
"""Logarithms: how much less likely, at the most, a place ahead is where they come back, and one behind: hardly anybody
drives a long way for a second time. Unbounded, a van once taken for one far off would be lost. Moved."""

BEFORE = 0.3
"""Logarithm: how much less likely a van comes back to where it left the path before it came upon another pass, than to
that one. By hand."""

BY_THE_WAY = 5.0
"""Logarithm: how unlikely it is that a van drives by the way along a pass that it came upon, as against the way back to
that pass (`RETURN_AHEAD_M`). Where the one is no likelier than the other it may be back where the path was left. By
hand; street tours are as right at 4 and 3, with one more lost at 3."""

# stops left out -------------------------------------------------------------------------------------------------------

PAST_M = 100.0
"""A stop lies behind a van that is so far past its place on the path: up to there it may be parked for it. By hand: at
60 made-up tours are the same, at 180 worse."""

LONGEST_MM = 10**11
"""No path is longer, in millimetres."""

# standing at a door ---------------------------------------------------------------------------------------------------

UNSAID_S, DOOR_S, SURELY = 10.0, 10.0, 6.0
"""A van that stands at a door says nothing for UNSAID_S; then every DOOR_S make passes without a stop there less likely
by a logarithm of 1, by SURELY at the most: lights and queues last 20 s in the mean. By hand."""

NEARER_DOOR_M = 12.0
"""Of two doors a van stands at the nearer one: what the farther one explains worse is the difference of their squares,
by this. By hand; at 20 and 35 fewer made-up tours are mended."""

DOOR, DOOR_AHEAD_M, DOOR_BEHIND_M, DOOR_FAR, DOOR_FAR_BEHIND = 5.0, 1_500.0, 800.0, 2.0, 3.0
"""Logarithms: how much less likely a driver takes a stop in an order of their own than stands for another reason; and 1
more for so many metres ahead of where the van was, or behind, at the most DOOR_FAR and DOOR_FAR_BEHIND. By hand; at a
DOOR of 4 a van that stood for 100 s at a stop of its way back is taken to be on the way back."""

DOOR_LEFT_OUT, DOOR_BACK = 3.5, 1.0
"""What counts instead of DOOR where nobody was at the stop yet: it lies behind where the van was, and was left out; or
the van came upon another pass, and it is counted from where the path was left before that. By hand."""

OWN_M = 200.0
"""So far before the stop before a door and past the one after it a place on the path still has that door's stop for a
reason to stand. By hand."""
