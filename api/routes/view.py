"""Routes as their account sees them: what was planned and how it goes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias, cast

from aiohttp import web
from msgspec import Struct
from msgspec.structs import asdict

from api.http import ids
from api.http.auth import Role, caller_of
from api.routes.eta import RouteEtaView
from api.routes.links import token_of, tracking_url
from api.routes.pins import pin_of
from sql.delivery.manifest import ShownRoute
from sql.delivery.routes import RouteRow
from sql.delivery.stops import StopPlan, StopRow

PathSource: TypeAlias = Literal["given", "road", "straight"]
RouteStatus: TypeAlias = Literal["planned", "started", "finished", "cancelled"]
StopKind: TypeAlias = Literal["delivery", "pickup", "return", "depot", "break"]
StopStatus: TypeAlias = Literal[
    "pending", "en_route", "arrived", "completed", "partially_completed", "failed", "skipped", "left_open", "removed"
]


class Depot(Struct, frozen=True, kw_only=True):
    """Where the tour begins."""

    lat: float
    lon: float
    name: str | None


class Window(Struct, frozen=True, kw_only=True):
    """When the recipient expects the driver."""

    start: datetime
    end: datetime


class Parcel(Struct, frozen=True, kw_only=True):
    """Something to hand over or to take along."""

    barcode: str | None
    description: str | None
    quantity: int


class Cash(Struct, frozen=True, kw_only=True):
    """What the driver is to collect."""

    amount: float
    currency: str


class Neighbour(Struct, frozen=True, kw_only=True):
    """Who else may take it."""

    name: str
    address: str


class WishedDoor(Struct, frozen=True, kw_only=True):
    """Where the recipient says that their door is; so far from where the planner has the stop."""

    lat: float
    lon: float
    distance_m: float


class RecipientWish(Struct, frozen=True, kw_only=True):
    """What the recipient said by their tracking page, beside the plan.

    `said_at`: when they said something last; `last_change`: what, null for what an earlier release kept. `away`: nobody
    is at home when the van comes.
    """

    instructions: str | None
    safe_place: str | None
    neighbour: Neighbour | None
    door: WishedDoor | None
    said_at: datetime
    last_change: str | None
    away: bool


class Path(Struct, frozen=True, kw_only=True):
    """The line to drive, as a GeoJSON LineString."""

    type: Literal["LineString"]
    coordinates: list[tuple[float, float]]


class RouteProgress(Struct, frozen=True, kw_only=True):
    """How far a route is.

    `done` of `stops` need no more coming to, `left_open` were open when the tour was over; `along_m` of `length_m`
    metres are behind the van, null while it is not on the route.
    """

    stops: int
    done: int
    left_open: int
    along_m: float | None
    length_m: float


class RouteItem(Struct, frozen=True, kw_only=True):
    """A route in a list. `driver` is the external id of who drives it, null: nobody; `next_stop` is a stop's id."""

    id: str
    external_id: str
    version: int
    status: RouteStatus
    driver: str | None
    driver_id: str | None
    driver_name: str | None
    date: date
    timezone: str
    start_at: datetime
    end_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: RouteProgress
    next_stop: str | None


class RouteList(Struct, frozen=True, kw_only=True):
    """A page of routes; `next` is the cursor of the next page, null on the last."""

    routes: list[RouteItem]
    next: str | None


class Stop(Struct, frozen=True, kw_only=True):
    """A stop of a route.

    `along_m` is its place along the path in metres. `status` en_route: pending, and the van's next. `outcome_at` is
    when the driver said what became of it. `removed`: it is not of the tour any more, whatever became of it before.
    `tracking_url` is null when its link was ended. `pin` is what the recipient tells the driver; null where none is
    asked for, and for viewers. `recipient`: what the recipient said; null: nothing.
    `recipient_may_not`: what the sender does not let the recipient do.
    """

    id: str
    external_id: str
    kind: StopKind
    status: StopStatus
    name: str
    address: str | None
    lat: float
    lon: float
    along_m: float
    radius_m: float
    geofence: dict[str, Any] | None
    phone: str | None
    email: str | None
    locale: str | None
    window: Window | None
    service_s: float
    planned_arrival: datetime | None
    arrived_at: datetime | None
    departed_at: datetime | None
    outcome_at: datetime | None
    removed: bool
    instructions: str | None
    parcels: list[Parcel]
    cash_on_delivery: Cash | None
    proof: list[str]
    recipient_may_not: list[str]
    tracking_url: str | None
    pin: str | None
    recipient: RecipientWish | None = None


class Route(RouteItem, frozen=True, kw_only=True):
    """A route with its stops, removed ones last."""

    depot: Depot | None
    return_to_depot: bool
    path_source: PathSource
    path: Path
    stops: list[Stop]
    eta: RouteEtaView


def item_of(row: RouteRow) -> RouteItem:
    """Show a route in a list."""
    return RouteItem(
        id=ids.shown(ids.ROUTE, row.id),
        external_id=row.external_id,
        version=row.version,
        status=cast(RouteStatus, row.status),
        driver=row.driver_external_id,
        driver_id=ids.shown_or_none(ids.DRIVER, row.driver_id),
        driver_name=row.driver_name,
        date=row.date,
        timezone=row.timezone,
        start_at=row.start_at,
        end_at=row.end_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        progress=RouteProgress(
            stops=row.stops, done=row.done, left_open=row.left_open, along_m=row.along_m, length_m=row.length_m
        ),
        next_stop=ids.shown_or_none(ids.STOP, row.next_stop_id),
    )


def route_of(
    request: web.Request,
    row: RouteRow,
    stops: Sequence[StopRow],
    path: list[tuple[float, float]],
    eta: RouteEtaView,
    *,
    secret: bytes,
) -> Route:
    """Show a route with its stops; `secret` is the installation's, from which tracking links and PINs are derived."""
    heading_for = _heading_for(row, stops) if row.status == "started" else None
    return Route(
        **asdict(item_of(row)),
        depot=depot_of(row),
        return_to_depot=row.return_to_depot,
        path_source=cast(PathSource, row.path_source),
        path=Path(type="LineString", coordinates=path),
        stops=[
            _stop(stop, link_of(request, secret, stop), _pin_for(request, secret, stop), heading_for) for stop in stops
        ],
        eta=eta,
    )


def stop_of(request: web.Request, row: RouteRow, stops: Sequence[StopRow], stop_id: int, *, secret: bytes) -> Stop:
    """Show one stop of a route as the route shows it; `stops` are all of them, `stop_id` is one of those."""
    heading_for = _heading_for(row, stops) if row.status == "started" else None
    stop = next(one for one in stops if one.id == stop_id)
    return _stop(stop, link_of(request, secret, stop), _pin_for(request, secret, stop), heading_for)


def _heading_for(row: RouteRow, stops: Sequence[StopRow]) -> int | None:
    """Name the stop that the van comes to next: as its place says, else the first of the tour that is to be done."""
    if row.next_stop_id is not None:
        return row.next_stop_id
    to_do = (
        stop.id
        for stop in stops
        if stop.status in ("pending", "arrived")
        and stop.departed_at is None
        and stop.plan.kind not in ("break", "depot")
    )
    return next(to_do, None)


def depot_of(row: RouteRow | ShownRoute) -> Depot | None:
    """Show where a tour begins; None where the planner did not say."""
    if row.depot_lat is None or row.depot_lon is None:
        return None
    return Depot(lat=row.depot_lat, lon=row.depot_lon, name=row.depot_name)


def window_of(plan: StopPlan) -> Window | None:
    """Show a stop's window; None where nothing was promised."""
    if plan.window_start is None or plan.window_end is None:
        return None
    return Window(start=plan.window_start, end=plan.window_end)


def cash_of(plan: StopPlan) -> Cash | None:
    """Show what is to be collected at a stop; None: nothing."""
    if plan.cash_amount is None or plan.cash_currency is None:
        return None
    return Cash(amount=float(plan.cash_amount), currency=plan.cash_currency)


def parcels_of(plan: StopPlan) -> list[Parcel]:
    """Show a stop's parcels."""
    return [
        Parcel(barcode=parcel.barcode, description=parcel.description, quantity=parcel.quantity)
        for parcel in plan.parcels
    ]


def wish_of(row: StopRow) -> RecipientWish | None:
    """Read what the recipient of a stop said of it."""
    said = row.wish
    if said is None:
        return None
    door = (
        WishedDoor(lat=said["door_lat"], lon=said["door_lon"], distance_m=said["door_m"])
        if said["door_m"] is not None
        else None
    )
    who, where = said["neighbour_name"], said["neighbour_address"]
    return RecipientWish(
        instructions=said["instructions"],
        safe_place=said["safe_place"],
        neighbour=Neighbour(name=who, address=where) if who is not None else None,
        door=door,
        said_at=datetime.fromisoformat(said["said_at"]),
        last_change=said["last_change"],
        away=said["away"],
    )


def link_of(request: web.Request, secret: bytes, stop: StopRow) -> str | None:
    """Give the address of a stop's tracking page; None when its link was ended."""
    if stop.link_revoked or stop.status == "removed":
        return None
    return tracking_url(request, token_of(secret, stop.id, stop.link_generation))


def _pin_for(request: web.Request, secret: bytes, stop: StopRow) -> str | None:
    if "pin" not in stop.plan.proof or caller_of(request).role < Role.DISPATCHER:
        return None
    return pin_of(secret, stop.id, stop.pin_generation)


def _stop(row: StopRow, link: str | None, pin: str | None, heading_for: int | None) -> Stop:
    plan = row.plan
    return Stop(
        id=ids.shown(ids.STOP, row.id),
        external_id=plan.external_id,
        kind=cast(StopKind, plan.kind),
        status="en_route" if row.status == "pending" and row.id == heading_for else cast(StopStatus, row.status),
        name=plan.name,
        address=plan.address,
        lat=plan.lat,
        lon=plan.lon,
        along_m=plan.along_m,
        radius_m=plan.radius_m,
        geofence=plan.geofence,
        phone=plan.phone,
        email=plan.email,
        locale=plan.locale,
        window=window_of(plan),
        service_s=plan.service_s,
        planned_arrival=plan.planned_arrival,
        arrived_at=row.arrived_at,
        departed_at=row.departed_at,
        outcome_at=row.outcome_at,
        removed=row.removed,
        instructions=plan.instructions,
        parcels=parcels_of(plan),
        cash_on_delivery=cash_of(plan),
        proof=list(plan.proof),
        recipient_may_not=list(plan.recipient_may_not),
        tracking_url=link,
        pin=pin,
        recipient=wish_of(row),
    )
