"""A ping that breaks the fold must not stop its driver, nor anybody else: find it and fold the rest."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec
import numpy as np

from geo.fold.fold import Facts
from geo.pings import Bools, Ints, Pings, Rows
from geo.plan.plans import Timeline
from geo.times import time_of
from sql.inbox.quarantine import Quarantined
from sql.inbox.takes import Block

log = logging.getLogger(__name__)


Advance: TypeAlias = Callable[[Rows, Pings, Sequence[Timeline], Bools], tuple[Rows, Facts]]
"""`geo.fold.fold.advance`, or what a test puts in its place."""


def advance_what_can(
    tracks: Rows, pings: Pings, timelines: Sequence[Timeline], settles: Bools, advance: Advance
) -> tuple[Rows, Facts, Ints]:
    """Fold pings and claims; when that fails, without those that make it fail.

    Of a driver whose claims make it fail none is heard: they are kept where they are.

    Returns:
        What `advance` gives for the pings that are left, and the indices of those that were left out.
    """
    try:
        return *advance(tracks, pings, timelines, settles), np.zeros(0, np.int64)
    except Exception:
        log.exception("the fold of %d pings failed; looking for the ping that does it", len(pings))
    search = _Search(tracks, pings, advance)
    bad = search.culprits([replace(timeline, claims=()) for timeline in timelines])
    good = np.delete(np.arange(len(pings)), bad)
    heard = search.without_bad_claims(good, timelines, settles)
    return *advance(tracks, pings.rows_at(good), heard, settles), bad


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Looks, driver by driver, for what breaks the fold; pings are driver by driver, as tracks are."""

    tracks: Rows
    pings: Pings
    advance: Advance

    def culprits(self, timelines: Sequence[Timeline]) -> Ints:
        """Find the pings that break the fold."""
        bad: list[int] = []
        ids = self.pings.rows["driver_id"]
        for i, timeline in enumerate(timelines):
            begin, end = (int(np.searchsorted(ids, self.tracks["driver_id"][i], side)) for side in ("left", "right"))
            if begin < end and not self._folds(i, range(begin, end), timeline):
                bad += self._culprits_of(i, timeline, list(range(begin, end)))
        return np.array(bad, np.int64)

    def _culprits_of(self, i: int, timeline: Timeline, rest: list[int]) -> list[int]:
        """Find, one after the other, the first ping that breaks the fold of those before it: so many folds as log of n.

        How many of them fold is first looked for in steps that double, so that where every ping is bad each costs one
        fold of one.
        """
        bad: list[int] = []
        good: list[int] = []
        while rest:
            folds, size = 0, 1
            while self._folds(i, [*good, *rest[:size]], timeline):
                folds, size = min(size, len(rest)), size * 2
                if folds == len(rest):
                    return bad
            breaks = min(size, len(rest))
            while breaks - folds > 1:
                middle = (folds + breaks) // 2
                if self._folds(i, [*good, *rest[:middle]], timeline):
                    folds = middle
                else:
                    breaks = middle
            good += rest[:folds]
            bad.append(rest[folds])
            rest = rest[breaks:]
        return bad

    def without_bad_claims(self, good: Ints, timelines: Sequence[Timeline], settles: Bools) -> Sequence[Timeline]:
        """Leave out the claims of drivers whom they keep from being folded; without claims all of them fold."""
        heard = list(timelines)
        ids = self.pings.rows["driver_id"][good]
        for i, timeline in enumerate(timelines):
            if timeline.claims:
                begin, end = (np.searchsorted(ids, timeline.driver_id, side) for side in ("left", "right"))
                if not self._folds(i, good[begin:end].tolist(), timeline, settles=bool(settles[i])):
                    log.error("claims of driver %d break the fold and are not heard", timeline.driver_id)
                    heard[i] = replace(timeline, claims=())
        return heard

    def _folds(self, i: int, which: Sequence[int], timeline: Timeline, *, settles: bool = False) -> bool:
        try:
            self.advance(
                self.tracks[i : i + 1], self.pings.rows_at(np.array(which, np.int64)), [timeline], np.array([settles])
            )
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


def unreadable_block(block: Block, reason: str, whose: tuple[int, int] | None = None) -> Quarantined:
    """Describe a block that cannot be tracked.

    Args:
        whose: driver and device of its pings; None: not known, or several.
    """
    driver_id, device_id = whose or (None, None)
    return Quarantined(
        account_id=None,
        driver_id=driver_id,
        device_id=device_id,
        received_at=block.received_at,
        source="tracker",
        reason=reason,
        detail=f"block {block.id} of lane {block.lane}",
        body=block.body,
    )
