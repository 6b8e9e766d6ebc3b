"""How unlikely places on a path are for a fix, as the negative logarithm of a likelihood.

What the fix says (how far beside the path it lies, and which way the phone moves) and what the way there says (how far
along the path that would be, against how far the phone moved). Every weight is named in `geo.snap.numbers`.
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from geo.pings import Bools, Floats, Ints
from geo.snap.numbers import (
    ANYWHERE,
    ANYWHERE_BEHIND,
    BACK_M,
    BEFORE,
    BEYOND_M,
    DETOUR,
    DETOUR_M,
    DETOUR_MPS,
    FAR_COST,
    NEAR_GAIN,
    OVER_ERROR,
    OVER_M,
    OVER_MOVED,
    RETURN_AHEAD_M,
    RETURN_BEHIND_M,
    TOLD_MPS,
    TURN_FREE,
    TURN_ROUND_S,
    UNDER_ERROR,
    UNDER_M,
    UNDER_MOVED,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class From:
    """(r,) hypotheses: where they were, along the path and on the plane; or off it, after leaving it at along_m.

    Attributes:
        anywhere: off the path, so that it may come back anywhere.
        low_m, high_m: from where to where along the path they are looked for.
        before_m: where the path was left before that, if that may have been on a detour; else the same.
    """

    anywhere: Bools
    low_m: Floats
    high_m: Floats
    along_m: Floats
    before_m: Floats
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fix:
    """(r,) the fix of each hypothesis's van.

    Attributes:
        seconds: since the fix before.
        full: 0 to 1, how much it counts as evidence.
        x_m, y_m: where, on the plan's plane.
        error_m: how far off it may be, sigma_m: with how far the phone may be beside the path.
        vague_mps: how little is known of the way between the fixes.
        crept_m: how far it went by the speeds that this fix and the one before told, where both are slow; else inf.
        east, north, turn: as `geo.snap.snap` tells its heading: a unit vector, and how much it counts.
    """

    seconds: Floats
    full: Floats
    x_m: Floats
    y_m: Floats
    error_m: Floats
    sigma_m: Floats
    vague_mps: Floats
    crept_m: Floats
    east: Floats
    north: Floats
    turn: Floats

    def rows_at(self, which: Ints) -> Self:
        """Pick by index: of vans those of their hypotheses."""
        return type(self)(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """(p,) places on paths.

    Attributes:
        row: which hypothesis may be there.
        squared: metres from the fix, squared.
        along_m: along the path.
        east, north: which way the path leads there, a unit vector.
    """

    row: Ints
    squared: Floats
    along_m: Floats
    east: Floats
    north: Floats


def of_way(start: From, fix: Fix, spots: Spots) -> Floats:
    """Say how unlikely the way to places is, driven along the path or off it: (p,) negative logarithms."""
    row = spots.row
    ahead_m = spots.along_m - start.along_m[row]
    came = np.minimum(join(ahead_m), join(spots.along_m - start.before_m[row]) + BEFORE)
    return np.where(start.anywhere[row], came, _drive(start, fix, spots, ahead_m))


def of_fix(fix: Fix, spots: Spots) -> Floats:
    """What the fix says of a place: how far beside it lies, and where the phone heads."""
    row = spots.row
    cost = spots.squared * (0.5 / (fix.sigma_m * fix.sigma_m))[row] - NEAR_GAIN
    cost += fix.turn[row] * (TURN_FREE - spots.east * fix.east[row] - spots.north * fix.north[row])
    cost *= fix.full[row]
    return cost


def of_staying(fix: Fix, stayed_m: Floats) -> Floats:
    """How unlikely it is that each fix is of a van that is where it was, stayed_m from there: (r,).

    The fix is wrong; or, where speeds say that the van stands or creeps, not more so than others.
    """
    cost = stayed_m * stayed_m * (0.5 / (fix.sigma_m * fix.sigma_m)) - NEAR_GAIN
    cost = cost * fix.full + fix.crept_m * (1 / (UNDER_M + UNDER_ERROR * fix.error_m))
    return np.minimum(cost, FAR_COST * fix.full)


def join(ahead_m: Floats) -> Floats:
    """How unlikely it is that a van comes back to its path so far ahead of where it left."""
    return np.where(
        ahead_m > 0,
        np.minimum(ahead_m * (1 / RETURN_AHEAD_M), ANYWHERE),
        np.minimum(-ahead_m * (1 / RETURN_BEHIND_M), ANYWHERE_BEHIND),
    )


def _drive(start: From, fix: Fix, spots: Spots, ahead_m: Floats) -> Floats:
    """How unlikely it is that a van drove so far along its path while the phone moved as it did."""
    row = spots.row
    squared_m = (fix.x_m - start.x_m) ** 2 + (fix.y_m - start.y_m) ** 2
    moved_m = np.sqrt(squared_m)
    over = (1 / (OVER_M + OVER_MOVED * moved_m + OVER_ERROR * fix.error_m + fix.vague_mps * fix.seconds))[row]
    under = (1 / (UNDER_M + UNDER_ERROR * fix.error_m + UNDER_MOVED * moved_m))[row]
    squared_m = np.minimum(squared_m, (fix.crept_m + TOLD_MPS * fix.seconds) ** 2)  # farther is an error of the fix
    excess_m = np.abs(ahead_m) - np.sqrt(np.maximum(squared_m[row] - spots.squared, 0.0))
    detour = (DETOUR + TURN_ROUND_S / np.maximum(fix.seconds, 0.1))[row]
    longest_m = (DETOUR_MPS * fix.seconds + fix.error_m + DETOUR_M)[row]
    longer = np.minimum(excess_m * over, detour) + np.maximum(excess_m - longest_m, 0.0) * (1 / BEYOND_M)
    behind_m = np.maximum(-ahead_m - (fix.error_m * np.sqrt(fix.full))[row], 0.0)
    return np.where(excess_m > 0, longer, -excess_m * under) + behind_m * (1 / BACK_M)


_POWERS = 2.0 ** np.arange(-200, 61)


def exp(x: Floats) -> Floats:
    """Raise e to x, to 1e-9, the same bits everywhere (see `geo.shape.plane`); 0 below -138, no more above 41."""
    y = np.minimum(np.maximum(x, -138.0), 41.0) * 1.4426950408889634
    whole = np.rint(y)
    r = (y - whole) * 0.6931471805599453
    series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))))
    return np.where(x < -138.0, 0.0, _POWERS[whole.astype(np.int64) + 200] * series)
