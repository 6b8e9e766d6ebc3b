"""Folded again: who goes back to a checkpoint, and the stored pings that are folded from there on."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np

from geo.fold import fold
from geo.pings import UNKNOWN_MS, Bools, Ints, Rows, in_order
from geo.plan.plans import FOREVER_MS
from geo.times import ms_of
from ingest.drivers.drivers import Drivers, Progress
from ingest.track import reruns
from ingest.track.batch import Again, Batch, Behind, Sent
from ingest.track.store import first_steps
from sql.feed.facts import Stretch, begins_before
from sql.pings.partitions import partition_days
from sql.pings.pings import judge_pings, pings_after
from sql.pool import Connection
from sql.track import folds
from sql.track.claims import first_claims
from sql.track.reruns import Rerun


async def go_back(db: Connection, batch: Batch) -> Batch:
    """Choose who folds stored pings in this take, and take those back to a checkpoint of whom that is asked."""
    drivers, progress = batch.drivers, batch.progress
    comes_there = progress.tracks["at_ms"] < progress.rerun_from_ms  # the fold does, anyway
    progress = replace(progress, rerun_from_ms=np.where(comes_there, FOREVER_MS, progress.rerun_from_ms))
    behind = _behind(drivers, progress, batch.sent, batch.known.limits.behind)
    under_way = await reruns.under_way(db, drivers, behind)
    back = reruns.may_go_back(progress, behind, under_way)
    if len(back):
        progress = await _to_checkpoints(db, drivers, progress, back)
        if not under_way.keys().isdisjoint(back.tolist()):
            await reruns.drop_what_is_folded_again(db, drivers, progress.tracks, back)
    return replace(batch, progress=progress, behind=Behind(entries=behind, back=back, under_way=under_way))


def _behind(drivers: Drivers, progress: Progress, sent: Sent, at_most: int) -> Ints:
    """Choose any of those who are behind, so that nobody always waits; who has new pings to fold is not."""
    behind = (progress.tracks["at_ms"] < progress.head_ms) | progress.goes_back
    behind[drivers.index_of(sent.pings.rows["driver_id"])] = False
    chosen = random.sample(np.flatnonzero(behind).tolist(), min(at_most, int(behind.sum())))
    return np.array(sorted(chosen), np.int64)


async def _to_checkpoints(db: Connection, drivers: Drivers, progress: Progress, back: Ints) -> Progress:
    lanes, ids = drivers.lanes[back].tolist(), drivers.ids[back].tolist()
    begin = await begins_before(db, dict(zip(ids, progress.rerun_from_ms[back].tolist(), strict=True)))
    from_ms = [begin[driver_id] for driver_id in ids]
    states = await folds.checkpoints_before(db, lanes, ids, from_ms)
    await folds.drop_checkpoints_from(db, lanes, ids, from_ms)
    tracks, rerun_from_ms = progress.tracks.copy(), progress.rerun_from_ms.copy()
    began, unmarked = progress.began.copy(), progress.unmarked.copy()
    tracks[back] = fold.fresh(drivers.ids[back])
    for i in back.tolist():
        state = states.get(int(drivers.ids[i]))
        kept = None if state is None else fold.decode(state)
        if kept is not None:
            tracks[i] = kept
    rerun_from_ms[back] = FOREVER_MS
    began[back] = True
    unmarked[back] = 0
    await _doubt_again(db, drivers, tracks, back)
    return replace(progress, tracks=tracks, rerun_from_ms=rerun_from_ms, began=began, unmarked=unmarked)


async def _doubt_again(db: Connection, drivers: Drivers, tracks: Rows, back: Ints) -> None:
    """Judge as it was at the checkpoint the ping that was a suspected jump there: later ones may have cleared it."""
    doubted = back[tracks["clean"]["suspect"]["recorded_ms"][back] != UNKNOWN_MS]
    if len(doubted):
        suspects = tracks["clean"]["suspect"][doubted]
        judged = np.zeros(len(doubted), fold.JUDGED)
        judged["flags"] = suspects["flags"]
        judged["along_m"] = judged["offset_m"] = np.nan
        for name in ("route_id", "route_version"):
            judged[name] = tracks[name][doubted]
        await judge_pings(db, suspects, judged)


async def read_again(db: Connection, batch: Batch) -> Batch:
    """Read the next stored pings of those who are behind, and say what is folded of each."""
    drivers, progress, behind = batch.drivers, batch.progress, batch.behind.entries
    if not len(behind):
        return batch
    most = batch.known.limits.steps
    after_ms = progress.tracks["at_ms"][behind]
    pings, was = await pings_after(db, drivers.lanes[behind], progress.tracks[behind], at_most=most + 1)
    order = in_order(pings.rows)
    pings, was = pings.rows_at(order), was[order]
    recorded_ms = pings.rows["recorded_ms"]
    of = drivers.index_of(pings.rows["driver_id"])
    begin, end = np.searchsorted(of, behind, "left"), np.searchsorted(of, behind, "right")
    now, last = next_steps(of, recorded_ms, begin, end, most)

    is_last = end - begin <= most
    settles = np.zeros(len(drivers), bool)
    settles[behind] = is_last
    last_ms = np.array([recorded_ms[one - 1] if one else UNKNOWN_MS for one in last], np.int64)
    until_ms = np.where(is_last, FOREVER_MS, last_ms)
    head_ms = progress.head_ms.copy()
    # of those who do not settle there are more, if only in the same millisecond
    head_ms[behind] = np.where(
        is_last, np.where(end > begin, last_ms, after_ms), np.maximum(head_ms[behind], last_ms + 1)
    )
    stretches = {
        i: Stretch(driver_id=int(drivers.ids[i]), after_ms=after, until_ms=until)
        for i, after, until in zip(behind.tolist(), after_ms.tolist(), until_ms.tolist(), strict=True)
    }
    first_ms = {
        i: int(recorded_ms[b]) for i, b, e in zip(behind.tolist(), begin.tolist(), end.tolist(), strict=True) if b < e
    }
    stretches, begin_ms = await _begin_history(db, stretches, first_ms)
    again = Again(
        sent=Sent(pings.rows_at(now), was["lane"][now].astype(np.int64)),
        was=was[now],
        stretches=stretches,
        begin_ms=begin_ms,
        reruns=_reruns(drivers, batch.behind, stretches),
        settles=settles,
    )
    return replace(batch, again=again, progress=replace(progress, head_ms=head_ms))


def next_steps(of: Ints, recorded_ms: Ints, begin: Ints, end: Ints, at_most: int) -> tuple[Bools, Sequence[int]]:
    """Choose the pings to fold now of those read.

    Args:
        of: (n,) whose each is, ascending.
        recorded_ms: (n,) ascending for each driver.
        begin, end: (m,) where the pings of each driver begin and end; of a driver with more than `at_most` there are
            more to come.

    Returns:
        (n,) which they are; and (m) behind the last of each driver's, 0 of those without any.
    """
    now = first_steps(of, recorded_ms, np.ones(len(of), bool), at_most)
    last = []
    for b, e in zip(begin.tolist(), end.tolist(), strict=True):
        if e - b > at_most and not now[b:e].any():  # more pings in one millisecond than a take has steps
            now[b:e] = True
        last.append(b + int(np.count_nonzero(now[b:e])) if b < e else 0)
    return now, last


def _reruns(drivers: Drivers, behind: Behind, stretches: Mapping[int, Stretch]) -> dict[int, Rerun]:
    """Say what becomes of re-runs: each begins where it began, or where it has gone back to now."""
    found = {}
    for i in {*behind.back.tolist(), *behind.under_way}:
        before, after_ms, folded_ms = behind.under_way.get(i), stretches[i].after_ms, drivers.rows[i].folded_ms
        if before is None:
            found[i] = Rerun(after_ms=after_ms, goal_ms=folded_ms)
        else:
            found[i] = replace(before, after_ms=min(before.after_ms, after_ms), goal_ms=max(before.goal_ms, folded_ms))
    return found


async def _begin_history(
    db: Connection, stretches: Mapping[int, Stretch], first_ms: Mapping[int, int]
) -> tuple[dict[int, Stretch], dict[int, int]]:
    """Find the first inputs of those who are folded from the start.

    What is older than the oldest ping that is kept is past its retention, and stays as it was.
    """
    new = {i: stretch for i, stretch in stretches.items() if stretch.after_ms == UNKNOWN_MS}
    if not new:
        return dict(stretches), {}
    days = await partition_days(db)
    kept_ms = ms_of(datetime.combine(days[0], time(), UTC)) if days else 0  # there are none
    said_ms = await first_claims(db, [stretch.driver_id for stretch in new.values()], since_ms=kept_ms)
    begin_ms = {}
    for i, stretch in new.items():
        inputs = [ms for ms in (said_ms.get(stretch.driver_id), first_ms.get(i)) if ms is not None]
        if inputs:
            begin_ms[i] = min(inputs)
    return {**stretches, **{i: replace(one, after_ms=kept_ms - 1) for i, one in new.items()}}, begin_ms
