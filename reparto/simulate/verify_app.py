"""Compares what a simulated driver's app had acknowledged with what the API gives back."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reparto.client.client import Client, route_path
from reparto.simulate.day import OUTCOMES
from reparto.simulate.van import SimulatedVan

_LOOK_EVERY_S = 0.5


async def app_differences(client: Client, van: SimulatedVan, totals: Counter[str], *, until_s: float) -> list[str]:
    """Compare events, stops, settlement and photos; give a sentence for what differs.

    Every acknowledged event must be there and be the same, the stops must be as those in force say, each of them must
    be settled once, and every photo must be there once, byte for byte.

    Args:
        totals: what is there is added: events, photos.
        until_s: by `time.monotonic`; by then every photo must be a proof.
    """
    if van.app is None or not van.app.acknowledged:
        return []
    events = [event for event, _ in van.app.acknowledged.values()]
    standing = await van.app.say(events)
    wrong = [
        f"{van.name}: an acknowledged event ({event['type']}) is {now['result']} {now.get('why', '')}".rstrip()
        for event, now in zip(events, standing, strict=True)
        if now["result"] != "duplicate" or now.get("why") == "other-content"
    ]
    in_force = [event for event, now in zip(events, standing, strict=True) if now.get("effective")]
    outcomes = {event["stop_id"]: event["type"] for event in in_force if event["type"] in OUTCOMES}
    wrong += await _stop_differences(client, van, outcomes)
    wrong += await _settlement_differences(client, van, outcomes)
    wrong += await _photo_differences(client, van, until_s=until_s)
    totals.update(events=len(events), photos=len(van.app.uploaded))
    return wrong


async def _stop_differences(client: Client, van: SimulatedVan, outcomes: Mapping[str, str]) -> list[str]:
    """Compare what stops show with what was said of them; `outcomes` are by stop."""
    shown = (await client.ask("GET", route_path(van.name)))["stops"]
    return [
        f"{van.name}: stop {stop['external_id']} is {stop['status']} and was {outcomes.get(stop['id'], 'not done')}"
        for stop in shown
        if stop["status"] != outcomes.get(stop["id"], stop["status"])
        or (stop["status"] in OUTCOMES and stop["id"] not in outcomes)
    ]


async def _settlement_differences(client: Client, van: SimulatedVan, outcomes: Mapping[str, str]) -> list[str]:
    since = {"from": datetime.fromtimestamp((van.leaves_ms + van.begins_ms) / 1000, UTC).isoformat()}
    shifts = (await client.ask("GET", f"/v1/drivers/{van.driver_id}/shifts", query=since))["shifts"]
    settled = Counter({kind: n for shift in shifts for kind, n in shift["settlement"]["stops"].items()})
    if settled == Counter(outcomes.values()):
        return []
    return [f"{van.name}: {settled.total()} stops are settled and {len(outcomes)} were done"]


async def _photo_differences(client: Client, van: SimulatedVan, *, until_s: float) -> list[str]:
    assert van.app is not None
    taken = Counter(
        (photo.stop_id, photo.upload_id, hashlib.sha256(photo.content).hexdigest(), "stored")
        for photo in van.app.uploaded.values()
    )
    while True:
        kept: Counter[tuple[Any, ...]] = Counter()
        for stop_id in {photo.stop_id for photo in van.app.uploaded.values()}:
            proofs = (await client.ask("GET", f"/v1/stops/{stop_id}/proofs"))["proofs"]
            kept.update((stop_id, proof["upload_id"], proof["sha256"], proof["state"]) for proof in proofs)
        if kept == taken or time.monotonic() > until_s:
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    lost, alien = (taken - kept).total(), (kept - taken).total()
    return [f"{van.name}: {lost} photos are not there as they were taken, {alien} others are"] if lost or alien else []
