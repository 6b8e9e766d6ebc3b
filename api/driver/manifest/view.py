"""The shapes of a manifest: what a driver's phone reads."""

from datetime import date, datetime
from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from api.routes.view import Cash, Depot, Parcel, RecipientWish, RouteStatus, StopKind, StopStatus, Window

Why: TypeAlias = Literal["taken_off", "cancelled", "reassigned", "finished", "not_now"]
"""Why something is not for the driver any more."""

PRECISION = 6
"""Decimals of a path's polyline: 0.1 m."""


class ParkingSpot(Struct, frozen=True, kw_only=True):
    """Where vans park for a stop."""

    lat: float
    lon: float


class ManifestStop(Struct, frozen=True, kw_only=True):
    """A stop as its driver needs it.

    `order` sorts the stops of a route; the numbers have gaps, so that one more stop does not change the others. It is
    null, and `why` is not, once the stop was taken off the route. `along_m` is its place along the path in metres.
    `instructions` has the planner's and, a line each, what the recipient added; `recipient` holds that by itself.
    `park_at` is where vans stood for this address before, null where too few did or in too different places.
    `phone` and `email` are null where the account does not show them now. `proof` is what must be brought.
    """

    id: str
    route_id: str
    external_id: str
    kind: StopKind
    order: int | None
    status: StopStatus
    why: Why | None
    name: str
    address: str | None
    lat: float
    lon: float
    along_m: float
    park_at: ParkingSpot | None
    phone: str | None
    email: str | None
    window: Window | None
    planned_arrival: datetime | None
    service_s: float
    instructions: str | None
    parcels: list[Parcel]
    cash_on_delivery: Cash | None
    proof: list[str]
    recipient: RecipientWish | None
    arrived_at: datetime | None
    departed_at: datetime | None


class ManifestPath(Struct, frozen=True, kw_only=True):
    """The line to drive, as an encoded polyline of so many decimals."""

    polyline: str
    precision: int


class ManifestRoute(Struct, frozen=True, kw_only=True):
    """A route of a manifest.

    `current` says that the driver is on it, or should be; else it is the next one. Among changes `stops` are left out,
    and `path` as well unless it changed; with `?path=none` it always is.
    """

    id: str
    external_id: str
    current: bool
    status: RouteStatus
    date: date
    timezone: str
    start_at: datetime
    end_at: datetime
    started_at: datetime | None
    depot: Depot | None
    return_to_depot: bool
    length_m: float
    path: ManifestPath | UnsetType = UNSET
    stops: list[ManifestStop] | UnsetType = UNSET


class Manifest(Struct, frozen=True, kw_only=True):
    """What a driver has to do, or what of it changed.

    `version` only grows; the same number always stands for the same content. With `full` true, `routes` is everything.
    With `full` false it is what changed since the version `since`: `routes` has those that are new or changed, `added`
    and `changed` whole stops, `along_m` the new place of those that another path only moved, `removed` the ids of stops
    that are not to be done any more, `removed_routes` those of routes (their stops are among `removed`), and `why` the
    reason for each of them, by id.
    """

    version: int
    full: bool
    routes: list[ManifestRoute]
    since: int | UnsetType = UNSET
    added: list[ManifestStop] | UnsetType = UNSET
    changed: list[ManifestStop] | UnsetType = UNSET
    along_m: dict[str, float] | UnsetType = UNSET
    removed: list[str] | UnsetType = UNSET
    removed_routes: list[str] | UnsetType = UNSET
    why: dict[str, Why] | UnsetType = UNSET
