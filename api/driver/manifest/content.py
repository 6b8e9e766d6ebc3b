"""What a driver's manifest says now: rows become what the phone is shown, each piece with its digest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from api.driver.manifest.order import keep_order
from api.driver.manifest.view import ManifestRoute, ManifestStop, ParkingSpot
from api.http import ids
from api.pages.catalog import help_texts
from api.routes.view import (
    RecipientWish,
    RouteStatus,
    StopKind,
    StopStatus,
    cash_of,
    depot_of,
    parcels_of,
    window_of,
    wish_of,
)
from sql.account.settings import settings_of
from sql.delivery.manifest import ManifestLook, ManifestPart, ShownRoute, path_digest
from sql.delivery.stops import StopPlan, StopRow, stops_of_route
from sql.pool import Db

PieceKey = tuple[str, int]
"""Kind and id of a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a manifest as it is shown now.

    Attributes:
        shown: a route without stops and path, or a stop; None of a path, which is not at hand.
        digest: of it, but for a stop's place along the path.
        rank, along_m: as in `sql.delivery.manifest.ManifestPart`.
    """

    kind: str
    id: int
    route_id: int
    digest: bytes
    rank: int | None = None
    along_m: float | None = None
    shown: ManifestRoute | ManifestStop | None = None

    @property
    def key(self) -> PieceKey:
        """Tell it from all other parts of the manifest."""
        return self.kind, self.id


async def read_pieces(db: Db, look: ManifestLook, known: Mapping[PieceKey, ManifestPart]) -> list[Piece]:
    """Read all that a manifest shows, in its order.

    Args:
        db: in a transaction that sees the moment of the look.
        known: what was shown last: stops keep their place in the order where they can.
    """
    settings = settings_of(look.settings)
    rule, away = settings.driver_contact, help_texts(settings.languages[0])["away"]
    pieces: list[Piece] = []
    for route in look.routes:
        is_current = route is look.current
        path = await path_digest(db, route_id=route.id, version=route.version)
        shown_route = _route(route, is_current=is_current)
        pieces += [
            Piece(kind="route", id=route.id, route_id=route.id, digest=_digest(shown_route), shown=shown_route),
            Piece(kind="path", id=route.id, route_id=route.id, digest=_digest(path)),
        ]
        stops = await stops_of_route(db, route.id)
        ranks = _ranks(stops, known)
        with_contact = rule == "always" or (rule == "on_route" and is_current)
        for stop in stops:
            rank = ranks.get(stop.id)
            shown = _stop(stop, route.id, rank, with_contact=with_contact, away=away)
            pieces.append(
                Piece(
                    kind="stop",
                    id=stop.id,
                    route_id=route.id,
                    digest=_digest(replace(shown, along_m=0.0)),
                    rank=rank,
                    along_m=shown.along_m,
                    shown=shown,
                )
            )
    return pieces


def _digest(value: Any) -> bytes:
    return blake2b(msgspec.json.encode(value), digest_size=8).digest()


def _ranks(stops: Sequence[StopRow], known: Mapping[PieceKey, ManifestPart]) -> dict[int, int]:
    """Number the stops of the tour, by id."""
    tour = [stop.id for stop in stops if not stop.removed]
    before = [known.get(("stop", stop_id)) for stop_id in tour]
    return dict(zip(tour, keep_order([part.rank if part else None for part in before]), strict=True))


def _route(row: ShownRoute, *, is_current: bool) -> ManifestRoute:
    return ManifestRoute(
        id=ids.shown(ids.ROUTE, row.id),
        external_id=row.external_id,
        current=is_current,
        status=cast(RouteStatus, row.status),
        date=row.date,
        timezone=row.timezone,
        start_at=row.start_at,
        end_at=row.end_at,
        started_at=row.started_at,
        depot=depot_of(row),
        return_to_depot=row.return_to_depot,
        length_m=round(row.length_m, 1),
    )


def _stop(row: StopRow, route_id: int, rank: int | None, *, with_contact: bool, away: str) -> ManifestStop:
    plan, wish = row.plan, wish_of(row)
    return ManifestStop(
        id=ids.shown(ids.STOP, row.id),
        route_id=ids.shown(ids.ROUTE, route_id),
        external_id=plan.external_id,
        kind=cast(StopKind, plan.kind),
        order=rank,
        status=cast(StopStatus, row.status),
        why="taken_off" if row.removed else None,
        name=plan.name,
        address=plan.address,
        lat=plan.lat,
        lon=plan.lon,
        along_m=round(plan.along_m, 1),
        park_at=_park_at(plan),
        phone=plan.phone if with_contact else None,
        email=plan.email if with_contact else None,
        window=window_of(plan),
        planned_arrival=plan.planned_arrival,
        service_s=plan.service_s,
        instructions=_instructions(plan.instructions, wish, away),
        parcels=parcels_of(plan),
        cash_on_delivery=cash_of(plan),
        proof=list(plan.proof),
        recipient=wish,
        arrived_at=row.arrived_at,
        departed_at=row.departed_at,
    )


def _park_at(plan: StopPlan) -> ParkingSpot | None:
    if plan.park_lat is None or plan.park_lon is None:
        return None
    return ParkingSpot(lat=plan.park_lat, lon=plan.park_lon)


def _instructions(planned: str | None, wish: RecipientWish | None, away: str) -> str | None:
    """Join what planner and recipient say, a line each: apps that know nothing of recipients show it too.

    Args:
        away: says that nobody is at home.
    """
    if wish is None:
        return planned or None
    neighbour = f"{wish.neighbour.name}, {wish.neighbour.address}" if wish.neighbour else None
    said = [away if wish.away else None, planned, wish.instructions, wish.safe_place, neighbour]
    return "\n".join(line for line in said if line) or None
