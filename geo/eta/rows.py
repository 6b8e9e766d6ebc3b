"""Rows of what was learned, and the arithmetic of one row: decay, adding, shrinking to its parent."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geo.pings import Floats, Ints

ANY = -1
"""Hour or weekday class of a row that holds for all of them."""

HOURS = (0, 6, 9, 12, 15, 19)
"""Local hours at which the hour classes 0 to 5 begin."""

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000


class RowKey(NamedTuple):
    """What a row is about.

    Attributes:
        scope: `drive` (all drives of the account), `drive_speed` (by the speed the plan expects), `drive_hour`,
            `drive_cell`, `drive_driver`, `drive_leg`, `drive_leg_hour`, `drive_leg_now`; `service` (all),
            `service_kind` (kind of stop and parcels), `service_area`, `service_driver`, `service_place`; `start`,
            `start_place`; `delay` (by lead).
        key: which leg, cell, driver, place, area or kind, in a form to read; empty where the scope has but one.
        hour_class: 0 to 5, see `HOURS`; ANY.
        weekday_class: 0 Monday to Friday, 1 Saturday, 2 Sunday; ANY.
    """

    scope: str
    key: str = ""
    hour_class: int = ANY
    weekday_class: int = ANY


@dataclass(frozen=True, slots=True)
class Row:
    """What was seen of one thing.

    Attributes:
        n: how much was seen: minutes of expected driving, or how often; older ones count less.
        mean: of seconds it took for every second expected without knowing this thing; of minutes late for `start`; of
            the part of a delay that was still there for `delay`, whose n counts squared delays, in spreads: how
            far off an arrival is expected to be (`geo.eta.estimate`).
        m2: sum of squared differences from the mean, weighted like n.
        as_of_ms: to which moment n and m2 are decayed.
    """

    n: float
    mean: float
    m2: float
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Level:
    """One step from the general to the special.

    Attributes:
        scope: of its rows.
        k: a row that has seen this much counts as much as its parent.
        relative: its rows hold what remains when the levels above were applied (an hour, a driver: they cross);
            else they hold the whole ratio, and the levels above are what they are shrunk to.
        by_minutes: n counts minutes of driving, not how often.
        half_life_ms: after which an observation counts half.
    """

    scope: str
    k: float
    relative: bool = False
    by_minutes: bool = False
    half_life_ms: int = 28 * _DAY_MS


CHAINS: dict[str, tuple[float, tuple[Level, ...]]] = {
    "drive": (
        1.0,
        (
            Level("drive", 1800.0, by_minutes=True),
            Level("drive_speed", 60.0, by_minutes=True),
            Level("drive_hour", 1200.0, relative=True, by_minutes=True),
            Level("drive_cell", 300.0, relative=True, by_minutes=True),
            Level("drive_driver", 600.0, relative=True, by_minutes=True),
            Level("drive_leg", 2.0),
            Level("drive_leg_hour", 4.0),
            Level("drive_leg_now", 1.0, half_life_ms=_HOUR_MS),
        ),
    ),
    "service": (
        1.0,
        (
            Level("service", 20.0),
            Level("service_kind", 20.0),
            Level("service_area", 20.0, relative=True),
            Level("service_driver", 40.0, relative=True),
            Level("service_place", 5.0),
        ),
    ),
    "delay": (1.0, (Level("delay", 5.0, by_minutes=True),)),
    "start": (0.0, (Level("start", 4.0), Level("start_place", 2.0))),
}
"""By what is observed: what is expected when nothing is known, and the levels from the general to the special."""


def decayed(n: float, age_ms: float, half_life_ms: int) -> float:
    """Tell what is left of a weight; one from the future counts whole."""
    return float(n * 0.5 ** (max(age_ms, 0.0) / half_life_ms))


def added(row: Row | None, seen: Iterable[tuple[float, float, int]], half_life_ms: int) -> Row:
    """Add observations to a row; their order does not matter.

    Args:
        seen: weight, value and time (ms) of each, at least one.
    """
    seen = list(seen)
    as_of_ms = max([at_ms for _, _, at_ms in seen] + ([row.as_of_ms] if row else []))
    parts = [(decayed(weight, as_of_ms - at_ms, half_life_ms), value, 0.0) for weight, value, at_ms in seen]
    if row:
        kept = decayed(1.0, as_of_ms - row.as_of_ms, half_life_ms)
        parts.append((row.n * kept, row.mean, row.m2 * kept))
    n = math.fsum(weight for weight, _, _ in parts)
    mean = math.fsum(weight * value for weight, value, _ in parts) / n
    m2 = math.fsum(own + weight * (value - mean) ** 2 for weight, value, own in parts)
    return Row(n, mean, m2, as_of_ms)


def applied(level: Level, parent: float, rows: Iterable[tuple[Row | None, float]], at_ms: float) -> float:
    """Go one level down: what is expected by this level, given what is expected without it.

    Args:
        rows: of this level, and the part each has in the thing at hand (they add up to 1).
        at_ms: for when; a row weighs the less the older it will be then.
    """
    above = 1.0 if level.relative else parent
    factor = 0.0
    for row, part in rows:
        n = decayed(row.n, at_ms - row.as_of_ms, level.half_life_ms) if row else 0.0
        mean = row.mean if row else 0.0
        factor += part * (n * mean + level.k * above) / (n + level.k)
    return parent * factor if level.relative else factor


def applied_to_each(
    level: Level, parent: Floats, rows: Sequence[Row | None], part: Floats, which: Ints, at_ms: Floats
) -> Floats:
    """Go one level down for many things, each as `applied` does, to the bit.

    Args:
        parent, at_ms: (s,) of each thing.
        rows: (p) of all things, thing by thing.
        part, which: (p,) of each row: the part it has in its thing, and which that is.
    """
    ages = zip(rows, at_ms[which].tolist(), strict=True)
    n = np.array([decayed(row.n, at - row.as_of_ms, level.half_life_ms) if row else 0.0 for row, at in ages])
    mean = np.array([row.mean if row else 0.0 for row in rows])
    above = 1.0 if level.relative else parent[which]
    share: Floats = part * (n * mean + level.k * above) / (n + level.k)
    factor = np.bincount(which, share, len(parent)).astype(np.float64)  # of nothing it gives whole numbers
    return parent * factor if level.relative else factor


def hour_and_weekday(at_ms: float, utc_offset_s: int) -> tuple[int, int]:
    """Tell the hour and weekday class of a moment."""
    local_ms = int(at_ms) + 1000 * utc_offset_s
    hour = local_ms % _DAY_MS // _HOUR_MS
    weekday = (local_ms // _DAY_MS + 3) % 7  # 1 January 1970 was a Thursday
    return sum(hour >= begin for begin in HOURS) - 1, max(0, weekday - 4)
