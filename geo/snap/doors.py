"""What standing at a door says: the van is likelier at the pass that has a stop there than at one that has none."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.numbers import STOP_SLACK_M
from geo.snap.likelihood import Fix, exp
from geo.snap.numbers import (
    DOOR,
    DOOR_AHEAD_M,
    DOOR_BEHIND_M,
    DOOR_FAR,
    DOOR_FAR_BEHIND,
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
        inside: it stands inside the fence; else near to it.
        stood_s: for how long it stands, seconds.
    """

    van: Ints
    along_m: Floats
    x_m: Floats
    y_m: Floats
    inside: Bools
    stood_s: Floats

    @classmethod
    def none(cls) -> Self:
        """Make an empty one: nobody stands."""
        no = np.zeros(0)
        return cls(
            van=np.zeros(0, np.int64), along_m=no, x_m=no, y_m=no, inside=np.zeros(0, np.bool_), stood_s=no
        )  # fmt: skip


def pull(new: Rows, doors: Doors, fix: Fix, offset_m: Floats) -> None:
    """Weigh the hypotheses of vans that stand at a door; writes into `new` and `offset_m`.

    Those that have no stop there lose weight the longer the van stands; and the place of each such stop has at least
    the weight that a driver gives it who takes stops in an order of their own.

    Args:
        new: (n,) of dtype `geo.snap.snap.SNAP`, after this fix.
        fix: (n,) the fixes.
        offset_m: (n, HYPOTHESES) of the fix from each hypothesis.
    """
    long_s = np.maximum(doors.stood_s - UNSAID_S, 0.0)
    said = np.minimum(long_s / DOOR_S, SURELY)
    before = np.minimum(np.maximum(long_s - fix.seconds[doors.van], 0.0) / DOOR_S, SURELY)
    squared = (fix.x_m[doors.van] - doors.x_m) ** 2 + (fix.y_m[doors.van] - doors.y_m) ** 2
    ahead_m = doors.along_m - new["left_m"][doors.van]
    enters = exp(said - DOOR - _far(ahead_m) - squared * (0.5 / fix.sigma_m[doors.van] ** 2))
    lasts = exp(before - said)
    for van in np.unique(doors.van[doors.inside]).tolist():
        mine = np.flatnonzero(doors.van == van)
        places = [doors.along_m[mine], doors.x_m[mine], doors.y_m[mine], np.sqrt(squared[mine])]
        least = np.where(doors.inside[mine], enters[mine], 0.0)
        _pull_one(new[van], offset_m[van], np.stack(places), least, float(lasts[mine[0]]))


def _far(ahead_m: Floats) -> Floats:
    """How unlikely it is that a driver takes a stop out of its turn that is so far ahead of where the van was."""
    return np.where(
        ahead_m > 0,
        np.minimum(ahead_m * (1 / DOOR_AHEAD_M), DOOR_FAR),
        np.minimum(-ahead_m * (1 / DOOR_BEHIND_M), DOOR_FAR_BEHIND),
    )


def _pull_one(mine: np.void, offset_m: Floats, places: Floats, least: Floats, lasts: float) -> None:
    """Weigh the hypotheses of one van; writes into `mine` and `offset_m`.

    Args:
        places: (4, d) along_m, x_m, y_m and offset_m of doors.
        least: (d,) weight that each has at least, against that of all that have no door; 0: none.
        lasts: part of their weight that those keep.
    """
    on = mine["on"]
    weight = on["weight"].astype(np.float64)
    table = np.stack((on["along_m"], on["x_m"], on["y_m"], offset_m))
    own = (np.abs(table[0][:, None] - places[0]) <= OWN_M).any(axis=1)
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
