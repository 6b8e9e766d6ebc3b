"""Compares what a simulated fleet had acknowledged with what the API gives back."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reparto.client.client import Client, route_path
from reparto.client.recordings import time_ms
from reparto.command import CannotRun
from reparto.simulate.van import Fix, SimulatedVan
from reparto.simulate.verify_app import app_differences

CATCH_UP_S = 120.0
"""How long the trackers may take to follow the last ping."""

_LOOK_EVERY_S = 0.5
_AT_ONCE = 4
_STAYED_MS = 60_000
"""A stay that no tracker may miss."""


@dataclass(slots=True)
class Differences:
    """What a comparison gave.

    Attributes:
        wrong: sentences about what differs; empty when nothing does.
        found: sentences about what is there.
    """

    wrong: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)


async def quiet_track(
    client: Client, driver_id: str, *, since_ms: int, pings: int, until_s: float
) -> dict[str, list[Any]]:
    """Read a driver's track since a time, again until it has so many pings and all of them are judged.

    Args:
        until_s: by `time.monotonic`; then the track is given as it is.
    """
    since = datetime.fromtimestamp(since_ms / 1000, UTC).isoformat()
    while True:
        track: dict[str, list[Any]] = {"time": [], "lat": [], "lon": [], "believed": [], "on_route": []}
        track |= await client.track(f"/v1/drivers/{driver_id}/track", query={"from": since})
        complete = len(track["time"]) >= pings and None not in track["believed"]
        if complete or time.monotonic() > until_s:
            return track
        await asyncio.sleep(_LOOK_EVERY_S)


async def settled(client: Client, *, until_s: float) -> None:
    """Wait until nothing waits to be folded, re-runs included.

    Args:
        until_s: by `time.monotonic`.

    Raises:
        CannotRun: something still waits then.
    """
    while True:
        numbers = dict(
            line.rsplit(" ", 1)
            for line in (await client.fetch("GET", "/metrics")).decode().splitlines()
            if line.startswith(("reparto_inbox_pings ", "reparto_tracks_unsettled "))
        )
        if len(numbers) == 2 and not any(map(float, numbers.values())):
            return
        if time.monotonic() > until_s:
            raise CannotRun(f"tracking did not catch up within {CATCH_UP_S:.0f} s of the last ping")
        await asyncio.sleep(_LOOK_EVERY_S)


async def verify(client: Client, vans: Sequence[SimulatedVan]) -> Differences:
    """Read every van's track, live position, ETA, visits, stops and proofs, and compare.

    Every acknowledged fix must be there once and nothing else, and so must be what the driver said and photographed;
    the live position must be the newest believed ping; a van with a believed ping on its route must have ETAs.
    """
    differences = Differences()
    until_s = time.monotonic() + CATCH_UP_S
    gate = asyncio.Semaphore(_AT_ONCE)
    newest: dict[str, int] = {}
    totals: Counter[str] = Counter()

    async def look(van: SimulatedVan) -> None:
        async with gate:
            begins_ms, wanted = van.leaves_ms + van.begins_ms, len(set(van.acknowledged))
            track = await quiet_track(client, van.driver_id, since_ms=begins_ms, pings=wanted, until_s=until_s)
            differences.wrong += _track_differences(van, track)
            believed = [at for at, counts in zip(_times(track), track["believed"], strict=True) if counts]
            if believed:
                newest[van.driver_id] = max(believed)
            visits = await client.ask("GET", f"{route_path(van.name)}/visits")
            eta = await client.ask("GET", f"{route_path(van.name)}/eta")
            visited = {visit["stop_external_id"] for visit in visits["visits"]}
            stays = _stays(van)
            totals.update(pings=len(track["time"]), visits=len(visited), stays=len(stays), seen=len(stays & visited))
            totals.update(etas=len(eta["stops"]))
            differences.wrong += await app_differences(client, van, totals, until_s=until_s)
            if believed and any(track["on_route"]) and eta["as_of"] is None:
                differences.wrong.append(f"{van.name} is on its route and has no ETA")

    async with asyncio.TaskGroup() as tasks:
        for van in vans:
            tasks.create_task(look(van))
    differences.wrong += await _live_differences(client, newest)
    differences.found += [
        f"{totals['pings']:,} pings in the tracks of {len(vans)} drivers, {len(newest)} live positions",
        f"{totals['visits']:,} stops visited, {totals['seen']:,} of {totals['stays']:,} stays of a minute or more",
        f"{totals['etas']:,} stops ahead with an ETA",
        f"{totals['events']:,} events of drivers, {totals['photos']:,} photos",
    ]
    return differences


def _track_differences(van: SimulatedVan, track: dict[str, list[Any]]) -> list[str]:
    stored: Counter[Fix] = Counter(
        (at, round(lat * 1e6), round(lon * 1e6))
        for at, lat, lon in zip(_times(track), track["lat"], track["lon"], strict=True)
    )
    acknowledged = set(van.acknowledged)
    wrong = []
    if lost := len(acknowledged - stored.keys()):
        wrong.append(f"{van.name}: {lost} acknowledged pings are not in the track")
    if alien := len(stored.keys() - acknowledged):
        wrong.append(f"{van.name}: {alien} pings in the track were never acknowledged")
    if twice := sum(n > 1 for n in stored.values()):
        wrong.append(f"{van.name}: {twice} pings are in the track more than once")
    if unjudged := track["believed"].count(None):
        wrong.append(f"{van.name}: {unjudged} pings were not judged within {CATCH_UP_S:.0f} s")
    return wrong


async def _live_differences(client: Client, newest: dict[str, int]) -> list[str]:
    shown: dict[str, int] = {}
    for feature in (await client.ask("GET", "/v1/positions"))["features"]:
        shown[feature["properties"]["driver_id"]] = time_ms(feature["properties"]["recorded_at"])
    wrong = []
    for driver_id, at in newest.items():
        if driver_id not in shown:
            wrong.append(f"driver {driver_id} has no live position")
        elif shown[driver_id] != at:
            wrong.append(f"driver {driver_id} is shown {abs(at - shown[driver_id]) / 1000:g} s from their newest ping")
    return wrong


def _times(track: dict[str, list[Any]]) -> list[int]:
    return [time_ms(at) for at in track["time"]]


def _stays(van: SimulatedVan) -> set[str]:
    """Name the stops where the van really stood for a while during what its phone told."""
    if not len(van.told):
        return set()
    ends_ms = int(van.told.due_ms[-1])
    return {
        f"{number:02}"
        for number, (came, left) in enumerate(van.stays_ms.tolist(), 1)
        if came >= van.begins_ms and min(left, ends_ms) - came >= _STAYED_MS
    }
