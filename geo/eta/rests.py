"""What of a track an estimate rests on, but for when and where the van was seen last."""

import numpy as np

from geo.fold.numbers import MAX_FINISHED
from geo.pings import Rows
from geo.plan.numbers import MAX_STOPS
from geo.visits.pace import PACE

_STANDING = ("open", "arrived_ms", "last")

_RESTS_ON = np.dtype(
    [
        ("route_id", "<i8"),
        ("route_version", "<i4"),
        ("next_stop_id", "<i8"),
        ("on_route", "?"),
        ("open", "<i2"),
        ("arrived_ms", "<i8"),
        ("last", "<i2"),
        ("pace", PACE),
        ("finished", "<i8", (MAX_FINISHED,)),
        ("visits", "u1", (MAX_STOPS,)),
    ]
)
"""As in `geo.fold.fold.TRACK` and `geo.visits.stops.STANDING`."""


def rests_on(tracks: Rows) -> list[bytes]:
    """Give what the estimate of each van rests on: no visit, word, start, route or leaving of it leaves that as it was.

    While it is the same the same stops lie ahead, and those served between them are the same.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
    """
    found = np.zeros(len(tracks), _RESTS_ON)
    for name in _RESTS_ON.names or ():
        found[name] = tracks["standing"][name] if name in _STANDING else tracks[name]
    size, whole = _RESTS_ON.itemsize, found.tobytes()
    return [whole[at : at + size] for at in range(0, len(whole), size)]
