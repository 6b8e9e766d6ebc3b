"""The believed pings of a call in the order of folding, and the place of drivers in the order of inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from geo.pings import Floats, Ints, Rows, picked
from geo.plan.plans import Plan, Timeline
from geo.trust import clean


@dataclass(frozen=True, slots=True, eq=False)
class Fixes:
    """The believed pings of a call in the order of folding; a suspect just before the ping that clears it.

    Attributes:
        rows: (f,) of dtype `PING`.
        source: (f,) which ping of the call it is; -2 for a suspect from before.
        ping: (f,) the ping of the call that made it believed.
        driver: (f,) row in `tracks`.
        flags: (f,) of dtype int64, as judged now.
        known_ms: (f,) when each is folded: a suspect with the ping that clears it.
        starts: (m + 1,) where each driver's fixes begin.
    """

    rows: Rows
    source: Ints
    ping: Ints
    driver: Ints
    flags: Ints
    known_ms: Ints
    starts: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Here:
    """One fix each of n drivers who are on a plan.

    Attributes:
        plans: (n) which.
        ms: (n,) when, never before the fix before.
        x_m, y_m: (n,) where, metres on the plan's plane.
        accuracy_m, speed_mps, heading_deg: (n,) NaN where the phone did not say.
    """

    plans: Sequence[Plan]
    ms: Ints
    x_m: Floats
    y_m: Floats
    accuracy_m: Floats
    speed_mps: Floats
    heading_deg: Floats

    def rows_at(self, which: Sequence[int]) -> Self:
        """Pick some of them."""
        columns = {field.name: getattr(self, field.name)[which] for field in fields(self) if field.name != "plans"}
        return type(self)(plans=[self.plans[row] for row in which], **columns)


def check(tracks: Rows, rows: Rows, timelines: Sequence[Timeline]) -> Ints:
    """Find where each track's pings begin: (m + 1,).

    Raises:
        ValueError: tracks, pings or timelines do not fit each other, or pings are not in order.
    """
    m, n = len(tracks), len(rows)
    if len(timelines) != m:
        raise ValueError("tracks and timelines differ in length")
    if m and not (np.diff(tracks["driver_id"]) > 0).all():
        raise ValueError("tracks are not in the order of their drivers, each once")
    starts = np.append(np.searchsorted(rows["driver_id"], tracks["driver_id"], "left"), n).astype(np.int64)
    driver = np.repeat(np.arange(m), np.diff(starts))
    if len(driver) != n or not (tracks["driver_id"][driver] == rows["driver_id"]).all():
        raise ValueError("a ping's driver has no track, or pings are not driver by driver")
    if n:
        later, previous = np.zeros(n, np.bool_), np.arange(-1, n - 1)
        same = (driver == driver[previous]) & (previous >= 0)
        for name in ("device_id", "lon_e6", "lat_e6", "recorded_ms"):
            column = rows[name]
            before = np.where(
                same, column[previous], tracks[f"at_{name}" if name != "recorded_ms" else "at_ms"][driver]
            )
            later = (column > before) | ((column == before) & later)
        ahead = (rows["flags"] & clean.Flag.CLOCK_AHEAD) != 0
        if not (later | (ahead & ~same)).all():
            raise ValueError("pings are not in order, or not after their track's position")
    return starts


def fixes_of(tracks: Rows, rows: Rows, starts: Ints, flags: Ints, again: Ints) -> Fixes:
    """Pick the pings to fold.

    Args:
        flags, again: of each ping, as `geo.trust.clean.judge` gives them.
    """
    believed, cleared = np.flatnonzero((flags & clean.UNBELIEVED) == 0), np.flatnonzero(again != -1)
    driver = np.repeat(np.arange(len(tracks)), np.diff(starts))
    ping = np.concatenate((cleared, believed))
    source = np.concatenate((again[cleared], believed))
    order = np.argsort(ping, kind="stable")
    ping, source = ping[order], source[order]
    fixes, marks = picked(rows, np.maximum(source, 0)), flags[np.maximum(source, 0)]
    old = np.flatnonzero(source == -2)
    fixes[old] = tracks["clean"]["suspect"][driver[ping[old]]]
    marks[old] = fixes["flags"][old]
    at = np.searchsorted(driver[ping], np.arange(len(tracks) + 1))
    known_ms = rows["recorded_ms"][ping]
    return Fixes(fixes, source, ping, driver[ping], marks & ~int(clean.Flag.JUMP), known_ms, at)


def move_position(new: Rows, rows: Rows, starts: Ints, flags: Ints) -> None:
    """Remember the last ping of each driver as the last input."""
    counted = np.flatnonzero((flags & clean.Flag.CLOCK_AHEAD) == 0)
    last = np.searchsorted(counted, starts[1:]) - 1
    moved = (last >= 0) & (counted[last] >= starts[:-1]) if len(counted) else np.zeros(len(new), np.bool_)
    which = counted[last[moved]] if len(counted) else np.zeros(0, np.int64)
    for name, source in (
        ("at_ms", "recorded_ms"),
        ("at_lat_e6", "lat_e6"),
        ("at_lon_e6", "lon_e6"),
        ("at_device_id", "device_id"),
    ):
        new[name][moved] = rows[source][which]
