"""What Traccar's clients are told over a socket: read once for all who follow an account."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec

from api.fleet.held_positions import HeldPositions
from api.stream.hub import Hub
from api.stream.signals import Signal
from api.traccar.vans import TraccarFleet, TraccarFleets
from api.traccar.words import EVENT_TYPES, event_of
from sql.feed.events import events_numbered, read_events
from sql.pool import DATABASE_AWAY

log = logging.getLogger(__name__)

COALESCE_S = 0.5
"""Changes are gathered for so long before followers get them."""

LOOK_AGAIN_S = 10.0
"""Followers are told so often what time alone changes."""

MOST_EVENTS = 1_000
"""The newest that are kept for followers who are slow, and read at once."""

_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TraccarNews:
    """An account at a moment.

    Attributes:
        upto: the greatest seq of the feed that was looked at.
        events: the newest events, encoded, with their seq, in order.
    """

    fleet: TraccarFleet
    upto: int
    events: tuple[tuple[int, bytes], ...]

    def frames(self, since: "TraccarNews | None") -> list[bytes]:
        """Give what tells of what is new since; None: nothing was told yet, and what happened before is not."""
        frames = list(self.fleet.frames(since.fleet if since else None))
        new = [event for seq, event in self.events if since is not None and seq > since.upto]
        return [*frames, b'{"events":[%b]}' % b",".join(new)] if new else frames


async def follow_for_traccar(hub: Hub, account_id: int) -> AsyncIterator[TraccarNews]:
    """Give an account's drivers and events, again at every change; nothing is left out while the database is away."""
    held, fleets = hub.part(HeldPositions), hub.part(TraccarFleets)
    events = deque[tuple[int, bytes]](maxlen=MOST_EVENTS)
    upto = await events_numbered(hub.pool, account_id)
    with hub.on_account(account_id) as moved, hub.on_events(account_id) as grown:
        while True:
            moved.read()
            grown.read()
            try:
                fleet = await fleets.known(account_id)
                new, upto, is_more = await _events_after(hub, account_id, upto)
            except DATABASE_AWAY as error:
                log.info("cannot read for Traccar's clients: %s", type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
                continue
            events.extend(new)
            yield TraccarNews(fleet=fleet, upto=upto, events=tuple(events))
            await asyncio.sleep(COALESCE_S)
            if not is_more:
                await _either(moved, grown, min(LOOK_AGAIN_S, max(0.0, held.lasts_s(account_id))))


async def _events_after(hub: Hub, account_id: int, after: int) -> tuple[list[tuple[int, bytes]], int, bool]:
    """Read on in the feed; give what is told of it, up to which seq that is, and whether there is more."""
    head = await events_numbered(hub.pool, account_id)
    entries = await read_events(
        hub.pool, account_id, after=after, until=head, types=list(EVENT_TYPES), limit=MOST_EVENTS
    )
    told = [
        (entry.seq, msgspec.json.encode(event_of(entry)))
        for entry in entries
        if entry.state == "asserted" and entry.revision == 1 and entry.driver_id is not None
    ]
    is_more = len(entries) == MOST_EVENTS
    return told, entries[-1].seq if is_more else head, is_more


async def _either(one: Signal, other: Signal, timeout_s: float) -> None:
    """Wait until one of two is raised, but no longer than that."""
    waiting = [asyncio.ensure_future(signal.wait(timeout_s)) for signal in (one, other)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
