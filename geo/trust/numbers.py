"""The numbers of trust: which fixes are believed.

As in `geo.numbers`: unit, meaning, source.
"""

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

CLOCK_OFF_MS = 60_000
"""A phone's clock that is off by more is corrected; what is less may be the way of the message."""

WEEKS_LOST_MS = 1024 * 604_800_000
"""GPS counts 1024 weeks and begins anew; a receiver that does not know of it is this far behind."""

SINCE_2001_MS = 978_307_200_000
"""From 1970 to 2001, from where Apple's phones count: an app that forgets to add it is this far behind."""

MOST_AHEAD_MS = 86_400_000
"""What is dated farther ahead says nothing of the clock: it is no time at all."""

ONE_RUN_MS = 900_000
"""Between two fixes of one recording there is no more; one later than that after all others is odd by itself."""

CLOCK_STILL_MS = 900_000
"""What was found of a phone's clock holds for so long: what it kept for a while shows less than what it sends now."""
