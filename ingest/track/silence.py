"""Noticing silence: what depends on the clock and not on pings. A driver who is heard again was only late."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import numpy as np

from geo.fold import fold
from geo.times import ms_of
from sql.feed.facts import LATE_AFTER_S, known_facts, put_revisions
from sql.pool import Connection
from sql.track.lanes import try_lock_lanes
from sql.track.silence import mark_silent, put_off_looks, silence_candidates, try_hold_silence
from sql.track.visits import VisitToEnd, visits_to_end
from work.feed import entries as facts
from work.feed.settle import settle_facts

LOOK_EVERY_S = 10.0
"""A tracker looks for silence so often."""

END_EVERY_S = 60.0
"""A tracker looks for visits that silent phones left open so often: their ends are hours late anyhow."""

LONG_SILENCE_S = 4 * 3600.0
"""Who was not heard for so long is not at the stop any more where they were heard last, whatever goes on there."""


async def notice_silence(
    db: Connection, lanes: Sequence[int], *, now: datetime, after_s: float, longest_shift_s: float = 57_600.0
) -> int:
    """Tell the feed who fell silent and who was heard again; return how many: 0 while another tracker looks.

    Args:
        now: our clock.
        lanes: all that there are; those that another tracker holds are left to the next look.
        after_s: a driver on a route of whom nothing believable came for longer is silent; a message without a place is
            believable, it says that the phone lives.
        longest_shift_s: where only what was recorded in a shift is kept, one counts for so long at most.
    """
    find = partial(silence_candidates, db, now=now, after_s=after_s, longest_shift_s=longest_shift_s)
    async with db.transaction():
        if not await try_hold_silence(db):
            return 0
        waiting = await find(lanes)
        await put_off_looks(db, but_for=[one.driver_id for one in waiting], now=now, after_s=after_s)
    if not waiting:
        return 0
    async with db.transaction():
        # first the lanes, alone: the statements after it see what their last holders committed
        held = await try_lock_lanes(db, sorted({one.lane for one in waiting}))
        found = await find(held)
        tracks = fold.fresh(np.array([one.driver_id for one in found], np.int64))
        for i, one in enumerate(found):
            state = fold.decode(one.state)
            if state is not None:
                tracks[i] = _heard(state, one.heard_ms)
        was_silent = np.array([one.silent for one in found], bool)
        happened = fold.tick(tracks, was_silent, ms_of(now), silent_after_ms=int(after_s * 1000))
        owners = {one.driver_id: facts.Owner(lane=one.lane, account_id=one.account_id) for one in found}
        entries = facts.entries_of_happened(happened, owners, [one.driver_id for one in found], of_the_clock=True)
        # who falls silent again after the same ping, because what came since is not believed any more, is known to be
        news, _ = facts.compare(entries, await known_facts(db, list(entries), []), [])
        await put_revisions(db, news, late_after_s=LATE_AFTER_S)
        changed = [found[i] for i in happened["track"].tolist()]
        await mark_silent(
            db,
            [one.lane for one in changed],
            [one.driver_id for one in changed],
            [not one.silent for one in changed],
        )
    return len(changed)


async def end_visits(db: Connection, lanes: Sequence[int], *, now: datetime, silent_after_s: float) -> int:
    """End the visits that silent phones left open, and open those again that go on after all; return how many.

    A visit ends when it is known to have gone on last: by a fix inside, or by a word about its stop.

    Args:
        now: our clock.
        lanes: all that there are; those that another tracker holds are left to the next look.
        silent_after_s: how long nothing was heard of a driver whose tour is over; of others it is `LONG_SILENCE_S`.
    """
    find = partial(visits_to_end, db, now=now, silent_after_s=silent_after_s, long_after_s=LONG_SILENCE_S)
    waiting = {one.lane for one in await find(lanes)}
    if not waiting:
        return 0
    async with db.transaction():
        held = await try_lock_lanes(db, sorted(waiting))
        visits = await find(held)
        known = await known_facts(db, [facts.arrival_at_stop(one.visit_id) for one in visits], [])
        begun = [(one, known[name]) for one in visits if (name := facts.arrival_at_stop(one.visit_id)) in known]
        ends = await known_facts(db, [facts.departure_of(arrival) for _, arrival in begun], [])
        entries = [
            facts.entry_of_silence(one, arrival, _inside_ms(one), ends.get(facts.departure_of(arrival)))
            for one, arrival in begun
        ]
        changed = [entry for entry in entries if entry is not None]
        await put_revisions(db, changed, late_after_s=LATE_AFTER_S)
        await settle_facts(db, changed)
    return len(changed)


def _inside_ms(visit: VisitToEnd) -> int:
    """Tell until when a visit is known to have gone on."""
    track = None if visit.state is None else fold.decode(visit.state)
    inside_ms = 0 if track is None or not track["standing"]["open"] else int(track["standing"]["inside_ms"])
    return max(visit.arrived_ms, inside_ms, visit.said_ms or 0)


def _heard(track: np.void, heard_ms: int) -> np.void:
    """Let a track be as old as what was heard last of its driver: silence begins, and ends, there."""
    if heard_ms > track["received_ms"]:
        track["received_ms"] = track["recorded_ms"] = heard_ms
    return track
