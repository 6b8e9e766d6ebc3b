"""The numbers of ETAs. As in `geo.numbers`: unit, meaning, source. Tables stay where they are read: `rows.CHAINS`,
`window.BUILT_IN`, `seen.DELAY_LEADS_S`, `places.SPEEDS_MPS`."""

# what is left of a tour: geo.eta.estimate -----------------------------------------------------------------------------

TODAY_S = 7200.0
"""Today's pace counts half when this much driving was seen of it. Drives of a delivery tour are alike (an hour would be
best), those of buses hardly (they catch up)."""

PACES = (0.6, 1.8)
"""No tour is expected to be faster or slower than this for the rest of the day."""

DRIVE_NOISE_S, PACE_NOISE, SERVICE_NOISE, START_NOISE_S = 15.0, 0.06, 0.85, 90.0
"""How far off arrivals are expected to be: the variance of a drive for every second of it, the part by which all drives
of a day are off together, the part by which a service is, and the seconds by which a start is while nothing is known of
it. A drive of ten minutes is off by two, a service of two minutes by nearly two, as buses and delivery tours are;
`geo.eta.window` learns by how much an account differs."""

LEAST_KEPT = 0.05
"""However much of a delay is made up, arrivals vary as if this part of it stayed. By hand."""

DELAY_NOISE = 0.3
"""Where a part of delays is made up, or of being early, it differs from van to van which part: arrivals are off by this
part of a delay too, times the root of what is made up of it. By hand; a third more holds no better."""

LEAST_START_S = 15.0
"""No start is known better than this, however alike those of late were."""

# what a tour says when it is over: geo.eta.seen -----------------------------------------------------------------------

LEAST_DRIVE_S = 10.0
"""Shorter planned drives say nothing of how long drives take."""

MOST_TIMES = 5.0
"""A drive or service counts as at most this many times, and at least this part of, what was planned."""

LATE_MIN = 15.0
"""A start counts as at most this early or late, minutes."""

PASSED_MS = 300_000
"""Places on the path farther apart in time do not say when a stop between them was passed."""

END_M = 30.0
"""A van this near the end of its path has driven it."""

# what drives are alike: geo.eta.places --------------------------------------------------------------------------------

CELL_DEG = 0.01
"""Cells are about a kilometre wide: a quarter of a town."""

SAMPLE_M = 100.0
"""How far apart the path is looked at for the cells it goes through."""

# windows: geo.eta.window ----------------------------------------------------------------------------------------------

LEVEL = 0.8
"""Part of the arrivals that a window is to hold; what is outside lies half before and half after it."""

LEAST_REACH_S = 60.0
"""No window reaches less far to either side."""

OFF_ROUTE_TIMES = 1.5
"""Off the route windows reach this many times as far: where the van will come back is not known."""

WAITS_PART = 0.9
"""Of the multiples that windows of vans under way begin with, those of vans that wait for their start: a start's own
noise is known better than what the other multiples make up for. By hand."""

VOTE_STEP = 0.03
"""By which part an end moves for a tour whose arrivals were all outside it, at most; a tour's errors are much alike, so
that it has one vote on each band at a time, however many stops it has."""

HALF_VOTE = 4.0
"""A vote counts half when it rests on this many arrivals."""

LEAST_SPREADS = 0.3
"""No end gets nearer than this many spreads, lest one that LEAST_REACH_S holds wanders off."""

VOTES_KEPT = 200.0
"""Votes that the counts in `Band.n` and `Band.alpha` look back on."""

NEAR_TURN_M = 500.0
"""A van off its path is on the way to, or back from, a door far from it when it left the path so near to that turn."""

DOOR_NOISE = 0.25
"""The way to a door far from the path is taken to be straight, at a typical speed: it may be off by this part. By
hand."""

BESIDE_TIMES = 2.0
"""How far along a path a van off it may have come since it left it, in straight distances from there: few paths wind
more, and farther ahead the path may come by on another pass. By hand; one and a half and three give the same."""
