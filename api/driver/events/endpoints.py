"""What a driver's app says: started, arrived, completed … A phone may say it hours later, twice and in any order."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from aiohttp import web
from msgspec import Struct

from api.driver.events.body import Event, EventBatch, RefusedEvent, ahead_in, events_in, read_event
from api.driver.events.case import Cases
from api.driver.events.handed import Warned
from api.driver.events.record import record
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import device_of, signed_in_caller
from api.http.media import answer, parse
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.limited import read_limited
from api.http.shares.rates import QUARANTINE_RATE
from api.http.trail import note
from geo.times import ms_of
from sql.account.devices import clock_ahead_ms

operations = Operations("driver")

_MOST_NOTED = 50
"""Of a batch, in the audit log; a page sends one event at a time."""

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


@operations.operation("POST", "/v1/driver/events", who=Who.DRIVER, body=EventBatch, answer=EventResults)
async def post_events(request: web.Request) -> web.Response:
    """Say what happened.

    A 200 comes after the commit: every event is kept, or named as rejected and must not be sent again; an operator
    finds that one in the quarantine. A batch may be sent twice and in any order: the order in which things happened
    decides, and an event that comes late may change what is in force of those before (docs/reference/stop-states.md).
    """
    device, config = device_of(request), request.app[CONFIG]
    body = await read_limited(request, config.max_event_batch_bytes)
    raw: Any = parse(request.content_type, body, Any)
    now, doubt_ms = now_of(request), request.app[POOL].clock.doubt_ms
    doubt = timedelta(milliseconds=doubt_ms)
    oldest, newest = now - doubt - request.app[OLDEST], now + doubt
    events = events_in(raw, most=config.max_events)
    ahead_ms, is_said = ahead_in(raw, events, ms_of(now), doubt_ms)
    if ahead_ms:
        ahead_ms = await clock_ahead_ms(request.app[POOL], device.id, ahead_ms, ms_of(now), is_said=is_said)
    items = [
        read_event(item, f"/events/{index}", now=newest, oldest=oldest, ahead_ms=ahead_ms, config=config)
        for index, item in enumerate(events)
    ]
    spend = partial(request.app[QUARANTINE_RATE].spend, device.id)
    cases = await record(request.app[POOL], device, items, config, now=now, spend=spend)
    results = [_result(item, cases) for item in items]
    if signed_in_caller(request) is not None:
        await note(request, request.app[POOL], after={"events": _noted(items, results)})
    return answer(request, EventResults(results=results))


def _noted(items: Sequence[Event | RefusedEvent], results: Sequence[EventResult]) -> list[dict[str, str | None]]:
    """Say in the audit log what somebody who signed in said of which stop, and what became of it."""
    kept = [(item.body, one) for item, one in zip(items, results, strict=True) if isinstance(item, Event)]
    return [{"type": body.type, "stop_id": body.stop_id, "result": one.result} for body, one in kept[:_MOST_NOTED]]


def _result(item: Event | RefusedEvent, cases: Cases) -> EventResult:
    if isinstance(item, RefusedEvent):
        return EventResult(id=item.id, result="rejected", why=item.why, at=item.at, errors=list(item.errors))
    case = cases[item.at]
    if case.refused is not None:
        return _result(case.refused, cases)
    kept = case.row
    assert kept is not None
    if not case.is_new:
        why = "other-content" if case.differs else kept.why
        return EventResult(id=item.id, result="duplicate", why=why, effective=kept.effective)
    return EventResult(
        id=item.id,
        result="applied" if kept.effective else "conflict",
        why=kept.why,
        effective=kept.effective,
        warnings=list(case.warnings),
    )
