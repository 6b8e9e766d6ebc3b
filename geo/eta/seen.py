"""What a driven tour, or the part of it that is over, says of drives, services and starts."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from geo.eta.numbers import END_M, LATE_MIN, LEAST_DRIVE_S, LEAST_REACH_S, MOST_TIMES, PASSED_MS
from geo.eta.places import Parts, places
from geo.eta.rows import RowKey
from geo.numbers import START_M
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plan.plans import Plan


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One drive, service or start that is over.

    Attributes:
        what: which.
        row: the stop's place in the tour: where the drive ended, the service was, the start was seen.
        ended_ms: when it was over.
        value: seconds it took for every second planned; of a start minutes late.
        minutes: planned; of a delay its square, in spreads.
        keys: level by level, the rows it concerns.
    """

    what: Literal["drive", "service", "start", "delay"]
    row: int
    ended_ms: int
    value: float
    minutes: float
    keys: tuple[Parts, ...]


def observe(plan: Plan, arrived_ms: Ints, departed_ms: Ints, passed_ms: Ints) -> list[Observation]:
    """Tell what a driven tour, or the part of it that is over, says.

    A drive is from the departure of one stop to the arrival at the next one; a stop without planned service is passed,
    not visited. Each (what, row) is told once; the caller leaves out those it has learned from before.

    Args:
        plan: as it was driven.
        arrived_ms, departed_ms: (s,) of each stop, UNKNOWN_MS where there was no visit, or it is not closed yet.
        passed_ms: (s,) when the van passed each stop (`passed`), UNKNOWN_MS where that is not known.
    """
    seen = places(plan)
    along_m = plan.stops[:, 3]
    visited = (arrived_ms != UNKNOWN_MS) & (seen.service_s > 0)
    came_ms = np.where(visited, arrived_ms, passed_ms)
    went_ms = np.where(visited, departed_ms, passed_ms)
    told: list[Observation] = []
    known = np.flatnonzero((came_ms != UNKNOWN_MS) & (visited | (along_m >= START_M)))
    if len(known) and known[0] < len(along_m):
        first = int(known[0])
        late_min = float(np.clip((came_ms[first] - seen.due_ms[first]) / 60_000, -LATE_MIN, LATE_MIN))
        told.append(Observation("start", first, int(came_ms[first]), late_min, 1.0, seen.start_keys))
    for row in known.tolist():
        if visited[row] and went_ms[row] != UNKNOWN_MS:
            value = _ratio((went_ms[row] - came_ms[row]) / 1000, seen.service_s[row])
            minutes = float(seen.service_s[row]) / 60
            told.append(Observation("service", row, int(went_ms[row]), value, minutes, seen.service_keys[row]))
        left_ms = went_ms[row - 1] if row else UNKNOWN_MS
        halted = row and (visited[row - 1] or along_m[row - 1] >= START_M)
        if halted and left_ms != UNKNOWN_MS and came_ms[row] >= left_ms and seen.drive_s[row] >= LEAST_DRIVE_S:
            value = _ratio((came_ms[row] - left_ms) / 1000, seen.drive_s[row])
            minutes = float(seen.drive_s[row]) / 60
            told.append(Observation("drive", row, int(came_ms[row]), value, minutes, seen.drive_keys[row]))
    return told


DELAY_LEADS_S = (0.0, 600.0, 1200.0, 2400.0, 4800.0, 9600.0)
"""Leads for which it is learned how much of a delay is still there; between them it is interpolated."""

DELAY_KEYS: tuple[tuple[tuple[Parts, ...], ...], ...] = tuple(
    tuple((((RowKey("delay", f"{side}, {lead_s / 60:.0f} min ahead"), 1.0),),) for lead_s in DELAY_LEADS_S)
    for side in ("late", "early")
)
"""Of vans that would come late by each lead, and of those that would come early."""


def delays(lead_s: Floats, delay_s: Floats, late_s: Floats, spread_s: Floats, at_ms: int) -> list[Observation]:
    """Tell how much of a tour's delay was still there when it arrived, and how much of its being early.

    A plan with slack brings vans back to their times, one without keeps them late; where times are kept, early vans
    wait. A delay says the more the larger it is beside what arrivals are off by anyhow. All arrivals of a tour that
    became known together count as one.

    Args:
        lead_s: (k,) of ETAs of vans under way that have come true, from the ping to what was expected.
        delay_s: (k,) `geo.eta.estimate.Eta.delay_s` of each; NaN where the plan has no times.
        late_s: (k,) how late the van came to the stop by its plan.
        spread_s: (k,) how far off the arrival was expected to be; below LEAST_REACH_S it counts as that.
        at_ms: when that was known.
    """
    known = ~np.isnan(delay_s)
    place = np.interp(lead_s[known], DELAY_LEADS_S, np.arange(len(DELAY_LEADS_S)))
    unit_s = np.maximum(spread_s[known], LEAST_REACH_S)
    x, y = delay_s[known] / unit_s, late_s[known] / unit_s
    told = []
    for mine, of_leads in zip((x > 0, x < 0), DELAY_KEYS, strict=True):
        for i, keys in enumerate(of_leads):
            weight = np.where(mine, np.maximum(1.0 - np.abs(place - i), 0.0), 0.0)
            squares = float((weight * x * x).sum())
            if squares > 0:
                kept = float((weight * x * y).sum()) / squares
                told.append(Observation("delay", i, at_ms, kept, squares / (1.0 + float(weight.sum())), keys))
    return told


def passed(plan: Plan, ms: Ints, along_m: Floats) -> Ints:
    """Tell when a van passed each stop for the last time, from its believed places on the path.

    Args:
        ms, along_m: (p,) of its pings on the route, ascending in time.

    Returns:
        (s,) interpolated; UNKNOWN_MS where no two places on both sides of the stop lie within five minutes.
    """
    passed_ms = np.full(len(plan.stop_ids), UNKNOWN_MS)
    if len(ms) < 2:
        return passed_ms
    # from some fix on the van stayed beyond the stop
    beyond_m = np.minimum.accumulate(along_m[::-1])[::-1]
    at_m = np.minimum(plan.stops[:, 3], plan.length_m - END_M)
    after = np.searchsorted(beyond_m, at_m, "left")
    row = np.flatnonzero((after > 0) & (after < len(ms)))
    b = after[row]
    a = b - 1
    row, a, b = (column[ms[b] - ms[a] <= PASSED_MS] for column in (row, a, b))
    part = (at_m[row] - along_m[a]) / np.maximum(along_m[b] - along_m[a], 1e-9)
    passed_ms[row] = ms[a] + np.rint(np.clip(part, 0.0, 1.0) * (ms[b] - ms[a])).astype(np.int64)
    return passed_ms


def _ratio(took_s: float, planned_s: float) -> float:
    return float(np.clip(took_s / planned_s, 1 / MOST_TIMES, MOST_TIMES))
