"""Where on its path each hypothesis may be now: the likeliest of the places where the path comes nearest to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.pings import Bools, Floats, Ints
from geo.plan.numbers import BIN_M
from geo.plan.plans import ALONG, DX, DY, INVERSE, LENGTH, Plan, X, Y, windows
from geo.snap import likelihood
from geo.snap.likelihood import Fix, From, Spots
from geo.snap.numbers import APART_M, ROUNDS


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """(r, ROUNDS + 1) places that each hypothesis may be at now, the last one where it was; cost inf: there is none.

    Attributes:
        beside: (r,) the least that the fix alone costs at any place on the path within reach; inf: there is none.
    """

    along_m: Floats
    x_m: Floats
    y_m: Floats
    offset_m: Floats
    cost: Floats
    beside: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Nearest:
    """(p,) where paths come nearest to fixes: as a table (4, p) of along_m, x_m, y_m, offset_m, and as spots."""

    table: Floats
    spots: Spots


def candidates_of(plans: Sequence[Plan], start: From, fix: Fix) -> Candidates:
    """Find where on the path the fix of each of r hypotheses is likeliest to belong."""
    near = _nearest(plans, start, fix)
    of_fix = likelihood.of_fix(fix, near.spots)
    moved, costs = _rounds(near, of_fix + likelihood.of_way(start, fix, near.spots), len(plans))
    stayed_m = np.sqrt((fix.x_m - start.x_m) ** 2 + (fix.y_m - start.y_m) ** 2)
    stayed = np.stack((start.along_m, start.x_m, start.y_m, stayed_m))
    table = np.concatenate((moved, stayed[:, :, None]), axis=2)
    stay_cost = np.where(start.anywhere, np.inf, likelihood.of_staying(fix, stayed_m))
    return Candidates(
        along_m=table[0],
        x_m=table[1],
        y_m=table[2],
        offset_m=table[3],
        cost=_told_once(moved[0], costs, start.along_m, stay_cost),
        beside=least(near.spots.row, of_fix, len(plans)),
    )


def least(row: Ints, cost: Floats, n: int) -> Floats:
    """Give the least cost of each of n rows; inf for one that has none."""
    found = np.full(n, np.inf)
    np.minimum.at(found, row, cost)
    return found


def _nearest(plans: Sequence[Plan], start: From, fix: Fix) -> _Nearest:
    """Find where the paths within reach of each hypothesis come nearest to its fix: one place a pass."""
    n = len(plans)
    bins = np.array([len(plan.segment_at) for plan in plans], np.int64) - 1
    first = np.clip(start.low_m / BIN_M, 0, bins).astype(np.int64)
    final = np.clip(start.high_m / BIN_M + 1, 0, bins).astype(np.int64)
    pieces, starts = windows(
        [plan.segments for plan in plans],
        [plan.segment_at[bin_] for plan, bin_ in zip(plans, first.tolist(), strict=True)],
        [plan.segment_at[bin_] + 1 for plan, bin_ in zip(plans, final.tolist(), strict=True)],
    )
    row = np.repeat(np.arange(n), np.diff(starts))
    px, py = fix.x_m[row] - pieces[:, X], fix.y_m[row] - pieces[:, Y]
    part = (px * pieces[:, DX] + py * pieces[:, DY]) * pieces[:, INVERSE]
    near = _low(part, starts, at_start=(first == 0)[row], at_end=(final == bins)[row])
    row, px, py, part, pieces = row[near], px[near], py[near], np.clip(part[near], 0.0, 1.0), pieces[near]

    dx, dy = pieces[:, DX], pieces[:, DY]
    ex, ey = px - part * dx, py - part * dy
    squared = ex * ex + ey * ey
    along_m = pieces[:, ALONG] + part * pieces[:, LENGTH]
    inverse_m = np.sqrt(pieces[:, INVERSE])
    offset_m = np.copysign(np.sqrt(squared), np.where(dx * py - dy * px >= 0, 1.0, -1.0))
    table = np.stack((along_m, pieces[:, X] + part * dx, pieces[:, Y] + part * dy, offset_m))
    return _Nearest(table, Spots(row, squared, along_m, dx * inverse_m, dy * inverse_m))


def _low(part: Floats, starts: Ints, *, at_start: Bools, at_end: Bools) -> Ints:
    """Pick the segments on which a path comes nearest to a fix.

    Only those: a place beside that is the same pass, worse explained. At the edge of a window the path may come nearer
    outside of it, but for the path's own ends.

    Args:
        part: (s,) how far along each segment its foot lies, 0 to 1 when on it.
        starts: (r + 1,) where each hypothesis's segments begin.
        at_start, at_end: (s,) whether the window reaches to the end of the path.
    """
    is_first, is_last = np.zeros((2, len(part)), np.bool_)
    is_first[starts[:-1]], is_last[starts[1:] - 1] = True, True
    corner = (part >= 1) & np.where(is_last, at_end, np.append(part[1:] <= 0, True))
    low: Ints = np.flatnonzero(((part > 0) & (part < 1)) | corner | (is_first & (part <= 0) & at_start))
    return low


def _rounds(near: _Nearest, cost: Floats, n: int) -> tuple[Floats, Floats]:
    """Pick the ROUNDS cheapest places of each of n hypotheses that are apart from each other.

    Returns:
        (4, n, ROUNDS) as `_Nearest.table`, NaN for none, and (n, ROUNDS) their costs, inf for none.
    """
    row, along_m = near.spots.row, near.spots.along_m
    table, costs = np.full((4, n, ROUNDS), np.nan), np.full((n, ROUNDS), np.inf)
    begin = np.flatnonzero(np.diff(row, prepend=-1))  # places come hypothesis by hypothesis
    cost = np.where(np.isfinite(cost), cost, np.inf)
    for k in range(ROUNDS if len(row) else 0):
        # the cheapest place of each hypothesis that has one left, the first of equals
        costs[row[begin], k] = np.minimum.reduceat(cost, begin)
        best = np.flatnonzero((cost == costs[row, k]) & np.isfinite(cost))
        if not len(best):
            break
        best = best[np.diff(row[best], prepend=-1) > 0]
        table[:, row[best], k] = near.table[:, best]
        cost = np.where(np.abs(along_m - table[0, row, k]) <= APART_M, np.inf, cost)
    return table, costs


def _told_once(moved_m: Floats, costs: Floats, stayed_m: Floats, stay_cost: Floats) -> Floats:
    """Of one place, moved to or kept, let the better explanation count: (n, ROUNDS + 1) costs, the last of staying."""
    same = np.abs(moved_m - stayed_m[:, None]) <= APART_M
    kept = stay_cost < np.where(same, costs, np.inf).min(axis=1)
    costs = np.where(same & kept[:, None], np.inf, costs)
    return np.column_stack((costs, np.where(kept, stay_cost, np.inf)))
