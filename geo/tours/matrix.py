"""What drives take where no road engine was asked: straight lines, a detour factor, and the speeds that ETAs learned.

The same rows as in `geo.eta.model`, so that a plan and its ETAs agree; only what holds for all drives, and for an hour,
since a plan's legs are not driven yet.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from geo.eta.rows import ANY, CHAINS, Row, RowKey, applied, hour_and_weekday
from geo.numbers import TYPICAL_MPS
from geo.pings import Floats
from geo.shape.plane import in_space
from geo.tours.numbers import TOWN_DETOUR
from geo.tours.problem import Matrix


def straight(lon: Floats, lat: Floats, *, mps: float = TYPICAL_MPS) -> tuple[Matrix, Matrix]:
    """Give metres of driving, and seconds at a speed along straight lines, between all places.

    Args:
        lon, lat: (p,) degrees.
        mps: > 0; of `speed`.
    """
    space = in_space(lon, lat)
    apart_m = np.sqrt(((space[:, None] - space[None]) ** 2).sum(axis=2))
    return np.rint(apart_m * TOWN_DETOUR).astype(np.int64), np.rint(apart_m / mps).astype(np.int64)


def to_all(lon: float, lat: float, lons: Floats, lats: Floats, *, mps: float = TYPICAL_MPS) -> tuple[Floats, Floats]:
    """Give (p,) metres and seconds between one place and others, as `straight` would."""
    apart_m = np.sqrt(((in_space(lons, lats) - in_space([lon], [lat])) ** 2).sum(axis=1))
    return np.rint(apart_m * TOWN_DETOUR), np.rint(apart_m / mps)


def speed(rows: Mapping[RowKey, Row], at_ms: int, utc_offset_s: int) -> float:
    """Tell how fast vans are along straight lines at an hour, m/s.

    Args:
        rows: that the account's ETAs learned; `keys_of_hour` says which are looked at.
        at_ms, utc_offset_s: when, and how far the place's clocks are ahead of UTC.
    """
    expected, levels = CHAINS["drive"]
    for level, key in zip((levels[0], levels[2]), keys_of_hour(at_ms, utc_offset_s), strict=True):
        expected = applied(level, expected, [(rows.get(key), 1.0)], at_ms)
    return TYPICAL_MPS / max(expected, 0.05)


def keys_of_hour(at_ms: int, utc_offset_s: int) -> tuple[RowKey, RowKey]:
    """Name the rows that `speed` looks at: all drives, and the hour's."""
    hour, weekday = hour_and_weekday(at_ms, utc_offset_s)
    return RowKey("drive", "", ANY, ANY), RowKey("drive_hour", "", hour, weekday)


def service_s(rows: Mapping[RowKey, Row], planned_s: Sequence[float], at_ms: int) -> list[int]:
    """Tell how long services really take, given what was planned, whole seconds."""
    factor = service_factor(rows, at_ms)
    return [round(one * factor) for one in planned_s]


def service_factor(rows: Mapping[RowKey, Row], at_ms: int) -> float:
    """Tell how much longer services take than planned."""
    expected, levels = CHAINS["service"]
    return applied(levels[0], expected, [(rows.get(SERVICES), 1.0)], at_ms)


SERVICES = RowKey("service", "", ANY, ANY)
"""The row that `service_s` looks at."""
