"""Re-runs that take more than one take: the feed hears of them when the fold is past where it had been.

Said take by take, a fact that another ping makes known now would be taken back and asserted again, and what was said
twice of one thing would be said twice again. So what happens on the way is kept beside the track, in the same
transaction, and compared with the feed as if one take had folded it all.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from geo.fold import fold
from geo.pings import Ints, Rows
from ingest.drivers.drivers import Drivers, Progress
from ingest.track.batch import Again, Batch
from sql.feed.facts import Stretch
from sql.pool import Db
from sql.track import reruns
from sql.track.reruns import Part, Rerun


async def under_way(db: Db, drivers: Drivers, behind: Ints) -> dict[int, Rerun]:
    """Read the re-runs of those who are behind, by their entries in the drivers."""
    if not len(behind):
        return {}
    found = await reruns.reruns_under_way(db, drivers.lanes[behind].tolist(), drivers.ids[behind].tolist())
    return {i: found[driver_id] for i in behind.tolist() if (driver_id := int(drivers.ids[i])) in found}


def may_go_back(progress: Progress, behind: Ints, under_way: Mapping[int, Rerun]) -> Ints:
    """Choose who begins a re-run. One under way is finished first, so that its facts come to be told."""
    return np.array(
        [
            i
            for i in behind[progress.goes_back[behind]].tolist()
            if (rerun := under_way.get(i)) is None or rerun.at_once or progress.tracks["at_ms"][i] < rerun.after_ms
        ],
        np.int64,
    )


async def drop_what_is_folded_again(db: Db, drivers: Drivers, tracks: Rows, back: Ints) -> None:
    """Forget what was kept of after the places that drivers have gone back to."""
    at_ms = tracks["at_ms"][back].tolist()
    await reruns.drop_reruns_from(db, drivers.lanes[back].tolist(), drivers.ids[back].tolist(), at_ms)


async def tell_or_keep(db: Db, batch: Batch) -> tuple[Rows, list[Stretch]]:
    """Keep what happened in re-runs that have not come to their goal; give back what may be told.

    Returns:
        What happened, of dtype `geo.fold.fold.HAPPENED`, with what was kept of before, and in which stretches.
    """
    drivers, again, happened = batch.drivers, batch.again, batch.the_folded().facts.happened
    if not again.stretches:
        return happened, []
    tell = {
        i: _with_what_was_kept(stretch, again.reruns.get(i))
        for i, stretch in again.stretches.items()
        if _is_over(again, i) or again.reruns[i].parts >= batch.known.limits.parts
    }
    mine = _by_track(happened)
    keep = [
        Part(
            lane=int(drivers.lanes[i]),
            driver_id=stretch.driver_id,
            after_ms=stretch.until_ms if i in tell else stretch.after_ms,
            goal_ms=again.reruns[i].goal_ms,
            happened=b"" if i in tell else fold.encode_happened(mine(i)),
        )
        for i, stretch in again.stretches.items()
        if not _is_over(again, i)
    ]
    before = await _pop(db, drivers, [i for i in tell if i in again.reruns and again.reruns[i].parts])
    if keep:
        await reruns.put_reruns(db, keep)
    kept = np.isin(happened["track"], [i for i in again.stretches if i not in tell])
    return np.concatenate((before, happened[~kept])), list(tell.values())


def _is_over(again: Again, i: int) -> bool:
    """Tell whether a driver's stretch ends in this take: no re-run is under way, or it has come to its goal."""
    rerun = again.reruns.get(i)
    return rerun is None or bool(again.settles[i]) or again.stretches[i].until_ms > rerun.goal_ms


def _with_what_was_kept(stretch: Stretch, rerun: Rerun | None) -> Stretch:
    return stretch if rerun is None else replace(stretch, after_ms=rerun.after_ms)


def _by_track(happened: Rows) -> Callable[[int], Rows]:
    """Give what happened to one track after the other, without looking through all of it for each."""
    order = np.argsort(happened["track"], kind="stable")
    track = happened["track"][order]

    def of(i: int) -> Rows:
        return happened[order[np.searchsorted(track, i, "left") : np.searchsorted(track, i, "right")]]

    return of


async def _pop(db: Db, drivers: Drivers, which: list[int]) -> Rows:
    parts = [np.zeros(0, fold.HAPPENED)]
    if which:
        for driver_id, happened in await reruns.pop_reruns(
            db, drivers.lanes[which].tolist(), drivers.ids[which].tolist()
        ):
            part = fold.decode_happened(happened)
            part["track"] = np.searchsorted(drivers.ids, driver_id)
            parts.append(part)
    return np.concatenate(parts)
