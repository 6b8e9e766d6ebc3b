"""The feed of facts: what happened, in the order in which it became certain to be told."""

import asyncio
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import DRIVER, GEOFENCE, ROUTE, STOP, shown_or_none
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cursor_of, limit_in
from api.http.problem import FieldError, Gone, Invalid
from api.stream.hub import HUB
from sql.feed.events import FeedEntry, events_dropped, events_numbered, read_events
from work.feed.types import NAMES

operations = Operations("events")

LONGEST_WAIT_S = 30
"""Proxies close a request that is silent for 30 to 60 s."""

_LOOK_AGAIN_S = 5.0  # whatever was told

STRETCH = 100_000
"""Entries looked at for one page of some types only, so that a rare one never costs a scan of the whole feed."""


class CursorTooOld(Gone):
    """What comes after it is not kept any more."""

    type = "cursor-too-old"
    title = "The feed does not reach back so far"


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the feed: a fact, or what became of it.

    Attributes:
        seq: place in the account's feed: 1, 2, 3, … without gaps.
        fact_id: the same for every revision of a fact; keep the one of the greatest `revision`.
        state: asserted; corrected (something about it is different now); retracted (it did not happen after all).
        occurred_at: when it happened by the phone's clock; known_at: when we knew.
        late: known more than five minutes after it happened.
    """

    seq: int
    fact_id: UUID
    revision: int
    state: Literal["asserted", "corrected", "retracted"]
    type: str
    occurred_at: datetime
    known_at: datetime
    driver_id: str | None
    route_id: str | None
    stop_id: str | None
    geofence_id: str | None
    late: bool
    data: dict[str, Any]


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the feed. `next` is always there: ask with it again for what comes after."""

    events: list[EventView]
    next: str


@operations.operation(
    "GET",
    "/v1/events",
    who=Who.VIEWER,
    answer=EventPage,
    query=(
        *PAGING,
        Parameter(name="type", description="Only entries of these types, separated by commas."),
        Parameter(
            name="wait_s",
            description="When there is nothing new, wait so long for it; 0 unless given.",
            schema={"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S},
        ),
    ),
)
async def get_events(request: web.Request) -> web.Response:
    """Read the feed of facts.

    In the order of `seq`. Keep `next` with what you did: asking with it again gives every entry once. Without a cursor
    it begins with the oldest entry that is kept; with one from before that the answer is 410 and says where to begin.
    """
    account_id, pool, hub = caller_of(request).account_id, request.app[POOL], request.app[HUB]
    limit, types, wait_s = limit_in(request), _types(request), _wait_s(request)
    cursor = cursor_in(request, tuple[Id])
    after = 0 if cursor is None else cursor[0]
    clock = asyncio.get_running_loop()
    until = clock.time() + wait_s
    with hub.on_events(account_id) as signal:
        while True:
            signal.read()
            head = await events_numbered(pool, account_id)
            upto = max(after, min(head, after + STRETCH))
            entries = await read_events(pool, account_id, after=after, until=upto, types=types, limit=limit)
            dropped = await events_dropped(pool, account_id)  # asked after: what went meanwhile is a gap, too
            if after < dropped:
                if cursor is not None:
                    raise _no_longer_kept(after, dropped)
                after = dropped
                continue
            after = entries[-1].seq if len(entries) == limit else upto
            left_s = until - clock.time()
            if entries or left_s <= 0 or hub.closing:
                break
            if after >= head:
                await signal.wait(min(left_s, _LOOK_AGAIN_S))
    return answer(request, EventPage(events=[_view(entry) for entry in entries], next=cursor_of(after)))


def _no_longer_kept(after: int, dropped: int) -> CursorTooOld:
    return CursorTooOld(
        f"Entries {after + 1} to {dropped} of the feed are not kept any more. Read the routes of that time for what"
        f" they told, and begin again with ?cursor={cursor_of(dropped)}, or without a cursor.",
        errors=[FieldError(at="cursor", why=f"the oldest that works is {cursor_of(dropped)}")],
    )


def _types(request: web.Request) -> list[str] | None:
    text = request.query.get("type", "")
    types = text.split(",") if text else []
    if unknown := [one for one in types if one not in NAMES]:
        why = f"there is no {unknown[0]!r}; there are {', '.join(NAMES)}"
        raise Invalid("There is no such type of event.", errors=[FieldError(at="type", why=why)])
    return types or None


def _wait_s(request: web.Request) -> int:
    text = request.query.get("wait_s", "") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 4 or int(text) > LONGEST_WAIT_S:
        why = f"must be from 0 to {LONGEST_WAIT_S}"
        raise Invalid("The time to wait is not usable.", errors=[FieldError(at="wait_s", why=why)])
    return int(text)


def _view(entry: FeedEntry) -> EventView:
    return EventView(
        seq=entry.seq,
        fact_id=entry.fact_id,
        revision=entry.revision,
        state=entry.state,  # type: ignore[arg-type]
        type=entry.type,
        occurred_at=entry.occurred_at,
        known_at=entry.known_at,
        driver_id=shown_or_none(DRIVER, entry.driver_id),
        route_id=shown_or_none(ROUTE, entry.route_id),
        stop_id=shown_or_none(STOP, entry.stop_id),
        geofence_id=shown_or_none(GEOFENCE, entry.geofence_id),
        late=entry.late,
        data=entry.data,
    )
