"""A made-up fleet: tours through a city of its own, the people in it, and what the phones of its vans report.

The geometry and the noise are `geo.simulate`'s; here they become routes for the API and pings for the door.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from geo.pings import UNKNOWN_MS, Floats, Ints, Pings
from geo.plan.plans import Plan
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape.lines import along_m
from geo.simulate.drive import Truth, drive
from geo.simulate.phone import Faults, phone
from geo.simulate.tour import Tour, street_grid_tour
from reparto.client.client import Client
from reparto.client.planner import PlannedRoute
from reparto.client.recordings import SentPing

_RADIUS_M = 40.0
_FIRST_NAMES = (
    "Alejandra", "Bruno", "Carmen", "Diego", "Elena", "Fernando", "Gabriela", "Hugo", "Inés", "Joaquín", "Karla",
    "Leonardo", "Mariana", "Nicolás", "Olivia", "Pablo", "Renata", "Santiago", "Teresa", "Ulises", "Valeria", "Ximena",
)  # fmt: skip
_LAST_NAMES = (
    "Aguirre", "Barragán", "Cárdenas", "Domínguez", "Escobedo", "Fuentes", "Gallardo", "Huerta", "Ibarra", "Jáuregui",
    "Loza", "Montaño", "Navarro", "Orozco", "Padilla", "Quezada", "Robles", "Saldaña", "Tejeda", "Villaseñor",
)  # fmt: skip
_STREETS = (
    "Calle del Colibrí", "Av. de los Fresnos", "Calle Luna Nueva", "Av. Río Claro", "Calle de la Alfarera",
    "Calle Tres Molinos", "Av. del Maíz", "Calle Jacaranda", "Calle del Barro", "Av. Norte 12", "Calle Agua Fría",
)  # fmt: skip
_PROOFS = {"photo": 0.15, "pin": 0.2, "barcode": 0.1}
"""Shares of the stops that ask for each."""

_ASKS = ("Tocar el timbre dos veces", "Dejar con el portero", "Llamar al llegar", "Portón verde")


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Where the tours are.

    Attributes:
        lon, lat: its middle, degrees.
        blocks: its width and height, at least.
    """

    lon: float
    lat: float
    timezone: str
    blocks: int
    currency: str


GUADALAJARA = City(lon=-103.3496, lat=20.6736, timezone="America/Mexico_City", blocks=26, currency="MXN")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trip:
    """A tour and a drive of it, by a clock that is 0 when the van leaves."""

    tour: Tour
    truth: Truth

    @property
    def home_ms(self) -> int:
        """When the van is back."""
        return int(self.truth.ms[-1])

    @property
    def stays_ms(self) -> Ints:
        """When the van comes to each stop and leaves it, (s, 2)."""
        return np.column_stack((self.truth.arrived_ms, self.truth.departed_ms))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """What a phone tells of a trip, by the trip's clock.

    Attributes:
        pings: in the order in which the phone has them to send.
        due_ms: (n,) from when it can send each; never decreasing.
        offline_ms: times without a network, from and to.
    """

    pings: Pings
    due_ms: Ints
    offline_ms: Sequence[tuple[float, float]] = ()

    def __len__(self) -> int:
        return len(self.pings)

    def sendable_ms(self, at_ms: int) -> int:
        """Tell from when something that happened at a time can be sent."""
        due_ms: float = at_ms
        for begins_ms, ends_ms in self.offline_ms:
            if begins_ms <= due_ms < ends_ms:
                due_ms = ends_ms
        return math.ceil(due_ms)

    def sent_pings(self, first: int, past: int, *, leaves_ms: int) -> list[SentPing]:
        """Write some of them for the door; the van left at `leaves_ms`."""
        rows = self.pings.rows[first:past]
        names = ("recorded_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery")
        return [
            SentPing(
                time=leaves_ms + at_ms,
                lat=lat_e6 / 1e6,
                lon=lon_e6 / 1e6,
                accuracy_m=_known(accuracy_m),
                speed_mps=_known(speed_mps),
                heading_deg=_known(heading_deg),
                battery=_known(battery),
            )
            for at_ms, lat_e6, lon_e6, accuracy_m, speed_mps, heading_deg, battery in zip(
                *(rows[name].tolist() for name in names), strict=True
            )
        ]


def make_trip(seed: int, *, city: City, stops: int, every_s: float, service: float = 1.0) -> Trip:
    """Make a tour and drive it; the same seed makes the same trip.

    Args:
        every_s: between two fixes, seconds.
        service: factor on the time at the stops, the planned and the real one.
    """
    blocks = max(city.blocks, math.ceil(4 * math.sqrt(stops)))  # many stops lie in a larger district
    tour = street_grid_tour(city.lon, city.lat, seed=seed, stops=stops, blocks=blocks)
    saved_s = tour.stop_service_s * (1 - service)
    tour = replace(
        tour,
        stop_service_s=tour.stop_service_s * service,
        stop_arrival_s=tour.stop_arrival_s - np.cumsum(saved_s) + saved_s,
        duration_s=tour.duration_s - float(saved_s.sum()),
    )
    return drive_tour(tour, seed, every_s=every_s)


def drive_tour(tour: Tour, seed: int, *, every_s: float) -> Trip:
    """Drive a tour; the same seed drives the same.

    Args:
        every_s: between two fixes, seconds.
    """
    truth = drive(plan_of(tour, 1), seed=seed, start_ms=0, every_s=every_s)
    return Trip(tour=tour, truth=truth)


def plan_of(tour: Tour, number: int) -> Plan:
    """Prepare the plan of a tour that is to begin at 0, as that of the route and the driver of a number."""
    n = len(tour.stop_lon)
    return prepare_plan(
        Head(
            route_id=number,
            version=1,
            order=(0, ""),
            effective_ms=UNKNOWN_MS,
            driver_id=number,
            start_ms=0,
            end_ms=round(tour.duration_s * 1000),
            return_to_depot=True,
        ),
        PathColumns(tour.path_lon, tour.path_lat, tour.path_along_m),
        StopColumns(
            ids=np.arange(1, n + 1),
            lon=tour.stop_lon,
            lat=tour.stop_lat,
            along_m=tour.stop_along_m,
            radius_m=np.full(n, _RADIUS_M),
            service_s=tour.stop_service_s,
            planned_ms=np.rint(tour.stop_arrival_s * 1000).astype(np.int64),
        ),
    )


def report(trip: Trip, seed: int, *, from_ms: int, to_ms: int, offline_per_h: float, gaps_per_h: float) -> Report:
    """Report a stretch of a trip as a phone would: with noise, gaps, fixes late and twice, and times without network.

    Args:
        from_ms, to_ms: by the trip's clock.
        offline_per_h: times of 20 to 150 s in which nothing can be sent; what was recorded then is sent at their end.
        gaps_per_h: times of one to four minutes in which the phone finds no fix.
    """
    inside = slice(*np.searchsorted(trip.truth.ms, (from_ms, to_ms)))
    columns = ("ms", "lon", "lat", "along_m", "speed_mps", "heading_deg", "standing")
    stretch = replace(trip.truth, **{name: getattr(trip.truth, name)[inside] for name in columns})
    if not len(stretch):
        return Report(pings=Pings.empty(), due_ms=np.zeros(0, np.int64))
    pings, due_ms = phone(stretch, seed=seed, faults=Faults(gaps_per_h=gaps_per_h))
    chance = np.random.default_rng(seed)
    offline_ms = []
    for begins in chance.uniform(from_ms, to_ms, chance.poisson(offline_per_h * (to_ms - from_ms) / 3_600_000)):
        ends = min(begins + chance.uniform(20_000, 150_000), to_ms)
        due_ms[(due_ms >= begins) & (due_ms < ends)] = ends
        offline_ms.append((begins, ends))
    return Report(pings=pings, due_ms=np.minimum(due_ms, to_ms), offline_ms=offline_ms)


def tour_of_route(shown: Mapping[str, Any]) -> Tour:
    """Read a tour from a route, as `GET /v1/routes/{route}` shows it."""
    starts = datetime.fromisoformat(shown["start_at"])
    stops = shown["stops"]

    def after_s(moment: str) -> float:
        return (datetime.fromisoformat(moment) - starts).total_seconds()

    def column(name: str) -> Floats:
        return np.array([stop[name] for stop in stops], np.float64)

    path_lon, path_lat = np.array(shown["path"]["coordinates"], np.float64).T
    path_along_m = along_m(path_lon, path_lat)
    return Tour(
        depot_lon=float(path_lon[0]),
        depot_lat=float(path_lat[0]),
        path_lon=path_lon,
        path_lat=path_lat,
        path_along_m=path_along_m,
        stop_lon=column("lon"),
        stop_lat=column("lat"),
        stop_along_m=np.minimum(column("along_m"), path_along_m[-1]),
        stop_service_s=column("service_s"),
        stop_arrival_s=np.array([after_s(stop["planned_arrival"]) for stop in stops]),
        duration_s=after_s(shown["end_at"]),
    )


def route_of_tour(tour: Tour, name: str, *, driver: str, leaves_ms: int, city: City) -> PlannedRoute:
    """Write a tour for the API, with people and addresses of its own making."""
    chance = random.Random(name)
    leaves = datetime.fromtimestamp(leaves_ms / 1000, UTC)

    def at(seconds: float) -> str:
        return (leaves + timedelta(seconds=float(seconds))).isoformat(timespec="seconds")

    places = zip(tour.stop_lon, tour.stop_lat, tour.stop_arrival_s, tour.stop_service_s, strict=True)
    stops = [
        made_up_stop(f"{number:02}", (float(lon), float(lat)), float(service_s), chance, city)
        | {"planned_arrival": at(arrival_s), "window": {"start": at(arrival_s - 1800), "end": at(arrival_s + 3600)}}
        for number, (lon, lat, arrival_s, service_s) in enumerate(places, 1)
    ]
    body = {
        "driver": driver,
        "date": leaves.astimezone(ZoneInfo(city.timezone)).date().isoformat(),
        "timezone": city.timezone,
        "start_at": at(0),
        "end_at": at(tour.duration_s + 1800),
        "depot": {"name": "Bodega", "lat": tour.depot_lat, "lon": tour.depot_lon},
        "path": {
            "type": "LineString",
            "coordinates": np.column_stack((tour.path_lon, tour.path_lat)).tolist(),
        },
        "return_to_depot": True,
        "stops": stops,
    }
    return PlannedRoute(external_id=name, driver=driver, body=body)


def names(seed: int) -> Iterator[str]:
    """Make up people, for ever."""
    chance = random.Random(seed)
    while True:
        yield f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}"


def made_up_stop(
    name: str, place: tuple[float, float], service_s: float, chance: random.Random, city: City
) -> dict[str, Any]:
    """Make up who waits at a door, and for what: as a stop or an order has it.

    Args:
        name: external id.
        place: lon and lat, degrees.
    """
    lon, lat = place
    stop: dict[str, Any] = {
        "external_id": name,
        "kind": "delivery",
        "name": f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
        "address": f"{chance.choice(_STREETS)} {chance.randrange(100, 3000)}",
        "lat": round(lat, 6),
        "lon": round(lon, 6),
        "service_s": service_s,
        "parcels": [
            {"barcode": f"GDL{chance.randrange(10**9):09}", "description": "Caja", "quantity": 1}
            for _ in range(chance.choice((1, 1, 1, 2, 3)))
        ],
    }
    if chance.random() < 0.2:
        stop["cash_on_delivery"] = {"amount": chance.randrange(10, 200) * 10, "currency": city.currency}
    if proof := [kind for kind, share in _PROOFS.items() if chance.random() < share]:
        stop["proof"] = proof
    if chance.random() < 0.3:
        stop["instructions"] = chance.choice(_ASKS)
    return stop


def _known(number: float) -> float | None:
    """Round what came from 32 bits; NaN becomes None."""
    return None if number != number else round(number, 2)


async def enlist(client: Client, driver: str, name: str) -> tuple[str, str, str]:
    """Make a driver with a phone; give the driver's id, the device's id and its token."""
    driver_id = await client.driver(driver, name)
    device_id, token = await client.device(driver_id, "simulated phone")
    return driver_id, device_id, token


def seeds(seed: int, n: int) -> Sequence[int]:
    """Make n seeds of one."""
    return [int(one) for one in np.random.SeedSequence(seed).generate_state(n)]
