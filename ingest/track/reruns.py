"""Re-runs that take more than one take: the feed hears of them when the fold is past where it had been.

Said take by take, a fact that another ping makes known now would be taken back and asserted again, and what was said
twice of one thing would be said twice again. So what happens on the way is kept beside the track, in the same
transaction, and compared with the feed as if one take had folded it all.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from geo.fold import fold
from geo.pings import Bools, Ints, Rows
from ingest.drivers.cache import Drivers
from sql.feed.facts import Stretch
from sql.pool import Db
from sql.track import reruns
from sql.track.reruns import Part, Rerun

MOST_PARTS = 256
"""Takes whose facts are told together, at most: more than a day of pings. When a long history is folded again, no take
has to compare all of it."""


async def under_way(db: Db, drivers: Drivers, behind: Ints) -> dict[int, Rerun]:
    """Read the re-runs of those who are behind, by their entries in the drivers."""
    if not len(behind):
        return {}
    found = await reruns.reruns_under_way(db, drivers.lanes[behind].tolist(), drivers.ids[behind].tolist())
    return {i: found[driver_id] for i in behind.tolist() if (driver_id := int(drivers.ids[i])) in found}


def may_go_back(drivers: Drivers, behind: Ints, under_way: Mapping[int, Rerun]) -> Ints:
    """Choose who begins a re-run. One under way is finished first, so that its facts come to be told."""
    return np.array(
        [
            i
            for i in behind[drivers.goes_back[behind]].tolist()
            if (rerun := under_way.get(i)) is None or rerun.at_once or drivers.tracks["at_ms"][i] < rerun.after_ms
        ],
        np.int64,
    )


async def drop_what_is_folded_again(db: Db, drivers: Drivers, back: Ints) -> None:
    """Forget what was kept of after the places that drivers have gone back to."""
    at_ms = drivers.tracks["at_ms"][back].tolist()
    await reruns.drop_reruns_from(db, drivers.lanes[back].tolist(), drivers.ids[back].tolist(), at_ms)


async def tell_or_keep(
    db: Db,
    drivers: Drivers,
    folded_again: Mapping[int, Rerun],
    stretches: Mapping[int, Stretch],
    settles: Bools,
    happened: Rows,
) -> tuple[Rows, list[Stretch]]:
    """Keep what happened in re-runs that have not come to their goal; give back what may be told.

    Args:
        folded_again, stretches: by entry in the drivers; who has only the latter is folded for the first time there.
        settles: (m,) of whom no ping waits.
        happened: of dtype `geo.fold.fold.HAPPENED`, of this take.

    Returns:
        What happened, with what was kept of before, and the stretches in which it did.
    """
    if not stretches:
        return happened, []
    tell: dict[int, Stretch] = {}
    keep: list[Part] = []
    for i, stretch in stretches.items():
        rerun = folded_again.get(i)
        over = rerun is None or settles[i] or stretch.until_ms > rerun.goal_ms
        if rerun is None or over or rerun.parts >= MOST_PARTS:
            tell[i] = stretch if rerun is None else replace(stretch, after_ms=rerun.after_ms)
        if rerun is not None and not over:
            mine = happened[happened["track"] == i]
            keep.append(
                Part(
                    lane=int(drivers.lanes[i]),
                    driver_id=stretch.driver_id,
                    after_ms=stretch.until_ms if i in tell else stretch.after_ms,
                    goal_ms=rerun.goal_ms,
                    happened=b"" if i in tell else fold.encode_happened(mine),
                )
            )
    before = await _take(db, drivers, [i for i in tell if i in folded_again and folded_again[i].parts])
    if keep:
        await reruns.put_reruns(db, keep)
    kept = np.isin(happened["track"], [i for i in stretches if i not in tell])
    return np.concatenate((before, happened[~kept])), list(tell.values())


async def _take(db: Db, drivers: Drivers, which: list[int]) -> Rows:
    parts = [np.zeros(0, fold.HAPPENED)]
    if which:
        for driver_id, happened in await reruns.take_reruns(
            db, drivers.lanes[which].tolist(), drivers.ids[which].tolist()
        ):
            part = fold.decode_happened(happened)
            part["track"] = np.searchsorted(drivers.ids, driver_id)
            parts.append(part)
    return np.concatenate(parts)
