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
    FAR_COST,
    LEAST_WEIGHT,
    NEAR_GAIN,
    NEARER_DOOR_M,
    SURELY,
    UNSAID_S,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Doors:
    """(d,) stops at whose doors vans stand.

    Attributes:
        van: whose, a row in the call.
        along_m, x_m, y_m: the place on the path that belongs to it, on the plan's plane.
        door_x_m, door_y_m: the door itself.
        low_m, high_m: places on the path: on every pass in between it may be served.
        inside: it stands inside the fence; else near to it.
        is_open: nobody was there yet.
        may_enter: the van may be taken to be there although nothing else said so.
        stood_s: for how long it stands, seconds.
    """

    van: Ints
    along_m: Floats
    x_m: Floats
    y_m: Floats
    door_x_m: Floats
    door_y_m: Floats
    low_m: Floats
    high_m: Floats
    inside: Bools
    is_open: Bools
    may_enter: Bools
    stood_s: Floats

    @classmethod
    def none(cls) -> Self:
        """Make an empty one: nobody stands."""
        no, nobody = np.zeros(0), np.zeros(0, np.int64)
        none = np.zeros(0, np.bool_)
        return cls(
            van=nobody,
            along_m=no,
            x_m=no,
            y_m=no,
            door_x_m=no,
            door_y_m=no,
            low_m=no,
            high_m=no,
            inside=none,
            is_open=none,
            may_enter=none,
            stood_s=no,
        )


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
    if not doors.inside.any():
        return
    vans = np.unique(doors.van[doors.inside])
    mine = np.flatnonzero(np.isin(doors.van, vans))
    long_s = doors.stood_s - UNSAID_S
    said = _said(long_s)
    speaks = (said - _said(long_s - fix.seconds[doors.van]))[mine]
    squared = (fix.x_m[doors.van] - doors.x_m) ** 2 + (fix.y_m[doors.van] - doors.y_m) ** 2
    enters = exp(said - _out_of_turn(new, doors) - squared * (0.5 / fix.sigma_m[doors.van] ** 2))
    starts = np.searchsorted(doors.van[mine], vans)
    on = new["on"][doors.van[mine]]
    own = (on["along_m"] >= doors.low_m[mine, None]) & (on["along_m"] <= doors.high_m[mine, None])
    speaks = speaks[starts] + np.maximum.reduceat(_walked(on, own, doors, mine, fix), starts)
    row = np.searchsorted(vans, doors.van[mine])
    pulled = _Pulled(new, offset_m, vans, _without(own, doors, mine, fix, starts, row), speaks)
    places = np.stack((doors.along_m[mine], doors.x_m[mine], doors.y_m[mine], np.sqrt(squared[mine])))
    weight = np.where((doors.inside & doors.may_enter)[mine], enters[mine], 0.0) * pulled.rest[row]
    nth = np.arange(len(mine)) - starts[row]
    for k in range(int(nth.max()) + 1):
        some = np.flatnonzero((nth == k) & (weight >= LEAST_WEIGHT))
        pulled.to_doors(row[some], places[:, some], weight[some])
    pulled.put(new, offset_m)


def _said(long_s: Floats) -> Floats:
    """Tell how much standing for so long speaks against having no stop there, a logarithm."""
    return np.minimum(np.maximum(long_s, 0.0) / DOOR_S, SURELY)


def _walked(on: Rows, own: Bools, doors: Doors, mine: Ints, fix: Fix) -> Floats:
    """Tell how much likelier fixes are of drivers who walk from the van to a door: (d,) logarithms.

    Args:
        on: (d, HYPOTHESES) of the van of each of d of the doors.
        own: (d, HYPOTHESES) which of them may have that door's stop.
        mine: (d,) which doors.
    """
    may = own & (on["weight"] > 0)
    heaviest = on[np.arange(len(mine)), np.argmax(may, axis=1)]
    van = doors.van[mine]
    x_m, y_m = heaviest["x_m"].astype(np.float64), heaviest["y_m"].astype(np.float64)
    dx, dy = doors.door_x_m[mine] - x_m, doors.door_y_m[mine] - y_m
    px, py = fix.x_m[van] - x_m, fix.y_m[van] - y_m
    part = np.clip((px * dx + py * dy) / np.maximum(dx * dx + dy * dy, 1.0), 0.0, 1.0)
    beside = (px - part * dx) ** 2 + (py - part * dy) ** 2
    weighed = 0.5 / fix.sigma_m[van] ** 2
    stayed, walked = (np.minimum(squared * weighed, FAR_COST + NEAR_GAIN) for squared in (px * px + py * py, beside))
    enters = doors.inside[mine] & doors.may_enter[mine] & may.any(axis=1)
    return np.where(enters, np.maximum((stayed - walked) * fix.full[van], 0.0), 0.0)


def _without(own: Bools, doors: Doors, mine: Ints, fix: Fix, starts: Ints, row: Ints) -> Floats:
    """Tell how little of a door each hypothesis has: (v, HYPOTHESES), 1: none, 0: the nearest.

    Args:
        own, mine: as above.
        starts: (v,) where the doors of each van begin.
        row: (d,) of which of the vans each door is.
    """
    squared = (fix.x_m[doors.van] - doors.door_x_m) ** 2 + (fix.y_m[doors.van] - doors.door_y_m) ** 2
    nearest = np.minimum.reduceat(np.where(doors.inside[mine], squared[mine], np.inf), starts)
    farther = np.maximum(squared[mine] - nearest[row], 0.0) * (0.5 / (NEARER_DOOR_M * NEARER_DOOR_M * SURELY))
    lacks = np.where(own, np.minimum(farther, 1.0)[:, None], 1.0)
    return np.minimum.reduceat(lacks, starts, axis=0)


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


class _Pulled:
    """The hypotheses of v vans inside the fences of doors, while they are weighed.

    Attributes:
        rest: (v,) weight of all that have no door, the one off the path included.
    """

    def __init__(self, new: Rows, offset_m: Floats, vans: Ints, without: Floats, speaks: Floats) -> None:
        """Let those without a door, or with a farther one, lose weight.

        Args:
            without: (v, HYPOTHESES) as `_without` gives it.
            speaks: (v,) how much the fix speaks against having no door, a logarithm.
        """
        on = new["on"][vans]
        self._vans, self._off = vans, exp(-speaks) * new["off_weight"][vans]
        self._table = np.stack((on["along_m"], on["x_m"], on["y_m"], offset_m[vans]))
        self._weight = exp(-(without * speaks[:, None])) * on["weight"]
        self.rest = _sum(without * self._weight) + self._off

    def to_doors(self, row: Ints, places: Floats, least: Floats) -> None:
        """Let a door of each of some vans have no less weight than that.

        Args:
            row: (d,) of which van, each at most once.
            places: (4, d) along_m, x_m, y_m and offset_m of the doors.
            least: (d,) weight.
        """
        apart_m = np.abs(self._table[0, row] - places[0][:, None])
        near = np.where(apart_m <= STOP_SLACK_M, self._weight[row], 0.0)
        lacks = least - _sum(near)
        short = np.flatnonzero(lacks > 0)
        row, near, lacks, places = row[short], near[short], lacks[short], places[:, short]
        best = np.argmin(np.where(near > 0, apart_m[short], np.inf), axis=1)
        anew = np.flatnonzero(near[np.arange(len(row)), best] == 0)
        best[anew] = np.argmin(self._weight[row[anew]], axis=1)
        self._weight[row[anew], best[anew]] = 0.0
        self._table[:, row[anew], best[anew]] = places[:, anew]
        self._weight[row, best] += lacks

    def put(self, new: Rows, offset_m: Floats) -> None:
        """Write what they weigh now, the heaviest first."""
        total = _sum(self._weight) + self._off
        order = np.argsort(-self._weight, axis=1, kind="stable")
        table = np.take_along_axis(self._table, order[None], 2)
        for name, column in zip(("along_m", "x_m", "y_m"), table, strict=False):
            new["on"][name][self._vans] = column
        offset_m[self._vans] = table[3]
        new["on"]["weight"][self._vans] = np.take_along_axis(self._weight, order, 1) / total[:, None]
        new["off_weight"][self._vans] = self._off / total


def _sum(weight: Floats) -> Floats:
    """Add up the weights of each van, in one order whatever the batch."""
    total: Floats = np.cumsum(weight, axis=1)[:, -1]
    return total
