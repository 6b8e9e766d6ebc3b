"""The fold: where every driver is on their tour, ping by ping.

`advance` is the one function that live tracking, re-runs, replay, tests and the simulator share. It sees no clock, no
`received_at` and no border of a batch: the same inputs in any batches give the same history. Inputs of a driver are
pings and claims (what the driver said), in the order of their times, a ping before a claim of the same millisecond.
`tick` holds what depends on the clock.
"""

from collections.abc import Sequence

import numpy as np

from geo.fold.drive import Driven, drive
from geo.fold.numbers import SILENT_MS
from geo.fold.state import (
    STATE_VERSION,
    TRACK,
    decode,
    decode_happened,
    encode,
    encode_happened,
    fresh,
    of_records,
    records_of,
    stored,
)
from geo.pings import UNKNOWN_MS, Bools, Ints, Pings, Rows, copied
from geo.plan.facts import HAPPENED, JUDGED, REJUDGED, Facts, FactType
from geo.plan.passages import Moves, Passage, follow
from geo.plan.plans import Timeline
from geo.trust import clean
from geo.trust.fixes import Fixes, check, fixes_of, move_position

__all__ = [
    "HAPPENED", "JUDGED", "REJUDGED", "STATE_VERSION", "TRACK", "FactType", "Facts",
    "advance", "decode", "decode_happened", "encode", "encode_happened", "fresh", "of_records", "records_of", "stored",
    "tick",
]  # fmt: skip


def advance(
    tracks: Rows, pings: Pings, timelines: Sequence[Timeline], settles: Bools | None = None
) -> tuple[Rows, Facts]:
    """Fold pings, and the claims before and between them, into tracks.

    Each ping is judged (`clean`). The believed ones go, the k-th of all drivers at a time, to their place along the
    path (`snap`), the stops (`stops`) and the tour (`tour`), then to the fences (`geo.plan.passages`). A claim
    (`claims`) is folded before the first ping recorded after it.

    Args:
        tracks: (m,) of dtype `TRACK`, one a driver, driver_id ascending and unique. Not changed.
        pings: (n,) in the order of `geo.pings.in_order`; every driver occurs in `tracks`; each driver's first ping
            comes after that track's position in the total order.
        timelines: (m,) the plans, claims and fences of each track's driver; claims up to a track's position are there
            already and left alone.
        settles: (m,) of whom no ping waits: the claims after the last ping are folded too, and a ping recorded up to
            the last of them is late from then on. None: of nobody.

    Returns:
        New tracks (m,), and what follows. A ping that is CLOCK_AHEAD is judged and changes nothing, not even the
        position.

    Raises:
        ValueError: the columns differ in length, or pings are not in order.
    """
    rows = pings.rows
    starts = check(tracks, rows, timelines)
    new = copied(tracks)
    new["clean"], flags, again, gave_way = clean.judge(
        tracks["clean"], tracks, rows, starts, [timeline.ended_ms for timeline in timelines]
    )
    judged = np.zeros(len(rows), JUDGED)
    judged["flags"] = flags
    judged["along_m"] = judged["offset_m"] = np.nan

    fixes = fixes_of(tracks, rows, starts, flags, again)
    move_position(new, rows, starts, flags)
    driven = drive(new, tracks, fixes, timelines, np.zeros(len(tracks), np.bool_) if settles is None else settles)
    driven.diary.passed(_follow(new, tracks, fixes, timelines))

    live = fixes.source == fixes.ping  # the others were suspects: their second judgement goes into `rejudged`
    judged[fixes.ping[live]] = driven.judged[live]
    _name_route_of_unbelieved(judged, rows, starts, tracks, fixes, driven)
    rejudged = np.zeros(np.count_nonzero(~live), REJUDGED)
    for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6"):
        rejudged[name] = fixes.rows[name][~live]
    rejudged["track"], rejudged["judged"] = fixes.driver[~live], driven.judged[~live]

    happened = driven.diary.in_order(fixes, driven.judged)
    if gave_way:
        happened = _with_phones(happened, gave_way, rows, starts)
    return new, Facts(judged, rejudged, happened)


def tick(tracks: Rows, silent: Bools, now_ms: int, *, silent_after_ms: int = SILENT_MS) -> Rows:
    """Tell who fell silent or was heard again.

    Args:
        tracks: (m,) of dtype `TRACK`.
        silent: (m,) whom we hold for silent.
        now_ms: our clock.
        silent_after_ms: how long without a believed ping is silence.

    Returns:
        (h,) of dtype `HAPPENED`: DRIVER_SILENT for drivers on a route of whom nothing believable was received for
        longer, DRIVER_SEEN for those who are silent no longer.
    """
    quiet = (tracks["recorded_ms"] != UNKNOWN_MS) & (now_ms - tracks["received_ms"] > silent_after_ms)
    fell, seen = quiet & ~silent & (tracks["route_id"] != 0), silent & ~quiet
    which = np.flatnonzero(fell | seen)
    happened = np.zeros(len(which), HAPPENED)
    happened["track"] = which
    happened["type"] = np.where(fell[which], FactType.DRIVER_SILENT, FactType.DRIVER_SEEN)
    for name in ("folded_ms", "occurred_ms", "ordinal"):
        happened[name] = tracks["recorded_ms"][which]
    for name in ("route_id", "route_version", "offset_m", "lat_e6", "lon_e6"):
        happened[name] = tracks[name][which]
    happened["along_m"] = np.where(tracks["on_route"][which], tracks["along_m"][which], np.nan)
    return happened


def _with_phones(happened: Rows, gave_way: Sequence[clean.GaveWay], rows: Rows, starts: Ints) -> Rows:
    """Add which phones were the active ones no more, each in its place."""
    which = np.array([one.row for one in gave_way])
    phones = np.zeros(len(gave_way), HAPPENED)
    phones["track"], phones["folded_ms"] = np.searchsorted(starts, which, "right") - 1, rows["recorded_ms"][which]
    phones["type"], phones["device_id"] = FactType.PHONE_ENDED, [one.device_id for one in gave_way]
    phones["source"] = [one.shut_out for one in gave_way]
    phones["occurred_ms"] = phones["ordinal"] = [one.at_ms for one in gave_way]
    phones["along_m"] = phones["offset_m"] = np.nan
    both = np.concatenate((happened, phones))
    return both[np.lexsort((both["folded_ms"], both["track"]))]


def _follow(new: Rows, tracks: Rows, fixes: Fixes, timelines: Sequence[Timeline]) -> list[Passage]:
    moves = Moves(
        starts=fixes.starts,
        ms=fixes.rows["recorded_ms"],
        lon=fixes.rows["lon_e6"] * 1e-6,
        lat=fixes.rows["lat_e6"] * 1e-6,
        accuracy_m=fixes.rows["accuracy_m"].astype(np.float64),
        speed_mps=fixes.rows["speed_mps"].astype(np.float64),
        last_ms=tracks["recorded_ms"],
        last_lon=tracks["lon_e6"] * 1e-6,
        last_lat=tracks["lat_e6"] * 1e-6,
    )
    before = tracks["fences"]
    visited, passages = follow(before, [timeline.fences for timeline in timelines], moves)
    if visited is not before:
        new["fences"] = visited
    return passages


def _name_route_of_unbelieved(
    judged: Rows, rows: Rows, starts: Ints, tracks: Rows, fixes: Fixes, driven: Driven
) -> None:
    """A ping that moves nothing counts to the route its driver was on; one whose clock is ahead to none."""
    lost = np.flatnonzero((judged["flags"] & int(clean.UNBELIEVED)) != 0)
    if not len(lost):
        return
    van = np.repeat(np.arange(len(tracks)), np.diff(starts))[lost]
    before = np.searchsorted(fixes.ping, lost) - 1
    known = before >= 0
    known[known] = fixes.driver[before[known]] == van[known]
    since_ms = np.where(known, fixes.known_ms[np.maximum(before, 0)] if len(fixes.ping) else 0, UNKNOWN_MS)
    route = {name: tracks[name][van] for name in ("route_id", "route_version")}
    for name, value in route.items():
        value[known] = driven.judged[name][before[known]]
    for said in driven.diary.said:
        heard = (van == said.van) & (rows["recorded_ms"][lost] > said.claim.at_ms) & (since_ms <= said.claim.at_ms)
        route["route_id"][heard], route["route_version"][heard] = said.route_id, said.route_version
    for name, value in route.items():
        judged[name][lost] = np.where(judged["flags"][lost] & int(clean.Flag.CLOCK_AHEAD), 0, value)
