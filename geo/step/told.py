"""What the compiled step says of a fix."""

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
        ("row", "<i8"),  # these as in geo.visits.stops.Stood
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
