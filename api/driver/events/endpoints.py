"""What a driver's app says: started, arrived, completed … A phone may say it hours later, twice and in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from aiohttp import web
from msgspec import Struct

from api.driver.events.body import Event, EventBatch, Refused, events_in, read_event
from api.driver.events.outcome import Warned
from api.driver.events.record import Recorded, record
from api.driver.events.refused import quarantined
from api.http.app_keys import CONFIG, POOL
from api.http.auth import device_of
from api.http.media import answer, parse, read_limited
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from sql.track.live import tell_live
from sql.track.quarantine import put_quarantined

operations = Operations("driver")

OLDEST: web.AppKey[timedelta] = web.AppKey("oldest_event", timedelta)
"""How long a phone may have been offline (REPARTO_OLDEST_PING_DAYS)."""


class EventResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one event.

    Attributes:
        id: as it was sent.
        result: applied; conflict (kept, not in force now); duplicate (it was there); rejected (not to be sent again, in
            the quarantine).
        why: a code of docs/reference/driver-events.md.
        effective: of what is kept: whether it is in force now. Also tells what became of a duplicate.
        at: of a rejected one: JSON pointer into the batch; `errors` where several fields are bad.
        warnings: what to look at in an event that is kept as it is.
    """

    id: str | None
    result: Literal["applied", "duplicate", "conflict", "rejected"]
    why: str | None = None
    effective: bool | None = None
    at: str | None = None
    errors: list[FieldError] = []
    warnings: list[Warned] = []


class EventResults(Struct, frozen=True, kw_only=True):
    """What became of a batch, in its order."""

    results: list[EventResult]


@operations.operation("POST", "/v1/driver/events", who=Who.DEVICE, body=EventBatch, answer=EventResults)
async def post_events(request: web.Request) -> web.Response:
    """Say what happened.

    A 200 comes after the commit: every event is kept, or named as rejected and must not be sent again; an operator
    finds that one in the quarantine. A batch may be sent twice and in any order: the order in which things happened
    decides, and an event that comes late may change what is in force of those before (docs/reference/stop-states.md).
    """
    device, config = device_of(request), request.app[CONFIG]
    body = await read_limited(request, config.max_event_batch_bytes)
    raw: Any = parse(request.content_type, body, Any)
    now = datetime.now(UTC)
    oldest = now - request.app[OLDEST]
    sent = events_in(raw, most=config.max_events)
    items = [
        read_event(item, f"/events/{index}", now=now, oldest=oldest, config=config) for index, item in enumerate(sent)
    ]
    events = [item for item in items if isinstance(item, Event)]
    pool = request.app[POOL]
    recorded = await record(pool, device, events, config) if events else None
    if recorded is not None:
        items = [recorded.refused.get(item.at, item) for item in items]
    refused = [(raw_item, item) for raw_item, item in zip(sent, items, strict=True) if isinstance(item, Refused)]
    if refused:
        entry = quarantined(device, refused, received_at=now, max_bytes=config.max_event_data_bytes)
        async with pool.acquire() as db:
            await put_quarantined(db, [entry])
    if recorded is not None and recorded.fresh:
        routes = recorded.route_ids or {0}
        await tell_live(pool, [(device.account_id, device.driver_id, route_id) for route_id in sorted(routes)])
    return answer(request, EventResults(results=_results(items, recorded)))


def _results(items: list[Event | Refused], recorded: Recorded | None) -> list[EventResult]:
    results = []
    told = set()
    for item in items:
        if isinstance(item, Refused):
            results.append(
                EventResult(id=item.id, result="rejected", why=item.why, at=item.at, errors=list(item.errors))
            )
            continue
        assert recorded is not None
        kept = recorded.kept[item.body.id]
        if item.body.id not in recorded.fresh or item.body.id in told:
            why = "other-content" if item.at in recorded.differ else kept.why
            results.append(EventResult(id=item.id, result="duplicate", why=why, effective=kept.effective))
            continue
        told.add(item.body.id)
        results.append(
            EventResult(
                id=item.id,
                result="applied" if kept.effective else "conflict",
                why=kept.why,
                effective=kept.effective,
                warnings=recorded.warnings[item.body.id],
            )
        )
    return results
