"""Recipients of a bench: tours on the road, a tracking link for every stop, and phones that keep the vans moving."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from reparto.bench.ingest.fleet import drive_of
from reparto.bench.ingest.load import BenchDevice
from reparto.bench.ingest.wire import Wire, get_of, open_wires, pings_of
from reparto.client.client import Client
from reparto.client.product import Product
from reparto.simulate.fleet import GUADALAJARA, enlist, make_trip, route_of_tour, seeds

_TRIPS = 4  # different ones; vans on the same trip have their own routes
_AT_ONCE = 8
_ON_THE_ROAD_S = 120  # every van left so long ago: it is between two stops, and everybody behind it has an ETA
_SHOWN_WITHIN_S = 300.0  # trackers have two hundred tours to look at first


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchVan:
    """A van on its tour, its phone, and the tokens of its recipients' links."""

    device: BenchDevice
    tokens: Sequence[str]


async def make_vans(product: Product, vans: int, stops: int) -> list[BenchVan]:
    """Put tours through the API, and bring the vans onto the road."""
    trips = [make_trip(seed, city=GUADALAJARA, stops=stops, every_s=1.0) for seed in seeds(2, _TRIPS)]
    drives = [drive_of(trip, seed) for seed, trip in enumerate(trips)]
    gate = asyncio.Semaphore(_AT_ONCE)
    now_ms = round(time.time() * 1000)

    async def make(client: Client, number: int) -> BenchVan:
        name, which = f"van-{number:05}", number % _TRIPS
        leaves_ms = now_ms - _ON_THE_ROAD_S * 1000
        async with gate:
            driver_id, _, token = await enlist(client, name, name)
            put = await client.put_route(
                route_of_tour(trips[which].tour, name, driver=name, leaves_ms=leaves_ms, city=GUADALAJARA)
            )
        tokens = [stop["tracking_url"].rpartition("/")[2] for stop in put["stops"]]
        return BenchVan(
            device=BenchDevice(token=token, driver_id=driver_id, drive=drives[which], starts_ms=leaves_ms),
            tokens=tokens,
        )

    async with Client(product.api_url, product.key) as client:
        made = await asyncio.gather(*(make(client, number) for number in range(vans)))
    await drive_on(product, made)
    await _until_shown(product, made)
    return made


async def drive_on(product: Product, vans: Sequence[BenchVan]) -> None:
    """Send of every van what its phone recorded since it was heard of last."""
    [(transport, wire)] = await open_wires(product.ingest_url, 1)
    try:
        for van in vans:
            pings = int(time.time() - van.device.starts_ms / 1000) - van.device.at
            if pings > 0:
                await _send(wire, van.device, pings)
    finally:
        transport.close()


async def _send(wire: Wire, device: BenchDevice, pings: int) -> None:
    status, said = await wire.ask(pings_of(device.token, device.batch(pings)))
    if status != 200:
        raise RuntimeError(f"the door answers {status}: {said[:300].decode(errors='replace')}")


async def _until_shown(product: Product, vans: Sequence[BenchVan]) -> None:
    """Wait until the recipients of the last van see that it is out."""
    [(transport, wire)] = await open_wires(product.api_url, 1)
    try:
        async with asyncio.timeout(_SHOWN_WITHIN_S):
            for van in vans:
                while b'"under_way":true' not in (await wire.ask(poll_of(van.tokens[-1])))[1]:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
    finally:
        transport.close()


def poll_of(token: str, tag: str = "") -> bytes:
    """Write a poll of a link; with a tag it is answered 304 while nothing changed."""
    known = f"If-None-Match: {tag}\r\n" if tag else ""
    return get_of(f"/v1/track/{token}", more=known)
