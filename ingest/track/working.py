"""When somebody works: in a shift, or in the hours of a tour. Pure.

A driver who uses neither is watched all the time, because nothing says when they work; a fleet that wants less sets
`location_policy` to `shift`, or has its drivers start shifts.
"""

import numpy as np

from geo.pings import Ints, Rows
from sql.pings.held import SPELL

MARGIN_MS = 30 * 60_000
"""Who starts a shift was on the way to it; the button is pressed when the van is loaded."""

USED_MS = 30 * 24 * 3_600_000
"""Who had neither a shift nor a tour for longer does not use them any more: holidays are shorter."""

EVE_MS = 24 * 3_600_000
"""The day before the first shift or tour is judged by it, too: that is the night before it. With the time before its
start that belongs to it, no more than `sql.pings.held.REACH_MS`."""

_FOREVER_MS = (1 << 44) - 1  # as in held.py: more than any recorded_ms


def working_spells(driver_ids: Ints, shifts: Rows, tours: Rows) -> Rows:
    """Say when drivers work: (n,) of dtype `SPELL`, by driver and in order; no two of a driver overlap.

    Args:
        driver_ids: of whom it is asked, ascending.
        shifts, tours: of dtype `SPELL`, theirs, at least from `USED_MS` before what is judged; in any order.
    """
    spells: list[tuple[int, int, int]] = []
    early = shifts.copy()
    early["from_ms"] -= MARGIN_MS
    windows = np.concatenate([early, tours])
    for driver_id in driver_ids.tolist():
        mine = np.sort(windows[windows["driver_id"] == driver_id], order=["from_ms", "until_ms"])
        spells += [(driver_id, begin, end) for begin, end in _with_whole(_merged(mine))]
    return np.array(spells, SPELL)


def _merged(windows: Rows) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in zip(windows["from_ms"].tolist(), windows["until_ms"].tolist(), strict=True):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _with_whole(spells: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Add the times in which neither is used: long after the last one, and not just before the next."""
    kept: list[tuple[int, int]] = []
    free_ms = 0
    for begin, end in spells:
        if free_ms < begin - EVE_MS:
            kept.append((free_ms, begin - EVE_MS))
        kept.append((max(begin, 0), end))
        free_ms = end + USED_MS
    if free_ms < _FOREVER_MS:
        kept.append((free_ms, _FOREVER_MS))
    return kept
