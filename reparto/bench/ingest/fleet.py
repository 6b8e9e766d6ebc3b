"""The devices that a bench sends for: each on a tour of its own, so that trackers do all of their work."""

import asyncio
import time
from collections.abc import Sequence

from geo.simulate.phone import Faults, phone
from reparto.bench.ingest.load import BenchDevice, DriveSecond, told
from reparto.client.client import Client
from reparto.simulate.fleet import GUADALAJARA, Trip, make_trip, route_of_tour, seeds

_TRIPS = 24  # different ones; devices on the same trip have their own routes
_STOPS = 120  # about six hours of driving: more than a bench sends of one device
_AT_ONCE = 8
_AN_HOUR_MS = 3_600_000


async def make_fleet(api_url: str, key: str, devices: int) -> list[BenchDevice]:
    """Make drivers, devices and routes through the API; the drives ended an hour ago."""
    trips = [make_trip(seed, city=GUADALAJARA, stops=_STOPS, every_s=1.0) for seed in seeds(1, _TRIPS)]
    drives = [drive_of(trip, seed) for seed, trip in enumerate(trips)]
    now_ms = round(time.time() * 1000)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def make(client: Client, number: int) -> BenchDevice:
        trip, name = trips[number % _TRIPS], f"bench-{number:04}"
        leaves_ms = now_ms - trip.home_ms - _AN_HOUR_MS
        route = route_of_tour(trip.tour, name, driver=name, leaves_ms=leaves_ms, city=GUADALAJARA)
        async with gate:
            driver_id = await client.driver(name, name)
            made = await client.ask("POST", f"/v1/drivers/{driver_id}/devices", body={"app": "native"})
            await client.put_route(route)
        return BenchDevice(
            token=made["token"],
            ingest_token=made["ingest_token"],
            driver_id=driver_id,
            drive=drives[number % _TRIPS],
            starts_ms=leaves_ms,
        )

    async with Client(api_url, key) as client:
        return await asyncio.gather(*(make(client, number) for number in range(devices)))


def drive_of(trip: Trip, seed: int) -> Sequence[DriveSecond]:
    """Write what a phone tells of every second of a trip; none lost, late or twice: the load decides what is sent."""
    pings, _ = phone(trip.truth, seed=seed, faults=Faults(gaps_per_h=0, lost=0, repeated=0, late=0))
    rows = pings.rows[pings.rows["recorded_ms"].argsort()]
    columns = ("lat_e6", "lon_e6", "speed_mps", "heading_deg")
    return [
        told(lat_e6 / 1e6, lon_e6 / 1e6, speed_mps, heading_deg)
        for lat_e6, lon_e6, speed_mps, heading_deg in zip(*(rows[name].tolist() for name in columns), strict=True)
    ]
