"""A tour through the centre of Medellín as rows: what a planner put and what the tracker would write."""

import math
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pyproj

from api.http.auth import hash_of
from geo.pings import Pings
from geo.plan.facts import JUDGED
from geo.times import ms_of
from sql.delivery.driver_events import NewDriverEvent, put_driver_events
from sql.pings.pings import copy_pings
from sql.pool import Pool

PATH_LON = [-75.5690, -75.5684, -75.5678, -75.5655, -75.5632, -75.5638, -75.5644, -75.5667, -75.5690]
PATH_LAT = [6.2442, 6.2461, 6.2480, 6.2487, 6.2494, 6.2513, 6.2532, 6.2525, 6.2518]
PATH_ALONG_M = [0.0, *np.cumsum(pyproj.Geod(ellps="WGS84").line_lengths(PATH_LON, PATH_LAT)).tolist()]

NAMES = ("Ana Restrepo", "Ferretería El Tornillo", "Taller Laureles", "Lucía Gómez", "Panadería Prado")


def place_at(along_m: float) -> tuple[float, float]:
    """Give lon and lat of a place along the path."""
    lon, lat = (float(np.interp(along_m, PATH_ALONG_M, column)) for column in (PATH_LON, PATH_LAT))
    return lon, lat


def e6(degrees: float) -> int:
    return round(degrees * 1e6)


@dataclass(kw_only=True)
class Tour:
    """One route of `len(stop_ids)` stops, evenly along the path; `tokens` open their tracking links."""

    pool: Pool
    account_id: int
    driver_id: int
    lane: int
    device_id: int
    route_id: int
    stop_ids: Sequence[int]
    tokens: Sequence[str]
    stop_along_m: Sequence[float]
    start_at: datetime
    end_at: datetime
    external_id: str
    version: int = field(default=1)

    @classmethod
    async def put(
        cls,
        pool: Pool,
        account_id: int,
        *,
        start_at: datetime,
        external_id: str = "tour-1",
        driver: str = "Marta Quintero",
        stops: int = 4,
        kinds: Mapping[int, str] | None = None,
        timezone: str = "America/Bogota",
        status: str = "started",
    ) -> Self:
        """Put a route of six hours with a driver and a phone."""
        end_at = start_at + timedelta(hours=6)
        lanes = await pool.fetchval("SELECT lanes FROM instance")
        driver_id = await pool.fetchval(
            "INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, 0, $2, $3) RETURNING id",
            account_id,
            f"driver of {external_id}",
            driver,
        )
        lane = driver_id % lanes
        await pool.execute("UPDATE driver SET lane = $2 WHERE id = $1", driver_id, lane)
        device_id = await pool.fetchval(
            "INSERT INTO device (account_id, driver_id, app, ingest_token_hash)"
            " VALUES ($1, $2, 'native', $3) RETURNING id",
            account_id,
            driver_id,
            secrets.token_bytes(32),
        )
        route_id = await pool.fetchval(
            """INSERT INTO route (account_id, external_id, version, driver_id, date, timezone, start_at, end_at,
                                  return_to_depot, path_source, length_m, status, started_at)
               VALUES ($1, $2, 1, $3, $4, $5, $6, $7, false, 'given', $8, $9, $10) RETURNING id""",
            account_id,
            external_id,
            driver_id,
            start_at.astimezone(ZoneInfo(timezone)).date(),
            timezone,
            start_at,
            end_at,
            PATH_ALONG_M[-1],
            status,
            start_at if status == "started" else None,
        )
        along_m = [PATH_ALONG_M[-1] * (n + 1) / (stops + 1) for n in range(stops)]
        tokens = [secrets.token_urlsafe(18) for _ in range(stops)]
        stop_ids = [
            await pool.fetchval(
                """INSERT INTO stop (account_id, route_id, external_id, seq, kind, name, lat, lon, along_m, radius_m,
                                     service_s, link_hash)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 60, 120, $10) RETURNING id""",
                account_id,
                route_id,
                f"stop-{n}",
                n,
                (kinds or {}).get(n, "delivery"),
                NAMES[n % len(NAMES)],
                place_at(along_m[n])[1] + 0.0002,
                place_at(along_m[n])[0],
                along_m[n],
                hash_of(tokens[n]),
            )
            for n in range(stops)
        ]
        await pool.execute(
            """INSERT INTO route_version (route_id, version, effective_at, driver_id, start_at, end_at, return_to_depot,
                   path_lon, path_lat, path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m,
                   stop_service_s, stop_planned_at)
               VALUES ($1, 1, '-infinity', $2, $3, $4, false, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
            route_id,
            driver_id,
            start_at,
            end_at,
            PATH_LON,
            PATH_LAT,
            PATH_ALONG_M,
            stop_ids,
            [place_at(along)[0] for along in along_m],
            [place_at(along)[1] for along in along_m],
            along_m,
            [60.0] * stops,
            [120.0] * stops,
            [None] * stops,
        )
        return cls(
            pool=pool,
            account_id=account_id,
            driver_id=driver_id,
            lane=lane,
            device_id=device_id,
            route_id=route_id,
            stop_ids=stop_ids,
            tokens=tokens,
            stop_along_m=along_m,
            start_at=start_at,
            end_at=end_at,
            external_id=external_id,
        )

    async def see_van(self, along_m: float, /, *, at: datetime, **changes: Any) -> None:
        """Write the live row of a van `along_m` on its way; `changes` overwrite columns."""
        lon, lat = place_at(along_m)
        row: dict[str, Any] = {
            "lane": self.lane,
            "driver_id": self.driver_id,
            "account_id": self.account_id,
            "recorded_at": at,
            "received_at": at,
            "lat_e6": e6(lat + 0.0001),  # the raw fix lies beside the path
            "lon_e6": e6(lon + 0.0001),
            "speed_mps": 6.5,
            "heading_deg": 40.0,
            "battery": 0.8,
            "route_id": self.route_id,
            "route_version": self.version,
            "on_route": True,
            "along_m": along_m,
            "offset_m": 3.0,
            "snapped_lat_e6": e6(lat),
            "snapped_lon_e6": e6(lon),
            **changes,
        }
        columns, places = ", ".join(row), ", ".join(f"${n + 1}" for n in range(len(row)))
        sets = ", ".join(f"{name} = excluded.{name}" for name in row)
        await self.pool.execute(
            f"INSERT INTO live ({columns}) VALUES ({places}) ON CONFLICT (lane, driver_id) DO UPDATE SET {sets}",
            *row.values(),
        )

    async def expect(
        self, arrivals: Mapping[int, datetime], *, as_of: datetime, either_way: timedelta = timedelta(minutes=4)
    ) -> None:
        """Write when the van is expected at which stops, by their place in the tour."""
        await self.pool.execute(
            """INSERT INTO route_eta (route_id, version, as_of, computed_at, stop_ids, expected, low, high, remaining_m)
               VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8)
                   ON CONFLICT (route_id) DO UPDATE
                  SET version = excluded.version, as_of = excluded.as_of, computed_at = excluded.computed_at,
                      stop_ids = excluded.stop_ids, expected = excluded.expected, low = excluded.low,
                      high = excluded.high, remaining_m = excluded.remaining_m""",
            self.route_id,
            self.version,
            as_of,
            [self.stop_ids[place] for place in arrivals],
            list(arrivals.values()),
            [expected - either_way for expected in arrivals.values()],
            [expected + either_way for expected in arrivals.values()],
            [self.stop_along_m[place] for place in arrivals],
        )

    async def visit(self, place: int, arrived_at: datetime, departed_at: datetime | None = None) -> None:
        """Write a visit of a stop, and what the stop says of it."""
        await self.pool.execute(
            """INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, route_version, stop_id, arrived_at,
                                  departed_at, source)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'auto')""",
            self.lane,
            uuid4(),
            self.driver_id,
            self.account_id,
            self.route_id,
            self.version,
            self.stop_ids[place],
            arrived_at,
            departed_at,
        )
        await self.change_stop(place, status="arrived", arrived_at=arrived_at, departed_at=departed_at)

    async def say(
        self, kind: str, *, at: datetime, place: int | None = None, data: Mapping[str, Any] | None = None,
        driver_id: int | None = None, effective: bool = True,
    ) -> None:  # fmt: skip
        """Write an event of the driver, or of another one, judged already: of a stop, of the route, or of a shift."""
        of_route = not kind.startswith(("shift_", "break_"))
        event = NewDriverEvent(
            id=uuid4(), type=kind, route_id=self.route_id if of_route else None,
            stop_id=None if place is None else self.stop_ids[place], occurred_ms=ms_of(at), lat=None, lon=None,
            data=dict(data or {}), outcome={}, flaw=None, pin_generation=None, manifest_version=None,
        )  # fmt: skip
        who = driver_id or self.driver_id
        async with self.pool.acquire() as db, db.transaction():
            await put_driver_events(
                db, driver_id=who, account_id=self.account_id, lane=self.lane, device_id=None, events=[event]
            )
            await db.execute("UPDATE driver_event SET effective = $2 WHERE id = $1", event.id, effective)

    async def change_stop(self, place: int, **changes: Any) -> None:
        """Overwrite columns of a stop."""
        await self._change("stop", self.stop_ids[place], changes)

    async def change_route(self, **changes: Any) -> None:
        """Overwrite columns of the route."""
        await self._change("route", self.route_id, changes)

    async def _change(self, table: str, key: int, changes: Mapping[str, Any]) -> None:
        sets = ", ".join(f"{name} = ${n + 2}" for n, name in enumerate(changes))
        await self.pool.execute(f"UPDATE {table} SET {sets} WHERE id = $1", key, *changes.values())

    async def keep_pings(self, times: Sequence[datetime], **changes: Any) -> None:
        """Write pings along the path, one a time given; the table's partitions are made."""
        for n, at in enumerate(times):
            await self.pool.execute("SELECT make_ping_partition($1)", at.astimezone(UTC).date())
            along_m = PATH_ALONG_M[-1] * n / max(1, len(times) - 1)
            lon, lat = place_at(along_m)
            row: dict[str, Any] = {
                "device_id": self.device_id,
                "recorded_ms": ms_of(at),
                "lat_e6": e6(lat + 0.0001),
                "lon_e6": e6(lon + 0.0001),
                "received_ms": ms_of(at) + 2000,
                "accuracy_m": 12.3,
                "speed_mps": 6.5,
                "heading_deg": 40.0,
                "believed": True,
                "on_route": True,
                "route_id": self.route_id,
                "route_version": 1,
                "along_m": along_m,
                "offset_m": 3.2,
                "snapped_lat_e6": e6(lat),
                "snapped_lon_e6": e6(lon),
                **changes,
            }
            ping, judged = Pings.empty(1), np.zeros(1, JUDGED)
            for name, value in row.items():
                for rows in (ping.rows, judged):
                    if name in (rows.dtype.names or ()):
                        rows[name] = value if value is not None else math.nan if rows.dtype[name].kind == "f" else 0
            async with self.pool.acquire() as db:
                await copy_pings(db, ping, judged)
            if row["believed"] is None:
                await self.pool.execute("UPDATE packed_ping SET bits = 0 WHERE recorded_at = $1", at)

    async def tell(self) -> None:
        """Notify as the tracker does after a commit."""
        await self.pool.execute(
            "SELECT pg_notify('reparto_live', $1)", f"{self.account_id}:{self.driver_id}:{self.route_id}"
        )
