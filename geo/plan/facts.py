"""What follows from pings: how each is judged, and what happened."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from geo.pings import Rows


class FactType(IntEnum):
    """What can follow from pings alone."""

    STOP_ARRIVED = 1
    STOP_DEPARTED = 2
    ROUTE_STARTED = 10
    ROUTE_COMPLETED = 11
    ROUTE_OFF = 12
    ROUTE_BACK = 13
    ROUTE_REOPENED = 14
    FENCE_ENTERED = 20
    FENCE_EXITED = 21
    FENCE_CROSSED = 22
    FENCE_DWELLED = 23
    DRIVER_SILENT = 30
    DRIVER_SEEN = 31
    PHONE_ENDED = 40


JUDGED = np.dtype(
    [
        ("flags", "<u4"),  # geo.trust.clean.Flag
        ("believed", "?"),
        ("on_route", "?"),
        ("route_id", "<i8"),  # 0: on no route
        ("route_version", "<i4"),
        ("along_m", "<f4"),  # NaN: not snapped
        ("offset_m", "<f4"),  # from the path, left positive, in tenths, at most MOST_OFFSET_M; NaN: not snapped
        ("snapped_lat_e6", "<i4"),  # 0 where not snapped
        ("snapped_lon_e6", "<i4"),
    ]
)

REJUDGED = np.dtype(
    [
        ("track", "<i8"),
        ("device_id", "<i8"),
        ("recorded_ms", "<i8"),
        ("lat_e6", "<i4"),
        ("lon_e6", "<i4"),
        ("judged", JUDGED),
    ]
)

HAPPENED = np.dtype(
    [
        ("track", "<i8"),  # row in `tracks`
        ("folded_ms", "<i8"),  # recorded_ms of the ping that made it known, or when the driver said it
        ("type", "<i2"),  # FactType
        ("occurred_ms", "<i8"),  # when it happened by the phone's clock, at or before folded_ms
        ("route_id", "<i8"),  # 0: none
        ("route_version", "<i4"),
        ("stop_id", "<i8"),  # 0: none
        ("geofence_id", "<i8"),  # 0: none
        ("ordinal", "<i8"),  # tells repeated facts of one kind and place apart, the same in every re-run
        ("along_m", "<f8"),  # of the ping that made it known, as the next three; NaN: not snapped, or a driver's word
        ("offset_m", "<f4"),
        ("lat_e6", "<i4"),
        ("lon_e6", "<i4"),
        ("source", "i1"),  # 0 as the pings say, 1 as the driver says; of a phone: as somebody who shut it out does
        ("device_id", "<i8"),  # 0: it is about no phone
        ("certainty", "<f4"),  # of STOP_ARRIVED: 0 to 1, how likely it is one; else 0
    ]
)
"""One fact; of two about the same the later row counts. `ordinal` is the number of the visit for STOP_ARRIVED and
STOP_DEPARTED (1, 2, …), how often for ROUTE_COMPLETED and the ROUTE_REOPENED after it, 1 for ROUTE_STARTED; else a
time in ms: of the first far fix for ROUTE_OFF and its ROUTE_BACK, of entering or crossing for a geofence, of the last
ping for DRIVER_SILENT and of the first new one for DRIVER_SEEN, of the phone's last for PHONE_ENDED."""


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What follows from some pings.

    Attributes:
        judged: (n,) of dtype `JUDGED`, one row a ping, in the order the pings were given.
        rejudged: (r,) of dtype `REJUDGED`: earlier pings, maybe of an earlier call, whose judgement changed in the
            light of these. Where one ping occurs twice the later row counts. May name pings of this call too.
        happened: (h,) of dtype `HAPPENED`, driver by driver in the order they became known.
    """

    judged: Rows
    rejudged: Rows
    happened: Rows
