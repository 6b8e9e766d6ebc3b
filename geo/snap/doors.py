"""What standing at a door says: the van is likelier on a pass that may have a stop there than on one that has none."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.numbers import STOP_SLACK_M
from geo.snap.likelihood import Fix, exp
from geo.snap.numbers import (
    DOOR,
    DOOR_AHEAD_M,
    DOOR_BACK,
    DOOR_BEHIND_M,
    DOOR_FAR,
    DOOR_FAR_BEHIND,
    DOOR_LEFT_OUT,
    DOOR_S,
    LEAST_WEIGHT,
    OWN_M,
    SURELY,
    UNSAID_S,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doors:
    """(d,) stops at whose doors vans stand.

    Attributes:
        van: whose, a row in the call.
        along_m, x_m, y_m: the place on the path that belongs to it, on the plan's plane.
        low_m, high_m: places on the path of the stops before and after it: on every pass in between it may be served.
        inside: it stands inside the fence; else near to it.
        is_open: nobody was there yet.
        stood_s: for how long it stands, seconds.
    """

    van: Ints
    along_m: Floats
    x_m: Floats
    y_m: Floats
    low_m: Floats
    high_m: Floats
    inside: Bools
    is_open: Bools
    stood_s: Floats

    @classmethod
    def none(cls) -> Self:
        """Make an empty one: nobody stands."""
        no, nobody = np.zeros(0), np.zeros(0, np.int64)
        none = np.zeros(0, np.bool_)
        return cls(van=nobody, along_m=no, x_m=no, y_m=no, low_m=no, high_m=no, inside=none, is_open=none, stood_s=no)


def pull(new: Rows, doors: Doors, fix: Fix, offset_m: Floats) -> None:
    """Weigh the hypotheses of vans that stand at a door; writes into `new` and `offset_m`.

    Those that cannot have a stop there lose weight the longer the van stands; and the place of each such stop has at
    least the weight that a driver gives it who takes stops in an order of their own, comes back for one that was left
    out, or goes on after a detour.

    Args:
        new: (n,) of dtype `geo.snap.snap.SNAP`, after this fix.
        fix: (n,) the fixes.
        offset_m: (n, HYPOTHESES) of the fix from each hypothesis.
    """
    long_s = doors.stood_s - UNSAID_S
    said, before = _said(long_s), _said(long_s - fix.seconds[doors.van])
    squared = (fix.x_m[doors.van] - doors.x_m) ** 2 + (fix.y_m[doors.van] - doors.y_m) ** 2
    enters = exp(said - _out_of_turn(new, doors) - squared * (0.5 / fix.sigma_m[doors.van] ** 2))
    lasts = exp(before - said)
    for van in np.unique(doors.van[doors.inside]).tolist():
        mine = np.flatnonzero(doors.van == van)
        places = [doors.along_m[mine], doors.x_m[mine], doors.y_m[mine], np.sqrt(squared[mine])]
        least = np.where(doors.inside[mine], enters[mine], 0.0)
        along_m = new[van]["on"]["along_m"][:, None]
        own = ((along_m >= doors.low_m[mine] - OWN_M) & (along_m <= doors.high_m[mine] + OWN_M)).any(axis=1)
        _pull_one(new[van], offset_m[van], own, np.stack(places), least, float(lasts[mine[0]]))


def _said(long_s: Floats) -> Floats:
    """Tell how much standing for so long speaks against having no stop there, a logarithm."""
    return np.minimum(np.maximum(long_s, 0.0) / DOOR_S, SURELY)


def _out_of_turn(new: Rows, doors: Doors) -> Floats:
    """How unlikely it is that a driver is at a door for its stop that is not taken to be on the way to it."""
    left_m, before_m = (new[name][doors.van] for name in ("left_m", "before_m"))
    left_out = doors.is_open & (doors.along_m < left_m)
    cost = _far(doors.along_m - left_m) + np.where(left_out, DOOR_LEFT_OUT, DOOR)
    back = _far(doors.along_m - before_m) + DOOR_BACK
    return np.where(doors.is_open & (before_m != left_m), np.minimum(cost, back), cost)


def _far(ahead_m: Floats) -> Floats:
    """How unlikely it is that a driver takes a stop out of its turn that is so far ahead of where the van was."""
    return np.where(
        ahead_m > 0,
        np.minimum(ahead_m * (1 / DOOR_AHEAD_M), DOOR_FAR),
        np.minimum(-ahead_m * (1 / DOOR_BEHIND_M), DOOR_FAR_BEHIND),
    )


def _pull_one(mine: np.void, offset_m: Floats, own: Bools, places: Floats, least: Floats, lasts: float) -> None:
    """Weigh the hypotheses of one van; writes into `mine` and `offset_m`.

    Args:
        own: (HYPOTHESES,) which may have a stop there.
        places: (4, d) along_m, x_m, y_m and offset_m of doors.
        least: (d,) weight that each has at least, against that of all that have no door; 0: none.
        lasts: part of their weight that those keep.
    """
    on = mine["on"]
    weight = on["weight"].astype(np.float64)
    table = np.stack((on["along_m"], on["x_m"], on["y_m"], offset_m))
    weight = np.where(own, weight, lasts * weight)
    off = lasts * float(mine["off_weight"])
    rest = float(weight[~own].sum()) + off
    for k in np.flatnonzero(least * rest >= LEAST_WEIGHT).tolist():
        near = np.where(np.abs(table[0] - places[0, k]) <= STOP_SLACK_M, weight, 0.0)
        lacks = least[k] * rest - near.sum()
        if lacks <= 0:
            continue
        best = int(np.argmax(near))
        if near[best] == 0:
            best = int(np.argmin(weight))
            weight[best], table[:, best] = 0.0, places[:, k]
        weight[best] += lacks
    total = weight.sum() + off
    order = np.argsort(-weight, kind="stable")
    on["along_m"], on["x_m"], on["y_m"], offset_m[:] = table[:, order]
    on["weight"], mine["off_weight"] = weight[order] / total, off / total
