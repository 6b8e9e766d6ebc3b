"""What the compiled step says of a fix, and what it is asked about next stops."""

import numpy as np

TOLD = np.dtype(
    [
        ("along_m", "<f8"),  # these and `off_ms` as in geo.snap.snap.Snapped
        ("offset_m", "<f8"),
        ("x_m", "<f8"),
        ("y_m", "<f8"),
        ("along_sd_m", "<f8"),
        ("on_route_p", "<f8"),
        ("off_ms", "<i8"),
        ("row", "<i8"),  # these as in geo.visits.standing.Stood
        ("since_ms", "<i8"),
        ("before", "<i8"),
        ("first_ms", "<i8"),
        ("last_ms", "<i8"),
        ("idle_ms", "<i8"),
        ("on_route", "?"),
        ("went_off", "?"),
        ("came_back", "?"),
        ("slow", "?"),
        ("gone", "?"),
        ("own_way", "?"),
        ("arriving", "?"),
        ("passed", "?"),
        ("was_off", "?"),
    ]
)

GOING = np.dtype(
    [
        ("along_m", "<f8"),  # the place told last; NaN: none yet
        ("ms", "<i8"),  # the last believed ping; UNKNOWN_MS: none yet
        ("arrived_ms", "<i8"),  # these as in geo.visits.standing.STANDING
        ("last", "<i8"),
        ("at_stop", "?"),  # a visit is open
        ("worded", "?"),  # as in geo.fold.state.TRACK
    ]
)
"""What of a driver tells the next stop."""
