"""Orders: put one or many, read, taken back."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias, cast, get_args
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.host import public_url
from api.http.ids import external_id_error, external_id_in_path
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, Invalid, NotFound
from api.http.read.bodies import converted, read_body, refuse
from api.http.times import out_of_range
from api.http.versions import MADE
from api.planning.body import ManyOrders, OrderBody
from api.planning.days import day_in
from api.planning.placing import placed
from sql.account.accounts import read_instance
from sql.planning import orders
from sql.planning.orders import Became, NewOrder, OrderFields, OrderRow
from sql.planning.resources import Resource, list_resources
from sql.pool import Pool
from work.addresses.book import BookPlace, read_book
from work.addresses.text import normalised, person_of
from work.links import order_token

operations = Operations("planning")

State: TypeAlias = Literal["received", "ready", "planned", "assigned", "closed", "cancelled"]

MOST_DEPOTS = 1_000
"""Of an account, against which places are held."""

_WHY = {"none": "its place is not known", "area": "its place is only known by its quarter"}


class OrderPlace(Struct, frozen=True, kw_only=True):
    """WGS 84 degrees."""

    lat: float
    lon: float


class Order(Struct, frozen=True, kw_only=True):
    """An order.

    `received`: its place is not known well enough (`why`) and asked about, it is not planned; `ready`: it can be;
    `planned`: a plan that is done has it; `assigned`: it is on a route; `closed`: its stop is over, as `stop_status`
    says; `cancelled`: taken back, or its stop was taken off its route. `place`: where it is held to be, by the planner,
    a geocoder, a pin or the address book, as `quality` says; `order` is what was put. `proposed`: where it may be, of a
    place that looks swapped or of a wrong sign. `tracking_url`: its recipient's page from now to the end; null once it
    was forgotten whom it is for.
    """

    id: str
    external_id: str
    state: State
    quality: str
    why: str | None
    place: OrderPlace | None
    proposed: OrderPlace | None
    earliest: date
    latest: date
    plan: str | None
    route: str | None
    stop_status: str | None
    tracking_url: str | None
    order: Annotated[OrderBody | None, Meta(description="Null once whom it was for was forgotten")]


class OrderList(Struct, frozen=True, kw_only=True):
    """A page of orders; `next` is the cursor of the next page, null on the last."""

    orders: list[Order]
    next: str | None


class OrderVerdict(Struct, frozen=True, kw_only=True):
    """What became of one of many: `created`, `changed`, or `rejected` with its mistakes."""

    index: int
    external_id: str | None
    result: Literal["created", "changed", "rejected"]
    errors: list[FieldError] = []


class OrdersPut(Struct, frozen=True, kw_only=True):
    """What became of each."""

    accepted: int
    orders: list[OrderVerdict]


@operations.operation("PUT", "/v1/orders/{order}", who=Who.DISPATCHER, body=OrderBody, answer=Order, also=MADE)
async def put_order(request: web.Request) -> web.Response:
    """Make an order, or replace it by its external id, as long as it is on no route. 201 when it is new."""
    account_id, name, pool = caller_of(request).account_id, request.match_info["order"], request.app[POOL]
    body = await read_body(request, OrderBody)
    refuse([error for error in [external_id_error("order", name)] if error])
    refuse(_mistakes(body))
    new = await new_orders(pool, account_id, {name: body})
    written = await orders.put_orders(pool, account_id, new)
    if name not in written:
        raise Conflict(f"The order {name!r} is on a route already.")
    (row,) = await orders.find_orders(pool, account_id, [name])
    (shown,) = await _shown(request, [row])
    return answer(request, shown, status=201 if written[name] == "created" else 200)


@operations.operation("POST", "/v1/orders", who=Who.DISPATCHER, body=ManyOrders, answer=OrdersPut)
async def post_orders(request: web.Request) -> web.Response:
    """Put many orders, each like `PUT /v1/orders/{order}` with its `external_id` in it.

    Each is judged by itself: `rejected` ones name their mistakes and change nothing, the others are kept. The same
    orders again change nothing.
    """
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    many = await read_body(request, ManyOrders)
    verdicts: dict[int, OrderVerdict] = {}
    good: dict[int, tuple[str, OrderBody]] = {}
    times = Counter(str(raw.get("external_id")) for raw in many.orders)
    for index, raw in enumerate(many.orders):
        at, name = f"/orders/{index}", raw.get("external_id")
        errors = mistakes_of_name(at, name, times)
        body = read_order(at, raw, errors)
        if body is None or errors:
            shown = name if isinstance(name, str) else None
            verdicts[index] = OrderVerdict(index=index, external_id=shown, result="rejected", errors=errors)
        else:
            good[index] = (str(name), body)
    new = await new_orders(pool, account_id, dict(good.values()))
    written = await orders.put_orders(pool, account_id, new) if new else {}
    for index, (name, _) in good.items():
        verdicts[index] = _verdict(index, name, written.get(name))
    accepted = sum(one.result != "rejected" for one in verdicts.values())
    return answer(request, OrdersPut(accepted=accepted, orders=[verdicts[index] for index in sorted(verdicts)]))


@operations.operation(
    "GET",
    "/v1/orders",
    who=Who.VIEWER,
    answer=OrderList,
    query=(
        Parameter(
            name="state",
            description="Only those in this state.",
            schema={"type": "string", "enum": list(get_args(State))},
        ),
        Parameter(name="date", description="Only for this day.", schema={"type": "string", "format": "date"}),
        *PAGING,
    ),
)
async def list_orders(request: web.Request) -> web.Response:
    """List orders, in the order they came."""
    limit = limit_in(request)
    after: tuple[int] = cursor_in(request, tuple[Id]) or (0,)
    state = request.query.get("state") or None
    if state is not None and state not in get_args(State):
        refuse([FieldError(at="state", why=f"must be one of {', '.join(get_args(State))}")])
    rows = await orders.list_orders(
        request.app[POOL],
        caller_of(request).account_id,
        state=state,
        on=day_in(request),
        after=after[0],
        limit=limit + 1,
    )
    page, more = cut(rows, limit, lambda row: (row.id,))
    return answer(request, OrderList(orders=await _shown(request, page), next=more))


@operations.operation("GET", "/v1/orders/{order}", who=Who.VIEWER, answer=Order)
async def get_order(request: web.Request) -> web.Response:
    """Read an order."""
    rows = await orders.find_orders(
        request.app[POOL], caller_of(request).account_id, [external_id_in_path(request, "order")]
    )
    if not rows:
        raise NotFound("There is no order of this id.")
    (shown,) = await _shown(request, rows)
    return answer(request, shown)


@operations.operation("DELETE", "/v1/orders/{order}", who=Who.DISPATCHER, status=204)
async def delete_order(request: web.Request) -> web.Response:
    """Cancel an order that is on no route yet; one that is, is taken off its route."""
    account_id, name, pool = caller_of(request).account_id, external_id_in_path(request, "order"), request.app[POOL]
    if not await orders.cancel_order(pool, account_id, name):
        if not await orders.find_orders(pool, account_id, [name]):
            raise NotFound("There is no order of this id.")
        raise Conflict(f"The order {name!r} is on a route, or cancelled already.")
    return web.Response(status=204)


def mistakes_of_name(at: str, name: object, times: Mapping[str, int]) -> list[FieldError]:
    at = f"{at}/external_id"
    if not isinstance(name, str):
        return [FieldError(at=at, why="is missing" if name is None else "must be text")]
    if bad := external_id_error(at, name):
        return [bad]
    return [FieldError(at=at, why="another one of these orders has the same")] if times[name] > 1 else []


def read_order(at: str, raw: Mapping[str, Any], errors: list[FieldError]) -> OrderBody | None:
    """Read one of many; what is wrong with it is added to `errors`."""
    try:
        rest = {name: value for name, value in raw.items() if name != "external_id"}
        body: OrderBody = converted(rest, OrderBody, at)
    except Invalid as problem:
        errors += problem.errors
        return None
    errors += [FieldError(at=at + one.at, why=one.why) for one in _mistakes(body)]
    return body


def _mistakes(body: OrderBody) -> list[FieldError]:
    errors = list(out_of_range(("/earliest", body.earliest), ("/latest", body.latest)))
    if (body.lat is None) != (body.lon is None):
        errors.append(FieldError(at="/lat", why="comes with lon, or neither does"))
    if body.lat is None and not body.address:
        errors.append(FieldError(at="/address", why="is needed where there is no place"))
    for row, window in enumerate(body.windows):
        errors += out_of_range((f"/windows/{row}/start", window.start), (f"/windows/{row}/end", window.end))
        if window.end <= window.start:
            errors.append(FieldError(at=f"/windows/{row}/end", why="is not after the window's start"))
    if body.earliest and body.latest and body.latest < body.earliest:
        errors.append(FieldError(at="/latest", why="is before earliest"))
    if not body.windows and body.earliest is None and body.latest is None:
        errors.append(FieldError(at="/earliest", why="is needed where there are no windows: which day is it for?"))
    return errors


async def depots_of(pool: Pool, account_id: int) -> list[Resource]:
    """Read the depots of an account, against which places are held."""
    return await list_resources(pool, account_id=account_id, kind="depot", after="", on=None, limit=MOST_DEPOTS)


async def new_orders(pool: Pool, account_id: int, bodies: Mapping[str, OrderBody]) -> list[NewOrder]:
    """Make orders of bodies without mistakes, with what the account's own book knows of their addresses."""
    depots = await depots_of(pool, account_id)
    keys = {
        name: (normalised(body.address or ""), person_of(phone=body.phone, email=body.email, name=body.name))
        for name, body in bodies.items()
    }
    book = await read_book(pool, account_id, list(keys.values()))
    return [new_order(name, body, depots, book.get(keys[name])) for name, body in bodies.items()]


def new_order(name: str, body: OrderBody, depots: Sequence[Resource], known: BookPlace | None = None) -> NewOrder:
    """Make an order of a body without mistakes: ready, or waiting where its place is not known or doubtful.

    Args:
        known: what the account's own book says of its address; None: nothing.
    """
    mine = [depot for depot in depots if body.depot in (None, depot.external_id)]
    earliest, latest = _days(body, ZoneInfo(mine[0].body["timezone"]) if mine else None)
    kept: dict[str, Any] = msgspec.to_builtins(body)
    place = placed(body, known, [(depot.body["lat"], depot.body["lon"]) for depot in mine])
    if place.doubt is not None:
        kept["doubt"] = msgspec.to_builtins(place.doubt)
    return NewOrder(
        external_id=name,
        state="ready" if place.is_good else "received",
        quality=place.quality,
        lat=place.lat,
        lon=place.lon,
        depot=body.depot,
        earliest=earliest,
        latest=latest,
        body=kept,
    )


def _days(body: OrderBody, zone: ZoneInfo | None) -> tuple[date, date]:
    """Tell the first and the last day an order may be done on; `_mistakes` saw to it that one is named."""
    named: Sequence[date] = [
        *(_day(at, zone) for window in body.windows for at in (window.start, window.end)),
        *(day for day in (body.earliest, body.latest) if day and not body.windows),
    ]
    earliest, latest = body.earliest or min(named), body.latest or max(named)
    return earliest, max(latest, earliest)


def _day(at: datetime, zone: ZoneInfo | None) -> date:
    return (at.astimezone(zone) if zone else at).date()


def _verdict(index: int, name: str, became: Became | None) -> OrderVerdict:
    if became is None:
        errors = [FieldError(at=f"/orders/{index}", why="is on a route already")]
        return OrderVerdict(index=index, external_id=name, result="rejected", errors=errors)
    return OrderVerdict(index=index, external_id=name, result="created" if became == "created" else "changed")


async def _shown(request: web.Request, rows: Sequence[OrderRow]) -> list[Order]:
    secret = (await read_instance(request.app[POOL])).secret
    return [_order(row, f"{public_url(request)}/t/{order_token(secret, row.id)}") for row in rows]


def why_received(order: OrderFields) -> str | None:
    """Say what is not known well enough of an order's place; None: nothing."""
    why: str | None = (order.body.get("doubt") or {}).get("why") or _WHY.get(order.quality)
    return why


def _order(row: OrderRow, url: str) -> Order:
    body = {name: value for name, value in row.body.items() if name != "doubt"}
    doubted: dict[str, Any] = row.body.get("doubt") or {}
    proposed = doubted.get("proposed")
    return Order(
        id=ids.shown(ids.ORDER, row.id),
        external_id=row.external_id,
        state=cast(State, row.state),
        quality=row.quality,
        why=why_received(row),
        place=OrderPlace(lat=row.lat, lon=row.lon) if row.lat is not None and row.lon is not None else None,
        proposed=OrderPlace(lat=proposed[0], lon=proposed[1]) if proposed else None,
        earliest=row.earliest,
        latest=row.latest,
        plan=ids.shown_or_none(ids.PLAN, row.plan_id),
        route=ids.shown_or_none(ids.ROUTE, row.route_id),
        stop_status=row.stop_status,
        tracking_url=url if "name" in body else None,
        order=msgspec.convert(body, OrderBody) if "name" in body else None,
    )
