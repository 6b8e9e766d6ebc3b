"""Which geofences drivers enter, leave, dwell in and drive through, from their believed fixes.

A fence is entered when a fix is clearly inside or two in a row are inside at all, left as `geo.plan.border` tells: a
phone lying on the border does not flap. One driven through between two pings is crossed.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np

from geo.numbers import UNSAID_AT_FENCE_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows, copied
from geo.plan.border import AtBorder, Border
from geo.plan.facts import FactType
from geo.plan.fence import FENCE_VISIT, Fences
from geo.plan.numbers import (
    DEG_M,
    MAX_OPEN,
    STRAIGHT_EAST_DEG,
    STRAIGHT_MS,
    STRAIGHT_NORTH_DEG,
)
from geo.shape import plane


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moves:
    """Believed fixes of many drivers.

    Attributes:
        starts: (m + 1,) where each driver's fixes begin.
        ms, lon, lat: (n,) fixes, each driver's in order.
        accuracy_m, speed_mps: (n,) NaN where the phone did not say.
        last_ms, last_lon, last_lat: (m,) each driver's last believed fix before; UNKNOWN_MS for none.
    """

    starts: Ints
    ms: Ints
    lon: Floats
    lat: Floats
    accuracy_m: Floats
    speed_mps: Floats
    last_ms: Ints
    last_lon: Floats
    last_lat: Floats


@dataclass(frozen=True, slots=True)
class Passage:
    """One fact about a driver and a fence.

    Attributes:
        fix: row of the fix that made it known.
        type: FENCE_ENTERED, FENCE_EXITED, FENCE_CROSSED or FENCE_DWELLED.
        geofence_id: which.
        occurred_ms: when.
        ordinal: when it was entered, ms.
    """

    fix: int
    type: FactType
    geofence_id: int
    occurred_ms: int
    ordinal: int


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """The way to each fix from the one before.

    Attributes:
        driver: (n,) whose.
        from_ms: (n,) when it began; UNKNOWN_MS: there is no fix before.
        straight: (n,) whether a straight line says anything about it.
        east, north: (n,) where it leads back to, degrees from the fix; 0 where no straight line does.
    """

    driver: Ints
    from_ms: Ints
    straight: Bools
    east: Floats
    north: Floats


def follow(memory: Rows, fences: Sequence[Fences], moves: Moves) -> tuple[Rows, list[Passage]]:
    """Follow believed fixes of many drivers through their fences.

    Args:
        memory: (m, MAX_OPEN) of dtype `FENCE_VISIT`. Not changed.
        fences: (m) each driver's; drivers of one account share one object.

    Returns:
        The new memory, the same one where nobody has fences; and what happened, driver by driver in order.
    """
    happened: list[Passage] = []
    accounts = _by_account(fences, moves.starts)
    if not accounts:
        return memory, happened
    memory = copied(memory)
    steps = _steps(moves)
    for rows in accounts:
        account = fences[rows[0]]
        mine = np.flatnonzero(np.isin(steps.driver, rows)) if len(accounts) > 1 else np.arange(len(moves.ms))
        pairs = _pairs(account, moves, steps, mine)
        near = set(steps.driver[np.array(list(pairs), np.int64)].tolist())
        for row in sorted(near | {row for row in rows if memory[row]["geofence_id"].any()}):
            visitor = _Visitor(account, memory[row])
            for fix in range(int(moves.starts[row]), int(moves.starts[row + 1])):
                if visitor.open or fix in pairs:
                    visitor.see(_fix(moves, steps, fix), pairs.get(fix, []))
            memory[row] = visitor.remember()
            happened += visitor.happened
    if len(accounts) > 1:
        happened.sort(key=lambda passage: passage.fix)
    return memory, happened


def _by_account(fences: Sequence[Fences], starts: Ints) -> list[list[int]]:
    """Put drivers together who have fixes and share fences."""
    accounts: dict[int, list[int]] = {}
    for row, account in enumerate(fences):
        if account.fences and starts[row + 1] > starts[row]:
            accounts.setdefault(id(account), []).append(row)
    return list(accounts.values())


def _steps(moves: Moves) -> _Steps:
    driver = np.repeat(np.arange(len(moves.last_ms)), np.diff(moves.starts))
    before = np.arange(-1, len(moves.ms) - 1)
    first = before + 1 == moves.starts[driver]
    from_ms = np.where(first, moves.last_ms[driver], moves.ms[before])
    from_lon = np.where(first, moves.last_lon[driver], moves.lon[before])
    from_lat = np.where(first, moves.last_lat[driver], moves.lat[before])
    known = from_ms != UNKNOWN_MS
    east = np.where(known, plane.wrap_deg(from_lon - moves.lon), 0.0)
    north = np.where(known, from_lat - moves.lat, 0.0)
    soon = moves.ms - np.where(known, from_ms, 0) <= STRAIGHT_MS
    straight = known & soon & (np.abs(east) < STRAIGHT_EAST_DEG) & (np.abs(north) < STRAIGHT_NORTH_DEG)
    return _Steps(driver, from_ms, straight, np.where(straight, east, 0.0), np.where(straight, north, 0.0))


def _pairs(account: Fences, moves: Moves, steps: _Steps, mine: Ints) -> dict[int, list[tuple[int, float]]]:
    """Find the fences near some fixes and the ways to them: by fix the row of each fence, and how far outside it is."""
    lon, lat, east, north = moves.lon[mine], moves.lat[mine], steps.east[mine], steps.north[mine]
    west_south = lon + np.minimum(east, 0), lat + np.minimum(north, 0)
    fix, fence = account.near(*west_south, lon + np.maximum(east, 0), lat + np.maximum(north, 0), moves.ms[mine])
    out_m = account.outside_m(fence, lon[fix], lat[fix])
    pairs: dict[int, list[tuple[int, float]]] = {}
    for i, row, out in zip(mine[fix].tolist(), fence.tolist(), out_m.tolist(), strict=True):
        pairs.setdefault(i, []).append((row, out))
    return pairs


def _fix(moves: Moves, steps: _Steps, row: int) -> AtBorder:
    accuracy_m = float(moves.accuracy_m[row])
    lat, way, moved_m = float(moves.lat[row]), None, math.inf
    if steps.straight[row]:
        way = float(steps.east[row]), float(steps.north[row])
        moved_m = DEG_M * math.hypot(way[0] * math.cos(math.radians(lat)), way[1])
    return AtBorder(
        row=row,
        ms=int(moves.ms[row]),
        lon=float(moves.lon[row]),
        lat=lat,
        accuracy_m=UNSAID_AT_FENCE_M if np.isnan(accuracy_m) else min(accuracy_m, VAGUEST_M),
        speed_mps=float(moves.speed_mps[row]),
        from_ms=int(steps.from_ms[row]),
        way=way,
        moved_m=moved_m,
    )


class _Visitor:
    """One driver among the fences of an account, fix by fix."""

    def __init__(self, account: Fences, memory: Rows) -> None:
        self.account = account
        self.happened: list[Passage] = []
        self.open: dict[int, Border] = {
            geofence_id: Border(*visit) for geofence_id, *visit in memory.tolist() if geofence_id
        }

    def remember(self) -> Rows:
        memory = np.zeros(MAX_OPEN, FENCE_VISIT)
        for slot, (geofence_id, visit) in enumerate(self.open.items()):
            memory[slot] = (geofence_id, *astuple(visit))
        return memory

    def see(self, fix: AtBorder, pairs: list[tuple[int, float]]) -> None:
        """Take one fix: `pairs` are the fences near it and how far outside it is."""
        near = {self.account.fences[row].geofence_id: (row, out_m) for row, out_m in pairs}
        was_open = set(self.open)
        for geofence_id, visit in list(self.open.items()):
            self._look_again(fix, geofence_id, visit, near.get(geofence_id))
        for geofence_id, (row, out_m) in near.items():
            if geofence_id in was_open:
                continue
            if out_m <= 0:
                self._enter(fix, row, geofence_id, out_m)
            else:
                self._cross(fix, row, geofence_id)

    def _look_again(self, fix: AtBorder, geofence_id: int, visit: Border, found: tuple[int, float] | None) -> None:
        """See whether a driver is still in a fence. `found`: its row, how far outside it is; None: it is not near."""
        if found is None:
            row = self.account.row_at(geofence_id, fix.ms)
            if row is None:
                self._leave(fix, geofence_id, visit, max(visit.inside_ms, self.account.ended_ms(geofence_id, fix.ms)))
                return
            place = np.array([row]), np.array([fix.lon]), np.array([fix.lat])
            found = row, float(self.account.outside_m(*place)[0])
        row, out_m = found
        if visit.look(fix, out_m):
            self._leave(fix, geofence_id, visit, visit.inside_ms)
        elif out_m <= 0:
            self._stay(fix.row, row, geofence_id, visit, sure=True)

    def _enter(self, fix: AtBorder, row: int, geofence_id: int, out_m: float) -> None:
        if len(self.open) < MAX_OPEN:
            self.open[geofence_id] = visit = Border(fix.ms, fix.ms, 0, False, False)
            visit.look(fix, out_m)
            self._stay(fix.row, row, geofence_id, visit, sure=out_m <= -fix.clearly_m)

    def _cross(self, fix: AtBorder, row: int, geofence_id: int) -> None:
        """See whether a driver who is outside drove through a fence on the way here."""
        if fix.way is None or not fix.moved:
            return
        # `part` counts from where the driver came from
        lon, lat = np.array([fix.lon + fix.way[0], fix.lon]), np.array([fix.lat + fix.way[1], fix.lat])
        part = self.account.crossing(row, lon, lat)
        if part is not None:
            at_ms = fix.from_ms + round(part * (fix.ms - fix.from_ms))
            self.happened.append(Passage(fix.row, FactType.FENCE_CROSSED, geofence_id, at_ms, at_ms))

    def _stay(self, fix: int, row: int, geofence_id: int, visit: Border, *, sure: bool) -> None:
        if sure and not visit.sure:
            visit.sure = True
            self.happened.append(Passage(fix, FactType.FENCE_ENTERED, geofence_id, visit.entered_ms, visit.entered_ms))
        dwell_s = self.account.fences[row].dwell_s
        if visit.sure and not visit.dwelled and dwell_s is not None:
            dwelled_ms = visit.entered_ms + round(dwell_s * 1000)
            if visit.inside_ms >= dwelled_ms:
                visit.dwelled = True
                self.happened.append(Passage(fix, FactType.FENCE_DWELLED, geofence_id, dwelled_ms, visit.entered_ms))

    def _leave(self, fix: AtBorder, geofence_id: int, visit: Border, left_ms: int) -> None:
        del self.open[geofence_id]
        if visit.sure:
            self._tell(fix, FactType.FENCE_EXITED, geofence_id, left_ms, visit.entered_ms)
        elif fix.moved:  # a single shallow fix inside: driven through
            self._tell(fix, FactType.FENCE_CROSSED, geofence_id, visit.entered_ms, visit.entered_ms)

    def _tell(self, fix: AtBorder, kind: FactType, geofence_id: int, at_ms: int, ordinal: int) -> None:
        self.happened.append(Passage(fix.row, kind, geofence_id, at_ms, ordinal))
