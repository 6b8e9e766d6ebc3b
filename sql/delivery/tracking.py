"""What a tracking link opens: a stop, and as much of its route as it takes to say when the van comes."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

SHIFTS_USED_DAYS = 30
"""A driver who said nothing of shifts for longer does not use them any more: holidays are shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedStop:
    """A stop of a route. Recipients see their own only; the others are counted.

    Attributes:
        link_hash: SHA-256 of the token that works now; another one's link was rotated away.
        moved_links: the same of the stops that it was on other routes.
        outcome_at: when the driver said what became of it; None: nothing of that stands.
        asks_pin: the driver needs its PIN, which is derived from `pin_generation`.
        cash_amount: to be paid at the door, in `cash_currency`; None: nothing.
        received_by: who took it or handed it over, as the driver wrote it.
    """

    id: int
    kind: str
    name: str
    lat: float
    lon: float
    along_m: float
    locale: str | None
    window_start: datetime | None
    window_end: datetime | None
    status: str
    arrived_at: datetime | None
    departed_at: datetime | None
    link_hash: bytes = field(repr=False)
    link_revoked: bool
    moved_links: Sequence[bytes] = field(default=(), repr=False)
    outcome_at: datetime | None = None
    asks_pin: bool = False
    pin_generation: int = 0
    cash_amount: Decimal | None = None
    cash_currency: str | None = None
    received_by: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedVan:
    """The newest believed ping of the route's driver while on this route.

    Attributes:
        version: of the route's path that `along_m` is measured on.
        along_m, snapped_lat_e6, snapped_lon_e6: None when not snapped.
    """

    recorded_at: datetime
    version: int
    on_route: bool
    along_m: float | None
    heading_deg: float | None
    snapped_lat_e6: int | None
    snapped_lon_e6: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedEta:
    """The arrivals at the stops ahead, in the order the van comes to them; `version` is the route's then."""

    version: int
    as_of: datetime
    stop_ids: Sequence[int]
    expected: Sequence[datetime]
    low: Sequence[datetime]
    high: Sequence[datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRoute:
    """A route as its recipients' pages need it.

    Attributes:
        settings: of the account.
        driver_name: None when nobody drives it.
        van: None while its driver was not seen on it.
        eta: None until a ping was on it.
        stops: in the order of the tour, removed ones too.
        break_since: since when its driver is on a break, as far as what they did tells; None: they are on none.
        off_shift: its driver uses shifts and is in none.
        shift_since: when the shift began that its driver is in; None: in none, or they do not use them.
        secret: the installation's, from which PINs are derived.
        live_written, eta_written, stops_written: tell this reading from one after another write of the van's place, of
            the ETA, of a stop; None: there is none.
    """

    id: int
    settings: dict[str, Any]
    version: int
    status: str
    timezone: str
    end_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None
    updated_at: datetime
    deleted_at: datetime | None
    driver_name: str | None
    van: TrackedVan | None
    eta: TrackedEta | None
    stops: Sequence[TrackedStop]
    break_since: datetime | None = None
    off_shift: bool = False
    shift_since: datetime | None = None
    secret: bytes = field(default=b"", repr=False)
    live_written: int | None = field(default=None, compare=False)
    eta_written: int | None = field(default=None, compare=False)
    stops_written: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStretch:
    """Some vertices of a path: degrees, and metres along it."""

    lon: Sequence[float]
    lat: Sequence[float]
    along_m: Sequence[float]

    def part(self, from_m: float, to_m: float) -> "PathStretch | None":
        """Give what `read_stretch` would read of a part; None where these vertices do not reach so far."""
        if not self.along_m or from_m < self.along_m[0] or to_m > self.along_m[-1]:
            return None
        kept = slice(bisect_right(self.along_m, from_m) - 1, bisect_right(self.along_m, to_m) + 1)
        return PathStretch(lon=self.lon[kept], lat=self.lat[kept], along_m=self.along_m[kept])


async def find_tracked_routes(db: Db | Pool, link_hashes: Sequence[bytes]) -> dict[bytes, int]:
    """Find the routes that links lead to, by the hash of the link; those that lead nowhere are left out."""
    rows = await db.fetch(_SQL["find_tracked_routes"], link_hashes)
    return {row["link_hash"]: row["route_id"] for row in rows}


async def tracked_route(db: Db | Pool, route_id: int, before: TrackedRoute | None = None) -> TrackedRoute:
    """Read a route that is known to exist.

    Args:
        before: what it was at an earlier time: its stops are taken over where none of them was written since. That
            somebody else took a parcel is found without it only.
    """
    row = await db.fetchrow(_SQL["tracked_route"], route_id, SHIFTS_USED_DAYS)
    assert row is not None
    if before is not None and before.stops_written == row["stops_written"]:
        stops = before.stops
    else:
        stops = [TrackedStop(**stop) for stop in await db.fetch(_SQL["tracked_stops"], route_id)]
    van = eta = None
    if row["recorded_at"] is not None:
        van = TrackedVan(
            recorded_at=row["recorded_at"],
            version=row["live_version"],
            on_route=bool(row["on_route"]),
            **{name: row[name] for name in ("along_m", "heading_deg", "snapped_lat_e6", "snapped_lon_e6")},
        )
    if row["as_of"] is not None:
        eta = TrackedEta(
            version=row["eta_version"],
            **{name: row[name] for name in ("as_of", "stop_ids", "expected", "low", "high")},
        )
    return TrackedRoute(
        id=route_id,
        van=van,
        eta=eta,
        stops=stops,
        **{
            name: row[name]
            for name in (
                *("settings", "version", "status", "timezone", "end_at", "started_at", "finished_at", "updated_at"),
                *("deleted_at", "driver_name", "break_since", "off_shift", "shift_since", "secret"),
                *("live_written", "eta_written", "stops_written"),
            )
        },
    )


async def read_stretch(db: Db | Pool, *, route_id: int, version: int, from_m: float, to_m: float) -> PathStretch | None:
    """Read the part of a path that covers `from_m` to `to_m`; None when there is no such version."""
    row = await db.fetchrow(_SQL["read_stretch"], route_id, version, from_m, to_m)
    return None if row is None else PathStretch(**row)
