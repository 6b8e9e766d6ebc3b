"""What recipients proposed, decided by the company: another address, or a door that is not where the planner has it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, get_args
from uuid import uuid4

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import CONFIG, POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import Ref
from api.portal.change import TooLate
from api.portal.company import ChangeView, change_view
from api.portal.redirect import NewPlace, move_stop
from api.portal.rules import is_done, waits_for_slot
from api.routes.body import Lat, Lon
from api.routes.write import hold_route
from sql.delivery.routes import RouteHead
from sql.delivery.stops import stops_of_route
from sql.pool import Db
from sql.portal import stops
from sql.portal.stops import HeldChange, PortalStop, StopChange
from sql.track.live import tell_live
from work.feed.types import REDIRECTED
from work.messages.notices import note_stops

operations = Operations("recipients")

ChangeState = Literal["applied", "proposed", "rejected"]


class ChangeDecided(Conflict):
    """It is no open proposal any more."""

    type = "change-decided"
    title = "There is nothing left to decide about this"


class ChangeOfStop(ChangeView, frozen=True, kw_only=True):
    """A change, and the stop that it is of."""

    stop_id: str


class ChangePage(Struct, frozen=True, kw_only=True):
    """Changes of recipients, the newest first."""

    changes: list[ChangeOfStop]
    next: str | None


class GrantBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where on the map it is, WGS 84 degrees, if the recipient did not say or the company knows better."""

    lat: Lat | None = None
    lon: Lon | None = None


class RefusalBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words for the recipient."""

    text: Annotated[str, Meta(max_length=500)] | None = None


@operations.operation(
    "GET",
    "/v1/changes",
    who=Who.VIEWER,
    answer=ChangePage,
    query=(
        *PAGING,
        Parameter(
            name="state",
            description="Only those in this state; `proposed`: those that wait for the company.",
            schema={"type": "string", "enum": list(get_args(ChangeState))},
        ),
    ),
)
async def list_changes(request: web.Request) -> web.Response:
    """List what recipients changed or proposed, the newest first."""
    limit, state = limit_in(request), request.query.get("state") or None
    if state is not None and state not in get_args(ChangeState):
        refuse([FieldError(at="state", why=f"must be one of {', '.join(get_args(ChangeState))}")])
    before = cursor_in(request, tuple[Id])
    rows = await stops.page_of_changes(
        request.app[POOL],
        caller_of(request).account_id,
        state=state,
        before=before[0] if before else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, ChangePage(changes=_shown(page), next=following))


@operations.operation(
    "POST", "/v1/stops/{stop}/changes/{proposal}/approve", who=Who.DISPATCHER, body=GrantBody, answer=ChangeView
)
async def post_grant(request: web.Request) -> web.Response:
    """Grant what a recipient proposed: the stop is there from then on, and they and the driver are told.

    An address that came without a place on the map needs `lat` and `lon`. The same once more changes nothing; what was
    rejected may be granted after all.
    """
    body = await read_body(request, GrantBody)
    if (body.lat is None) != (body.lon is None):
        refuse([FieldError(at="/lat" if body.lat is None else "/lon", why="is missing: a place needs both")])
    now, (account_id, stop_id, change_id) = now_of(request), _asked(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        route_id = await _route_of(db, account_id, stop_id)
        head = await hold_route(db, account_id=account_id, ref=Ref(id=route_id), driver=None)  # before the stop
        stop, change = await _held(db, account_id, stop_id, change_id)
        if change.state != "applied":
            if is_done(stop) or stop.arrived_at is not None or head is None:
                raise TooLate("The van was here already, or its tour is over.")
            place = await _place(db, head, stop, change, body)
            most = request.app[CONFIG].max_wrong_pins
            await move_stop(db, stop, head, place, change.kind, most_wrong_pins=most, now=now)
            if waits_for_slot(stop) and not await _move_waiting(db, stop, place):
                raise TooLate("It is on no tour, and no order of it waits to be planned.")
            await _decide(db, stop, change, "applied", now)
    return await _answer_one(request, account_id, stop_id, change_id)


@operations.operation(
    "POST", "/v1/stops/{stop}/changes/{proposal}/reject", who=Who.DISPATCHER, body=RefusalBody, answer=ChangeView
)
async def post_refusal(request: web.Request) -> web.Response:
    """Reject what a recipient proposed: everything stays as it is, and they are told. Once more changes nothing."""
    words = ((await read_body(request, RefusalBody)).text or "").strip()
    now, (account_id, stop_id, change_id) = now_of(request), _asked(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        await _route_of(db, account_id, stop_id)
        stop, change = await _held(db, account_id, stop_id, change_id)
        if change.state == "applied":
            raise ChangeDecided("It is applied.")
        if change.state == "proposed":
            await _decide(db, stop, change, "rejected", now)
            data = {"ticket": ids.shown(ids.CHANGE, change.id), "state": "rejected", "answer": words}
            await note_stops(
                db,
                "ticket",
                account_id=account_id,
                route_id=stop.route_id,
                stop_ids=[stop.id],
                data={stop.id: data},
                now=now,
            )
    return await _answer_one(request, account_id, stop_id, change_id)


def _asked(request: web.Request) -> tuple[int, int, int]:
    stop_id, change_id = ids.id_in_path(request, "stop", ids.STOP), ids.id_in_path(request, "proposal", ids.CHANGE)
    return caller_of(request).account_id, stop_id, change_id


async def _route_of(db: Db, account_id: int, stop_id: int) -> int:
    if await stops.changes_of_stop(db, account_id=account_id, stop_id=stop_id) is None:
        raise NotFound("There is no stop of this id.")
    return (await stops.find_stop_by_id(db, stop_id)).route_id


async def _held(db: Db, account_id: int, stop_id: int, change_id: int) -> tuple[PortalStop, HeldChange]:
    """Hold a stop and a change of it.

    Raises:
        NotFound: it has no such change.
        ChangeDecided: the recipient proposed or chose another place since.
    """
    await stops.hold_stop(db, stop_id)
    change = await stops.hold_change(db, account_id=account_id, stop_id=stop_id, change_id=change_id)
    if change is None:
        raise NotFound("The stop has no change of this id.")
    if change.state != "applied" and change.superseded:
        raise ChangeDecided("The recipient chose or proposed another place since; decide on that.")
    return await stops.find_stop_by_id(db, stop_id), change


async def _place(db: Db, head: RouteHead, stop: PortalStop, change: HeldChange, body: GrantBody) -> NewPlace:
    if change.kind == "pin-drop":
        wish, known = await stops.find_wish(db, stop.id), await stops_of_route(db, head.id)
        address = next((one.plan.address for one in known if one.id == stop.id), None)
        place = NewPlace(address=address, lat=wish.door_lat, lon=wish.door_lon)
    else:
        said = change.is_now
        place = NewPlace(address=said["address"], lat=said["lat"], lon=said["lon"])
    if body.lat is not None:
        place = NewPlace(address=place.address, lat=body.lat, lon=body.lon)
    if place.lat is None:
        why = "is missing: the recipient named an address and no place on the map"
        refuse([FieldError(at="/lat", why=why), FieldError(at="/lon", why=why)])
    return place


async def _move_waiting(db: Db, stop: PortalStop, place: NewPlace) -> bool:
    assert place.lat is not None
    assert place.lon is not None
    return await stops.move_waiting(db, stop, address=place.address, lat=place.lat, lon=place.lon)


async def _decide(db: Db, stop: PortalStop, change: HeldChange, state: ChangeState, now: datetime) -> None:
    await stops.decide_change(db, change.id, state=state, now=now)
    data = {"change": change.kind, "change_id": ids.shown(ids.CHANGE, change.id), "state": state, "by": "company"}
    await stops.put_fact(db, stop, fact_id=uuid4(), type_name=REDIRECTED, data=data, now=now)
    await tell_live(db, [(stop.account_id, 0, stop.route_id)])


async def _answer_one(request: web.Request, account_id: int, stop_id: int, change_id: int) -> web.Response:
    rows = await stops.changes_of_stop(request.app[POOL], account_id=account_id, stop_id=stop_id)
    return answer(request, next(change_view(row) for row in rows or () if row.id == change_id))


def _shown(rows: Sequence[StopChange]) -> list[ChangeOfStop]:
    return [
        ChangeOfStop(
            **{name: getattr(change_view(row), name) for name in ChangeView.__struct_fields__},
            stop_id=ids.shown(ids.STOP, row.stop_id),
        )
        for row in rows
    ]
