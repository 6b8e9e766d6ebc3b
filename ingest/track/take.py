"""One take of the tracker: blocks of locked lanes become pings, tracks and what follows, all in one transaction.

The order of the steps is design, each an answer to a failure that was seen; docs/explanation/tracker.md tells them.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

import asyncpg
import numpy as np

from geo.fold import fold
from geo.fold.clean import Flag
from geo.pings import UNKNOWN_MS, Bools, Ints, Pings, Rows, in_order
from geo.plan.plans import FOREVER_MS
from geo.times import ms_of
from ingest.config import IngestConfig
from ingest.drivers.cache import Drivers, TrackCache
from ingest.drivers.plans import PlanCache
from ingest.track import reruns
from ingest.track.follow import follow
from ingest.track.held import hold_back
from ingest.track.isolate import advance_what_can, ping_that_broke_the_fold
from sql.feed.facts import Stretch, begins_before
from sql.pool import Connection
from sql.track import folds as tracks
from sql.track import pings as stored_pings
from sql.track.claims import first_claims
from sql.track.partitions import partition_days
from sql.track.quarantine import put_quarantined
from sql.track.reruns import Rerun

MOST_STEPS = 256
"""Pings folded of one driver in one take, and pings between two checkpoints, about."""

CATCHING_UP = 32
"""Drivers of one take who fold stored pings again; those whose new pings follow on are not counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """Pings as they came out of blocks, in that order, each with its driver's lane."""

    pings: Pings
    lanes: Ints

    def __len__(self) -> int:
        return len(self.pings)

    def take(self, which: Bools | Ints) -> "Sent":
        """Pick some."""
        return Sent(self.pings.take(which), self.lanes[which])


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """What is folded of those who are behind.

    Attributes:
        sent: stored pings.
        was: (n,) of dtype `sql.track.pings.STORED`, what they were judged to be.
        stretches: by entry in the drivers, what is about to be folded.
        begin_ms: by entry, of those who are folded from the start: when their first input was; missing without any.
        reruns: by entry, of those who have been here before.
        settles: (m,) of whom nothing but claims comes after.
    """

    sent: Sent
    was: Rows
    stretches: dict[int, Stretch]
    begin_ms: dict[int, int]
    reruns: dict[int, Rerun]
    settles: Bools


async def take(db: Connection, lanes: list[int], sent: Sent, cache: TrackCache, config: IngestConfig) -> Drivers:
    """Store pings, fold what can be folded, write what follows. Inside a transaction that holds the lanes.

    Returns:
        The drivers as they are once the transaction has committed.
    """
    every_s = config.rerun_every_s
    due = await tracks.unsettled_drivers(db, lanes, rerun_every_s=every_s, at_most=CATCHING_UP)
    lane_of = dict(zip(sent.pings.rows["driver_id"].tolist(), sent.lanes.tolist(), strict=True)) | due
    drivers = await cache.read(db, lanes, lane_of, rerun_every_s=every_s)
    kept = await hold_back(db, drivers, sent.pings, config)
    if kept is not sent.pings:
        sent = Sent(kept, drivers.lanes[drivers.index_of(kept.rows["driver_id"])])

    direct = await _store(db, drivers, _without_repeats(sent))
    again = await _read_again(db, drivers, _behind(drivers, direct))
    await _fold(db, drivers, cache.plans, direct, again, config)
    await _write_tracks(db, drivers)
    return drivers


def _without_repeats(sent: Sent) -> Sent:
    """Put pings in the order of history, the copies of each fix as one."""
    sent = sent.take(in_order(sent.pings.rows))
    rows = sent.pings.rows
    same = np.ones(max(len(rows) - 1, 0), bool)
    for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6"):
        same &= rows[name][1:] == rows[name][:-1]
    first = np.concatenate(([True], ~same)) if len(rows) else np.zeros(0, bool)
    kept = np.flatnonzero(first)
    for copy in np.flatnonzero(~first):  # few
        sent.pings.merge(int(kept[np.searchsorted(kept, copy) - 1]), int(copy))
    return sent.take(first)


async def _store(db: Connection, drivers: Drivers, sent: Sent) -> Sent:
    """Store what is not folded at once; return what follows on from a settled track: it is stored when it is judged."""
    rows = sent.pings.rows
    of = drivers.index_of(rows["driver_id"])
    recorded_ms = rows["recorded_ms"]
    foldable = (rows["flags"] & Flag.CLOCK_AHEAD) == 0
    # what a driver said may be folded past the last ping: one between is late, though none newer is stored
    maybe_there = (recorded_ms <= np.maximum(drivers.stored_ms, drivers.tracks["at_ms"])[of]) | ~foldable
    if maybe_there.any():
        late = sent.take(maybe_there)
        added = await stored_pings.add_late_pings(db, late.lanes, late.pings)
        for row in added:
            if not row["flags"] & Flag.CLOCK_AHEAD:
                _note_late(drivers, row)
        if len(added) < len(late):
            for row in await stored_pings.merge_pings(db, late.lanes, late.pings):
                _note_late(drivers, row)

    straight_on = ~maybe_there & drivers.settled[of]
    straight_on &= _first_steps(of, recorded_ms, straight_on)
    waiting = sent.take(~maybe_there & ~straight_on)
    if len(waiting):
        await stored_pings.copy_pings(db, waiting.lanes, waiting.pings, None)

    np.maximum.at(drivers.stored_ms, of, recorded_ms)
    np.maximum.at(drivers.head_ms, of[foldable], recorded_ms[foldable])
    return sent.take(straight_on)


def _note_late(drivers: Drivers, row: asyncpg.Record) -> None:
    """A past ping that is new or says another thing asks for a re-run; one past the fold's place waits its turn."""
    i = int(np.searchsorted(drivers.ids, row["driver_id"]))
    if row["recorded_ms"] <= drivers.tracks["at_ms"][i]:
        drivers.rerun_from_ms[i] = min(drivers.rerun_from_ms[i], row["recorded_ms"])
    drivers.head_ms[i] = max(drivers.head_ms[i], row["recorded_ms"])


def _first_steps(of: Ints, recorded_ms: Ints, wanted: Bools) -> Bools:
    """Mark the first `MOST_STEPS` wanted pings of each driver, never only a part of those of one millisecond."""
    marked = np.zeros(len(of), bool)
    places = np.flatnonzero(wanted)
    rank = np.arange(len(places)) - np.searchsorted(of[places], of[places], "left")
    marked[places[rank < MOST_STEPS]] = True
    for over in places[rank == MOST_STEPS]:
        marked &= ~((of == of[over]) & (recorded_ms >= recorded_ms[over]))
    return marked


def _behind(drivers: Drivers, direct: Sent) -> Ints:
    """Choose who folds stored pings in this take: any of those who are behind, so that nobody always waits."""
    at_ms = drivers.tracks["at_ms"]
    drivers.rerun_from_ms[at_ms < drivers.rerun_from_ms] = FOREVER_MS  # the fold comes there anyway
    behind = (at_ms < drivers.head_ms) | drivers.goes_back
    behind[drivers.index_of(direct.pings.rows["driver_id"])] = False
    chosen = random.sample(np.flatnonzero(behind).tolist(), min(CATCHING_UP, int(behind.sum())))
    return np.array(sorted(chosen), np.int64)


async def _read_again(db: Connection, drivers: Drivers, behind: Ints) -> Again:
    """Go back to a checkpoint where that is asked for, and read the next stored pings of those who are behind."""
    under_way = await reruns.under_way(db, drivers, behind)
    back = reruns.may_go_back(drivers, behind, under_way)
    if len(back):
        await _go_back(db, drivers, back)
    if not under_way.keys().isdisjoint(back.tolist()):
        await reruns.drop_what_is_folded_again(db, drivers, back)
    after_ms = drivers.tracks["at_ms"][behind].tolist()
    pings, was = await stored_pings.pings_after(
        db, drivers.lanes[behind], drivers.tracks[behind], at_most=MOST_STEPS + 1
    )
    order = in_order(pings.rows)
    pings, was = pings.take(order), was[order]
    of = drivers.index_of(pings.rows["driver_id"])
    now = _first_steps(of, pings.rows["recorded_ms"], np.ones(len(of), bool))
    found = np.bincount(of, minlength=len(drivers))
    stretches = {}
    settles = np.zeros(len(drivers), bool)
    for i, after in zip(behind.tolist(), after_ms, strict=True):
        mine = of == i
        settles[i] = found[i] <= MOST_STEPS
        if not settles[i] and not (mine & now).any():  # more pings in one millisecond than a take has steps
            now |= mine
        until = FOREVER_MS if settles[i] else int(pings.rows["recorded_ms"][mine & now][-1])
        if settles[i]:
            drivers.head_ms[i] = pings.rows["recorded_ms"][mine][-1] if mine.any() else drivers.tracks["at_ms"][i]
        else:  # there are more, if only in the same millisecond
            drivers.head_ms[i] = max(drivers.head_ms[i], until + 1)
        stretches[i] = Stretch(driver_id=int(drivers.ids[i]), after_ms=after, until_ms=until)
    begin_ms = await _begin_history(db, drivers, stretches, pings.rows)
    again = {i: _rerun(drivers, i, stretches[i], under_way.get(i)) for i in {*back.tolist(), *under_way}}
    sent = Sent(pings.take(now), was["lane"][now].astype(np.int64))
    return Again(sent, was[now], stretches, begin_ms, again, settles)


def _rerun(drivers: Drivers, i: int, stretch: Stretch, before: Rerun | None) -> Rerun:
    """Say what becomes of a re-run: it begins where it began, or where it has gone back to now."""
    folded_ms = drivers.rows[i].folded_ms
    if before is None:
        return Rerun(after_ms=stretch.after_ms, goal_ms=folded_ms)
    goal_ms = max(before.goal_ms, folded_ms)
    return replace(before, after_ms=min(before.after_ms, stretch.after_ms), goal_ms=goal_ms)


async def _begin_history(db: Connection, drivers: Drivers, stretches: dict[int, Stretch], rows: Rows) -> dict[int, int]:
    """Find the first inputs of those who are folded from the start.

    What is older than the oldest ping that is kept is past its retention, and stays as it was.
    """
    new = [i for i, stretch in stretches.items() if stretch.after_ms == UNKNOWN_MS]
    if not new:
        return {}
    days = await partition_days(db)
    kept_ms = ms_of(datetime.combine(days[0], time(), UTC)) if days else 0  # there are none
    said_ms = await first_claims(db, drivers.ids[new].tolist(), since_ms=kept_ms)
    begin_ms = {}
    for i in new:
        stretches[i] = replace(stretches[i], after_ms=kept_ms - 1)
        mine = rows["recorded_ms"][rows["driver_id"] == drivers.ids[i]]
        first = [said_ms[stretches[i].driver_id]] if stretches[i].driver_id in said_ms else []
        if first or len(mine):
            begin_ms[i] = min(first + mine[:1].tolist())
    return begin_ms


async def _go_back(db: Connection, drivers: Drivers, back: Ints) -> None:
    lanes, ids = drivers.lanes[back].tolist(), drivers.ids[back].tolist()
    begin = await begins_before(db, dict(zip(ids, drivers.rerun_from_ms[back].tolist(), strict=True)))
    from_ms = [begin[driver_id] for driver_id in ids]
    states = await tracks.checkpoints_before(db, lanes, ids, from_ms)
    await tracks.drop_checkpoints_from(db, lanes, ids, from_ms)
    drivers.tracks[back] = fold.fresh(drivers.ids[back])
    for i in back.tolist():
        state = states.get(int(drivers.ids[i]))
        kept = None if state is None else fold.decode(state)
        if kept is not None:
            drivers.tracks[i] = kept
    drivers.rerun_from_ms[back] = FOREVER_MS
    drivers.began[back] = True
    drivers.unmarked[back] = 0
    await _doubt_again(db, drivers, back)


async def _doubt_again(db: Connection, drivers: Drivers, back: Ints) -> None:
    """Judge as it was at the checkpoint the ping that was a suspected jump there: later ones may have cleared it."""
    doubted = back[drivers.tracks["clean"]["suspect"]["recorded_ms"][back] != UNKNOWN_MS]
    if len(doubted):
        suspects = drivers.tracks["clean"]["suspect"][doubted]
        judged = np.zeros(len(doubted), fold.JUDGED)
        judged["flags"] = suspects["flags"]
        judged["along_m"] = judged["offset_m"] = np.nan
        for name in ("route_id", "route_version"):
            judged[name] = drivers.tracks[name][doubted]
        await stored_pings.judge_pings(db, drivers.lanes[doubted].tolist(), suspects, judged)


async def _fold(
    db: Connection,
    drivers: Drivers,
    plans: PlanCache,
    direct: Sent,
    again: Again,
    config: IngestConfig,
) -> None:
    """Fold both kinds in one call, store what was judged, write what follows."""
    pings = Pings.concat([direct.pings, again.sent.pings])
    lanes = np.concatenate((direct.lanes, again.sent.lanes))
    stored = np.arange(len(pings)) >= len(direct)
    order = in_order(pings.rows)
    pings, lanes, stored = pings.take(order), lanes[order], stored[order]
    before = np.zeros(len(pings), stored_pings.STORED)
    before[stored] = again.was[order[stored] - len(direct)]

    since_ms = drivers.tracks["recorded_ms"].copy()  # the plan shown, even when nothing was believed since
    since_ms[since_ms == UNKNOWN_MS] = drivers.tracks["at_ms"][since_ms == UNKNOWN_MS]
    since_ms[since_ms == UNKNOWN_MS] = FOREVER_MS
    for i, begin in again.begin_ms.items():
        since_ms[i] = begin
    np.minimum.at(since_ms, drivers.index_of(pings.rows["driver_id"]), pings.rows["recorded_ms"])
    timelines = await plans.timelines_of(db, drivers.rows, since_ms.tolist())

    moved, facts, bad = advance_what_can(drivers.tracks, pings, timelines, again.settles)
    if len(bad):
        await _set_aside(db, drivers, pings.take(bad), lanes[bad], stored[bad])
        good = np.delete(np.arange(len(pings)), bad)
        pings, lanes, stored, before = pings.take(good), lanes[good], stored[good], before[good]
    judged, earlier = _with_second_thoughts(pings.rows, facts)

    if (~stored).any():
        await stored_pings.copy_pings(db, lanes[~stored], pings.take(~stored), judged[~stored])
    other = stored & ~(before["was_judged"] & _same(before["judged"], judged))
    if other.any():
        await stored_pings.judge_pings(db, lanes[other].tolist(), pings.rows[other], judged[other])
    if len(earlier):
        await stored_pings.judge_pings(db, drivers.lanes[earlier["track"]].tolist(), earlier, earlier["judged"])

    folded = np.bincount(drivers.index_of(pings.rows["driver_id"]), minlength=len(drivers))
    touched = folded > 0
    touched[list(again.stretches)] = True
    drivers.tracks = moved
    drivers.head_ms[again.settles] = np.maximum(drivers.head_ms, moved["at_ms"])[again.settles]
    drivers.unmarked += folded
    if touched.any():
        happened, stretches = await reruns.tell_or_keep(
            db, drivers, again.reruns, again.stretches, again.settles, facts.happened
        )
        await follow(db, drivers, timelines, np.flatnonzero(touched), happened, stretches, config)


def _same(a: Rows, b: Rows) -> Bools:
    same = np.ones(len(a), bool)
    for name in a.dtype.names or ():
        same &= (a[name] == b[name]) | ((a[name] != a[name]) & (b[name] != b[name]))
    return same


def _with_second_thoughts(rows: Rows, facts: fold.Facts) -> tuple[Rows, Rows]:
    """Apply what later pings changed about earlier ones; give back those that are not among these."""
    if not len(facts.rejudged):
        return facts.judged, facts.rejudged
    key = ("device_id", "recorded_ms", "lat_e6", "lon_e6")
    place = {tuple(row): i for i, row in enumerate(zip(*(rows[name].tolist() for name in key), strict=True))}
    judged = facts.judged.copy()
    elsewhere = {}
    for i, again in enumerate(facts.rejudged):
        fix = tuple(again[name].item() for name in key)
        if fix in place:
            judged[place[fix]] = again["judged"]
        else:
            elsewhere[fix] = i
    return judged, facts.rejudged[list(elsewhere.values())]


async def _set_aside(db: Connection, drivers: Drivers, pings: Pings, lanes: Ints, stored: Bools) -> None:
    """Put pings that break the fold where an operator sees them."""
    accounts = drivers.accounts[drivers.index_of(pings.rows["driver_id"])]
    await put_quarantined(
        db,
        [ping_that_broke_the_fold(row, int(account)) for row, account in zip(pings.rows, accounts, strict=True)],
    )
    for row, lane, is_stored in zip(pings.rows, lanes.tolist(), stored.tolist(), strict=True):
        if is_stored:
            await stored_pings.remove_ping(db, lane, row)


async def _write_tracks(db: Connection, drivers: Drivers) -> None:
    states = [fold.encode(track) for track in drivers.tracks]
    mark = np.flatnonzero(drivers.unmarked >= MOST_STEPS)
    if len(mark):
        at_ms = drivers.tracks["at_ms"][mark]
        await tracks.put_checkpoints(
            db, drivers.lanes[mark].tolist(), drivers.ids[mark].tolist(), at_ms.tolist(), [states[i] for i in mark]
        )
        drivers.unmarked[mark] = 0
    await tracks.write_tracks(
        db,
        [
            tracks.TrackWrite(
                lane=row.lane,
                driver_id=row.driver_id,
                version=row.version,
                state=state,
                folded_ms=int(drivers.tracks["at_ms"][i]),
                head_ms=int(drivers.head_ms[i]),
                stored_ms=int(drivers.stored_ms[i]),
                rerun_from_ms=None if drivers.rerun_from_ms[i] == FOREVER_MS else int(drivers.rerun_from_ms[i]),
                rerun_began=bool(drivers.began[i]),
                unmarked=int(drivers.unmarked[i]),
            )
            for i, (row, state) in enumerate(zip(drivers.rows, states, strict=True))
        ],
    )
