"""A ping that breaks the fold must not stop its driver, nor anybody else: find it and fold the rest."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np

from geo.fold.fold import Facts, advance
from geo.pings import Bools, Ints, Pings, Rows
from geo.plan.plans import Timeline
from geo.times import time_of
from sql.track.quarantine import Quarantined
from sql.track.takes import Block

log = logging.getLogger(__name__)


def advance_what_can(
    tracks: Rows, pings: Pings, timelines: Sequence[Timeline], settles: Bools
) -> tuple[Rows, Facts, Ints]:
    """Fold pings and claims; when that fails, without those that make it fail.

    Of a driver whose claims make it fail none is heard: they are kept where they are.

    Returns:
        What `geo.fold.fold.advance` gives for the pings that are left, and the indices of those that were left out.
    """
    try:
        return *advance(tracks, pings, timelines, settles), np.zeros(0, np.int64)
    except Exception:
        log.exception("the fold of %d pings failed; looking for the ping that does it", len(pings))
    bad = _culprits(tracks, pings, [replace(timeline, claims=()) for timeline in timelines])
    good = pings.take(np.delete(np.arange(len(pings)), bad))
    return *advance(tracks, good, _without_bad_claims(tracks, good, timelines, settles), settles), bad


def _without_bad_claims(
    tracks: Rows, pings: Pings, timelines: Sequence[Timeline], settles: Bools
) -> Sequence[Timeline]:
    """Leave out the claims of drivers whom they keep from being folded; without claims all of them fold."""
    heard = list(timelines)
    for i, timeline in enumerate(timelines):
        mine = pings.take(pings.rows["driver_id"] == tracks["driver_id"][i])
        if timeline.claims and not _folds(tracks[i : i + 1], mine, [timeline], settles[i : i + 1]):
            log.error("claims of driver %d break the fold and are not heard", timeline.driver_id)
            heard[i] = replace(timeline, claims=())
    return heard


def _culprits(tracks: Rows, pings: Pings, timelines: Sequence[Timeline]) -> Ints:
    bad: list[int] = []
    of_driver = np.searchsorted(tracks["driver_id"], pings.rows["driver_id"])
    for i in np.unique(of_driver):
        track, timeline, mine = tracks[i : i + 1], timelines[i : i + 1], np.flatnonzero(of_driver == i)
        good: list[int] = []
        for one in [] if _folds(track, pings.take(mine), timeline) else mine.tolist():
            (good if _folds(track, pings.take([*good, one]), timeline) else bad).append(one)
    return np.array(bad, np.int64)


def _folds(tracks: Rows, pings: Pings, timelines: Sequence[Timeline], settles: Bools | None = None) -> bool:
    try:
        advance(tracks, pings, timelines, settles)
    except Exception:
        return False
    return True


def ping_that_broke_the_fold(ping: np.void, account_id: int) -> Quarantined:
    """Describe a ping, one row of dtype `PING`, that cannot be folded."""
    return Quarantined(
        account_id=account_id,
        driver_id=int(ping["driver_id"]),
        device_id=int(ping["device_id"]),
        received_at=time_of(int(ping["received_ms"])),
        source="tracker",
        reason="broke-the-fold",
        detail=None,
        body=msgspec.json.encode({name: ping[name].item() for name in ping.dtype.names or ()}),
    )


def unreadable_block(block: Block, reason: str) -> Quarantined:
    """Describe a block that cannot be tracked; whose pings are in it is not known."""
    return Quarantined(
        account_id=None,
        driver_id=None,
        device_id=None,
        received_at=block.received_at,
        source="tracker",
        reason=reason,
        detail=f"block {block.id} of lane {block.lane}",
        body=block.body,
    )
