"""Alerts as a list that people work off: taken by one of them, put aside for a while, closed."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, cast, get_args

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.auth import Caller, caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.trail import note
from sql.desk import alerts
from sql.desk.alerts import AlertState, DeskAlert, HeldAlert
from sql.pool import Db

operations = Operations("alerts")

Severity = Literal["low", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
STATES: tuple[AlertState, ...] = get_args(AlertState)

LONGEST_SNOOZE = timedelta(days=alerts.OPEN_DAYS)
_NEWEST = 2**63 - 1


class Snooze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Until when it shall be out of sight."""

    until: Annotated[datetime, Meta(tz=True)]


class AlertTaker(Struct, frozen=True, kw_only=True):
    """Who is at it: a user, or whoever has an API key. `email` is null of a key, and of who is gone."""

    user_id: str | None
    key_id: str | None
    email: str | None


class Alert(Struct, frozen=True, kw_only=True):
    """Something that somebody of the company has to look at.

    Attributes:
        type: of the event that it rests on; `data` are that event's, as they are now.
        taken_by: null: nobody is at it yet.
        snoozed_until: out of sight until then; null: it was not put aside.
        closed_why: closed (by somebody), over (what it was about has ended), retracted (it never was), expired.
    """

    id: str
    type: str
    severity: Severity
    state: AlertState
    occurred_at: datetime
    driver_id: str | None
    route_id: str | None
    stop_id: str | None
    data: dict[str, Any]
    taken_by: AlertTaker | None
    taken_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    closed_why: str | None


class AlertPage(Struct, frozen=True, kw_only=True):
    """Alerts, the newest first."""

    alerts: list[Alert]
    next: str | None


@operations.operation(
    "GET",
    "/v1/alerts",
    who=Who.VIEWER,
    answer=AlertPage,
    query=(
        *PAGING,
        Parameter(
            name="state",
            description="Only those; else all that are not closed.",
            schema={"type": "string", "enum": [*STATES]},
        ),
        Parameter(
            name="severity",
            description="Only those of at least this severity.",
            schema={"type": "string", "enum": [*SEVERITIES]},
        ),
    ),
)
async def list_alerts(request: web.Request) -> web.Response:
    """List what somebody of the company has to look at.

    The feed opens alerts, and ends those whose cause is over; what nobody closes ends after a week.
    """
    limit, (before,) = limit_in(request), cursor_in(request, tuple[Id]) or (_NEWEST,)
    state, severity = _one_of(request, "state", STATES), _one_of(request, "severity", SEVERITIES)
    rows = await alerts.list_desk_alerts(
        request.app[POOL],
        caller_of(request).account_id,
        state=cast(AlertState | None, state),
        severity=1 if severity is None else SEVERITIES.index(cast(Severity, severity)) + 1,
        before=before,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, AlertPage(alerts=[_shown(row) for row in page], next=following))


@operations.operation(
    "POST",
    "/v1/alerts/{alert}/take",
    who=Who.DISPATCHER,
    answer=Alert,
    query=(
        Parameter(
            name="over",
            description="true: also if somebody else is at it.",
            schema={"type": "string", "enum": ["true"]},
        ),
    ),
)
async def post_take(request: web.Request) -> web.Response:
    """Say that you are at it, so that nobody else begins. 409 when somebody else is: of two at once, one gets it."""
    caller, over = caller_of(request), request.query.get("over") == "true"

    async def take(db: Db, alert_id: int, held: HeldAlert) -> None:
        has = (held.taken_key_id, held.taken_by)
        if has not in ((None, None), _who(caller)) and not over:
            raise Conflict("Somebody else is at it; `?over=true` takes it over from them.")
        await alerts.take_alert(db, alert_id, key_id=caller.key_id, person_id=caller.person_id)

    return await _change(request, take)


@operations.operation("POST", "/v1/alerts/{alert}/snooze", who=Who.DISPATCHER, body=Snooze, answer=Alert)
async def post_snooze(request: web.Request) -> web.Response:
    """Put it aside until a time, at most a week ahead; it ends all the same when its cause does."""
    until, now = (await read_body(request, Snooze)).until, now_of(request)
    if not now < until <= now + LONGEST_SNOOZE:
        refuse([FieldError(at="/until", why=f"must lie ahead, {LONGEST_SNOOZE.days} days at most")])

    async def snooze(db: Db, alert_id: int, _held: HeldAlert) -> None:
        await alerts.snooze_alert(db, alert_id, until)

    return await _change(request, snooze)


@operations.operation("POST", "/v1/alerts/{alert}/close", who=Who.DISPATCHER, answer=Alert)
async def post_close(request: web.Request) -> web.Response:
    """Say that it is done with."""

    async def close(db: Db, alert_id: int, _held: HeldAlert) -> None:
        await alerts.close_alert(db, alert_id)

    return await _change(request, close)


async def _change(request: web.Request, do: Callable[[Db, int, HeldAlert], Coroutine[Any, Any, None]]) -> web.Response:
    """Change the alert in the path, if it is open.

    Raises:
        NotFound: the account has none such.
        Conflict: it is closed.
    """
    account_id, alert_id = caller_of(request).account_id, ids.id_in_path(request, "alert", ids.ALERT)
    async with request.app[POOL].acquire() as db, db.transaction():
        held = await alerts.hold_alert(db, account_id, alert_id)
        if held is None:
            raise NotFound("There is no alert of this id.")
        if not held.is_open:
            raise Conflict("This alert is closed.")
        was = await alerts.show_alert(db, account_id, alert_id)
        await do(db, alert_id, held)
        now = await alerts.show_alert(db, account_id, alert_id)
        assert was is not None
        assert now is not None
        await note(request, db, before=_gist(was), after=_gist(now))
    return answer(request, _shown(now))


def _who(caller: Caller) -> tuple[int | None, int | None]:
    return caller.key_id, caller.person_id


def _gist(row: DeskAlert) -> dict[str, Any]:
    shown = _shown(row)
    taker = shown.taken_by
    return {
        "state": shown.state,
        "taken_by": None if taker is None else taker.user_id or taker.key_id,
        "snoozed_until": shown.snoozed_until,
    }


def _one_of(request: web.Request, name: str, offered: tuple[str, ...]) -> str | None:
    text = request.query.get(name, "")
    if text and text not in offered:
        refuse([FieldError(at=name, why=f"must be one of {', '.join(offered)}")])
    return text or None


def _shown(row: DeskAlert) -> Alert:
    taker = AlertTaker(
        user_id=ids.shown_or_none(ids.USER, row.taken_by),
        key_id=ids.shown_or_none(ids.KEY, row.taken_key_id),
        email=row.taken_email,
    )
    return Alert(
        id=ids.shown(ids.ALERT, row.id),
        type=row.type,
        severity=SEVERITIES[row.severity - 1],
        state=row.state,
        occurred_at=row.occurred_at,
        driver_id=ids.shown_or_none(ids.DRIVER, row.driver_id),
        route_id=ids.shown_or_none(ids.ROUTE, row.route_id),
        stop_id=ids.shown_or_none(ids.STOP, row.stop_id),
        data=row.data,
        taken_by=None if row.taken_at is None else taker,
        taken_at=row.taken_at,
        snoozed_until=row.snoozed_until,
        closed_at=row.closed_at,
        closed_why=row.closed_why,
    )
