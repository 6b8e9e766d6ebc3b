"""What the product says of recorded tours when they come in by HTTP and are read back by HTTP.

The pings are sent as a backlog, in the order of their arrival; what is read is settled history, in which a ping that
came late was folded in its place and a fix may have been judged again in the light of the next one.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geo.pings import Bools, Floats
from reparto.client.client import Client, Phone, route_path, together
from reparto.client.planner import PlannedRoute
from reparto.client.product import throw_away
from reparto.client.recordings import Case, Recording, time_ms
from reparto.client.tally import Tally
from reparto.data.importer import import_routes, moved_to_now
from reparto.data.replay import AT_ONCE, progress_bar, send_recording
from reparto.simulate.van import fix_of
from reparto.simulate.verify import CATCH_UP_S, quiet_track, settled

NEW = "new"
"""In the place of an address: a product of our own, thrown away afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoor:
    """Where a product listens: for pings, for questions, and with which key."""

    ingest_url: str
    api_url: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductSaid:
    """What was said of a recording.

    Attributes:
        along_m: (n,) place along the path at each row; NaN: none yet.
        off: (n,) bool: off the route.
        visits: (stop, "arrive" or "depart", when by the recording's clock, epoch milliseconds).
    """

    along_m: Floats
    off: Bools
    visits: list[tuple[str, str, int]]


@contextmanager
def open_door(url: str, key: str) -> Iterator[FrontDoor]:
    """Find the product at an address, or start one for the block. Call it outside of an event loop."""
    if url != NEW:
        yield FrontDoor(ingest_url=url, api_url=url, key=key)
        return
    with throw_away() as product:
        yield FrontDoor(ingest_url=product.ingest_url, api_url=product.api_url, key=product.key)


async def say(door: FrontDoor, cases: Sequence[Case]) -> list[ProductSaid]:
    """Bring cases with a recording in, each with a driver of its own; read what the product made of them.

    Raises:
        CannotRun: the product does not answer, or did not settle in time.
    """
    run = time.time_ns() // 1_000_000  # a tour that was scored before has another driver and another route now
    moved = [_named(case, f"score-{run}-{case.name}") for case in cases]
    async with Client(door.api_url, door.key) as client:
        drivers = await import_routes(client, [route for route, _ in moved])
        with progress_bar() as progress:
            bar = progress.add_task("pings", total=sum(len(recording.pings) for _, recording in moved))
            phones = [
                Phone(client.session, door.ingest_url, token, Tally(), random.Random(recording.name))
                for _, recording in moved
                for _, token in [await client.device(drivers[recording.name], "score")]
            ]
            await together(
                send_recording(phone, recording, AT_ONCE, lambda sent: progress.advance(bar, sent))
                for phone, (_, recording) in zip(phones, moved, strict=True)
            )
        until_s = time.monotonic() + CATCH_UP_S
        for _, recording in moved:
            fixes = len(set(map(fix_of, recording.pings)))
            await quiet_track(
                client, drivers[recording.name], since_ms=recording.first_ms, pings=fixes, until_s=until_s
            )
        await settled(client, until_s=until_s)
        return [await _said(client, case, recording) for case, (_, recording) in zip(cases, moved, strict=True)]


def _named(case: Case, name: str) -> tuple[PlannedRoute, Recording]:
    route, recording = moved_to_now(case, speed=AT_ONCE, timezone="UTC")
    assert recording is not None
    route = replace(route, external_id=name, driver=name, body=route.body | {"driver": name})
    return route, replace(recording, name=name)


async def _said(client: Client, case: Case, recording: Recording) -> ProductSaid:
    assert case.recording is not None
    shift_ms = recording.last_ms - case.recording.last_ms
    path = route_path(recording.name)
    along_m, off = _at_rows(await client.track(f"{path}/track"), recording)
    visits = (await client.ask("GET", f"{path}/visits"))["visits"]
    return ProductSaid(
        along_m=along_m,
        off=off,
        visits=[
            (visit["stop_external_id"], kind, time_ms(visit[at]) - shift_ms)
            for visit in visits
            for kind, at in (("arrive", "arrived_at"), ("depart", "departed_at"))
            if visit[at] is not None
        ],
    )


def _at_rows(track: dict[str, list[Any]], recording: Recording) -> tuple[Floats, Bools]:
    """Look up every row of a recording by its fix; one of which nothing is known gets what was known before it."""
    known: dict[tuple[int, int, int], tuple[float, bool]] = {}
    along_m, off = np.nan, False
    columns = ("time", "lat", "lon", "along_m", "on_route", "believed")
    for at, lat, lon, place_m, on_route, believed in zip(*(track.get(name, ()) for name in columns), strict=True):
        if believed and on_route is not None:
            off = not on_route
        if place_m is not None:
            along_m = place_m
        known[time_ms(at), round(lat * 1e6), round(lon * 1e6)] = along_m, off
    said: list[tuple[float, bool]] = []
    last = (np.nan, False)
    for ping in recording.pings:
        last = known.get(fix_of(ping), last)
        said.append(last)
    rows = np.array([row for row, _ in said], np.float64)
    return rows, np.array([row for _, row in said], np.bool_)
