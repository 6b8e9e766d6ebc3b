"""What drives and services take in a plan: as roads say or straight lines, times what ETAs learned of hours and speeds.

The same rows as in `geo.eta.model`, so that a plan and its ETAs agree; of drives only what holds for all, for drives
as fast, and for an hour, since a plan's legs are not driven yet and nobody knows who will; of services all but the
driver.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.places import SPEEDS_MPS, service_parts, speed_name
from geo.eta.rows import ANY, CHAINS, Row, RowKey, applied, hour_and_weekday
from geo.numbers import TYPICAL_MPS
from geo.pings import Floats
from geo.shape.plane import in_space
from geo.tours.numbers import TOWN_DETOUR
from geo.tours.problem import Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorWork:
    """A service as it is planned: kind of the stop, parcels, place in degrees, seconds."""

    kind: str
    parcels: int
    lat: float
    lon: float
    planned_s: float


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


def on_roads(metres: Floats, seconds: Floats, lon: Floats, lat: Floats, factors: Floats) -> tuple[Matrix, Matrix]:
    """Give metres and seconds of driving from what roads say; straight lines where they lead nowhere.

    Args:
        metres, seconds: (p, p) from each place to each; NaN where there is no way.
        lon, lat: (p,) degrees.
        factors: of `drive_factors`.
    """
    there_m, there_s = straight(lon, lat)
    known = np.isfinite(metres) & np.isfinite(seconds)
    metres, seconds = np.where(known, metres, there_m), np.where(known, seconds, there_s)
    mps = np.divide(metres, seconds, out=np.zeros_like(metres), where=seconds > 0)
    learned_s = seconds * factors[np.searchsorted(SPEEDS_MPS, mps, side="right")]
    return np.rint(metres).astype(np.int64), np.rint(learned_s).astype(np.int64)


def speed(rows: Mapping[RowKey, Row], at_ms: int, utc_offset_s: int) -> float:
    """Tell how fast vans are along straight lines at an hour, m/s; see `drive_factors`."""
    factors = drive_factors(rows, at_ms, utc_offset_s)
    usual = np.searchsorted(SPEEDS_MPS, TYPICAL_MPS, side="right")
    return TYPICAL_MPS / max(float(factors[usual]), 0.05)


def drive_factors(rows: Mapping[RowKey, Row], at_ms: int, utc_offset_s: int) -> Floats:
    """Tell how much longer drives take than roads say, one for each class of speed.

    Args:
        rows: that the account's ETAs learned; `keys_of_hour` says which are looked at.
        at_ms, utc_offset_s: when, and how far the place's clocks are ahead of UTC.
    """
    nothing_known, (of_all, of_speed, of_hour, *_) = CHAINS["drive"]
    hour, weekday = hour_and_weekday(at_ms, utc_offset_s)
    factors = []
    for name in _SPEEDS:
        expected = applied(of_all, nothing_known, [(rows.get(RowKey("drive")), 1.0)], at_ms)
        expected = applied(of_speed, expected, [(rows.get(RowKey("drive_speed", name)), 1.0)], at_ms)
        key = RowKey("drive_hour", "", hour, weekday)
        factors.append(applied(of_hour, expected, [(rows.get(key), 1.0)], at_ms))
    return np.array(factors)


_SPEEDS = tuple(speed_name(mps) for mps in (0.0, *SPEEDS_MPS))


def keys_of_hour(at_ms: int, utc_offset_s: int) -> set[RowKey]:
    """Name the rows that `drive_factors` looks at: all drives, those of each speed, and the hour's."""
    hour, weekday = hour_and_weekday(at_ms, utc_offset_s)
    speeds = {RowKey("drive_speed", name) for name in _SPEEDS}
    return {RowKey("drive", "", ANY, ANY), RowKey("drive_hour", "", hour, weekday), *speeds}


def service_keys(works: Iterable[DoorWork]) -> set[RowKey]:
    """Name the rows that `service_s` looks at."""
    return {key for work in works for level in _levels(work) for key, _ in level}


def service_s(rows: Mapping[RowKey, Row], works: Sequence[DoorWork], at_ms: int) -> list[int]:
    """Tell how long services really take, whole seconds, whoever does them."""
    seconds = []
    for work in works:
        expected, levels = CHAINS["service"]
        for level, parts in zip(levels, _levels(work), strict=True):
            expected = applied(level, expected, [(rows.get(key), part) for key, part in parts], at_ms)
        seconds.append(round(work.planned_s * expected))
    return seconds


def _levels(work: DoorWork) -> tuple[tuple[tuple[RowKey, float], ...], ...]:
    return service_parts(work.kind, work.parcels, work.lat, work.lon, driver="")
