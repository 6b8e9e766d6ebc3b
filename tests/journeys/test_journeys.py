"""Recorded days through the door: what came in, what followed, read back through the API."""

import csv
import gzip
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from reparto.client.client import Client, Phone
from reparto.client.recordings import Recording, read_case, time_ms
from reparto.client.tally import Tally
from reparto.data.importer import import_routes, moved_to_now
from reparto.data.replay import AT_ONCE, send_recording

HERE = Path(__file__).parent
Settled = Callable[[], Awaitable[None]]

WMATA = ("wm10180100", "wm10249100", "wm1306100")
TOURS = ("hei02", "poa02")


async def put(client: Client, path: Path, *, share: float = 1.0) -> tuple[str, Recording, Phone, int]:
    """Import a case; give its name, its moved recording, a phone, and by how much it moved.

    Of the recording only the first `share` counts; it ends now.
    """
    case = read_case(path)
    assert case.recording is not None
    rows = case.recording.pings[: round(share * len(case.recording.pings))]
    case = replace(case, recording=replace(case.recording, pings=rows))
    assert case.recording is not None
    route, recording = moved_to_now(case, speed=AT_ONCE, timezone="UTC")
    assert recording is not None
    drivers = await import_routes(client, [route])
    _, token = await client.device(drivers[case.name], "test")
    phone = Phone(client.session, client.url, token, Tally(), random.Random(0))
    return case.name, recording, phone, recording.last_ms - case.recording.last_ms


async def visits_of(client: Client, route: str) -> list[tuple[str, int, int | None]]:
    """List the visits: stop, when it was come to and when it was left, epoch milliseconds."""
    return [
        (
            visit["stop_external_id"],
            time_ms(visit["arrived_at"]),
            None if visit["departed_at"] is None else time_ms(visit["departed_at"]),
        )
        for visit in (await client.ask("GET", f"/v1/routes/{route}/visits"))["visits"]
    ]


def fixes(recording: Recording) -> set[tuple[int, float, float]]:
    return {(ping.time, round(ping.lat, 6), round(ping.lon, 6)) for ping in recording.pings}


def stored(track: dict[str, list[Any]]) -> list[tuple[int, float, float]]:
    return [(time_ms(at), lat, lon) for at, lat, lon in zip(track["time"], track["lat"], track["lon"], strict=True)]


async def test_a_morning_in_montevideo(client: Client, settled: Settled) -> None:
    """Ten stops of which one is left out, a wild fix, a minute without network, three rows twice."""
    expected = json.loads((HERE / "montevideo.events.json").read_text())
    name, recording, phone, shift_ms = await put(client, HERE / "montevideo.route.json")
    await send_recording(phone, recording, AT_ONCE, lambda sent: None)
    await settled()

    visits = await visits_of(client, name)
    assert [stop for stop, _, _ in visits] == [visit["stop"] for visit in expected["visits"]]
    for (_, arrived_ms, departed_ms), visit in zip(visits, expected["visits"], strict=True):
        assert arrived_ms == pytest.approx(time_ms(visit["arrived_at"]) + shift_ms, abs=20_000)
        assert departed_ms == pytest.approx(time_ms(visit["departed_at"]) + shift_ms, abs=20_000)

    track = await client.track(f"/v1/drivers/{name}/track")
    assert len(recording.pings) == len(fixes(recording)) + expected["repeated_rows"]
    assert stored(track) == sorted(fixes(recording))
    assert track["believed"].count(False) == expected["wild_fixes"]
    track = await client.track(f"/v1/routes/{name}/track")
    assert track["on_route"].count(True) >= 0.98 * len(track["on_route"])
    along_m = [at for at, counts in zip(track["along_m"], track["believed"], strict=True) if counts and at is not None]
    assert along_m[-1] > 6_900  # of 7,146: a tour is over shortly before its last metre
    assert max(along_m) - along_m[-1] < 60

    positions = (await client.ask("GET", "/v1/positions"))["features"]
    assert [time_ms(one["properties"]["recorded_at"]) for one in positions] == [recording.last_ms]


async def test_etas_are_there_in_the_middle_of_a_morning_and_come_true(client: Client, settled: Settled) -> None:
    expected = json.loads((HERE / "montevideo.events.json").read_text())
    name, recording, phone, shift_ms = await put(client, HERE / "montevideo.route.json", share=0.5)
    await send_recording(phone, recording, AT_ONCE, lambda sent: None)
    await settled()

    eta = await client.ask("GET", f"/v1/routes/{name}/eta")
    assert recording.last_ms - time_ms(eta["as_of"]) <= 60_000
    ahead = {stop["stop_external_id"]: stop for stop in eta["stops"]}
    came = {visit["stop"]: time_ms(visit["arrived_at"]) + shift_ms for visit in expected["visits"]}
    still = {stop for stop, at in came.items() if at > recording.last_ms}
    assert still <= ahead.keys()
    assert ahead.keys() <= still | set(expected["skipped"])
    for stop in ahead.values():
        assert time_ms(stop["low"]) <= time_ms(stop["expected"]) <= time_ms(stop["high"])
        wrong_ms = time_ms(stop["expected"]) - came.get(stop["stop_external_id"], time_ms(stop["expected"]))
        assert abs(wrong_ms) < 300_000
    remaining_m = [stop["remaining_m"] for stop in eta["stops"]]
    assert remaining_m == sorted(remaining_m)
    assert [stop["stops_before"] for stop in eta["stops"]] == list(range(len(ahead)))


@pytest.mark.parametrize("name", WMATA)
async def test_a_bus_in_washington(client: Client, settled: Settled, shared_data: Path, name: str) -> None:
    folder = shared_data / "wmata-bus"
    name, recording, phone, shift_ms = await put(client, folder / f"{name}.route.json.gz")
    await send_recording(phone, recording, AT_ONCE, lambda sent: None)
    await settled()

    track = await client.track(f"/v1/drivers/{name}/track")
    assert stored(track) == sorted(fixes(recording))
    assert track["believed"].count(True) > 0.95 * len(track["believed"])
    assert await wrong_m(client, folder, name, shift_ms) < 40


@pytest.mark.parametrize("name", WMATA)
async def test_etas_of_a_bus_in_washington(client: Client, settled: Settled, shared_data: Path, name: str) -> None:
    folder = shared_data / "wmata-bus"
    name, recording, phone, shift_ms = await put(client, folder / f"{name}.route.json.gz", share=0.6)
    await send_recording(phone, recording, AT_ONCE, lambda sent: None)
    await settled()

    came = {one["stop"]: round(one["arrive"] * 1000) + shift_ms for one in events(folder, name)["arrivals"]}
    ahead = (await client.ask("GET", f"/v1/routes/{name}/eta"))["stops"]
    wrong_s = [
        abs(time_ms(stop["expected"]) - came[stop["stop_external_id"]]) / 1000
        for stop in ahead
        if came.get(stop["stop_external_id"], 0) > recording.last_ms
    ]
    assert len(wrong_s) > 5
    assert median(wrong_s) < 300


@pytest.mark.parametrize("name", TOURS)
async def test_a_delivery_tour(client: Client, settled: Settled, shared_data: Path, name: str) -> None:
    folder = shared_data / "route-snap-cases"
    name, recording, phone, shift_ms = await put(client, folder / f"{name}.route.json.gz")
    await send_recording(phone, recording, AT_ONCE, lambda sent: None)
    await settled()

    assert stored(await client.track(f"/v1/drivers/{name}/track")) == sorted(fixes(recording))
    visits = await visits_of(client, name)
    truth = {one["stop"]: round(one["arrive"] * 1000) + shift_ms for one in events(folder, name)["arrivals"]}
    right = {stop for stop, arrived_ms, _ in visits if abs(arrived_ms - truth.get(stop, 0)) < 180_000}
    assert len(right) >= 0.7 * len(truth)
    assert len(right) >= 0.9 * len(visits)
    assert await wrong_m(client, folder, name, shift_ms) < 40


async def wrong_m(client: Client, folder: Path, name: str, shift_ms: int) -> float:
    """Give the median error along the route of what was snapped, metres."""
    track = await client.track(f"/v1/routes/{name}/track")
    where = dict(zip(stored(track), track["along_m"], strict=True))
    wrong = []
    with (
        gzip.open(folder / f"{name}.truth.csv.gz", "rt") as truth,
        gzip.open(folder / f"{name}.pings.csv.gz", "rt") as told,
    ):
        for true, ping in zip(csv.DictReader(truth), csv.DictReader(told), strict=True):
            fix = (time_ms(ping["t"]) + shift_ms, round(float(ping["lat"]), 6), round(float(ping["lon"]), 6))
            along_m = where[fix]
            if true["scored"] == "1" and along_m is not None:
                wrong.append(abs(along_m - float(true["s"])))
    assert wrong
    return median(wrong)


def events(folder: Path, name: str) -> Any:
    return json.loads(gzip.decompress((folder / f"{name}.events.json.gz").read_bytes()))
