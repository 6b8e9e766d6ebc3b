"""What the product says of a recorded tour, asked by HTTP, is what live tracking says of it in one process."""

import asyncio
import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reparto.cli import main
from reparto.client.client import Client
from reparto.client.recordings import Case, read_case
from reparto.command import CannotRun
from reparto.evaluate.front_door import FrontDoor, say
from reparto.evaluate.score import write_answers, write_answers_of_product

HERE = Path(__file__).parent


@pytest.fixture
def door(client: Client) -> FrontDoor:
    return FrontDoor(ingest_url=client.url, api_url=client.url, key=client.key)


def in_time(case: Case) -> Case:
    """Leave out the rows that came late or twice."""
    assert case.recording is not None
    pings, newest_ms = [], 0
    for ping in case.recording.pings:
        if ping.time > newest_ms:
            newest_ms = ping.time
            pings.append(ping)
    return replace(case, recording=replace(case.recording, pings=tuple(pings)))


def answers(folder: Path, case: Case) -> tuple[list[tuple[float | None, str]], list[tuple[str, str, float]]]:
    with (folder / f"{case.name}.csv").open() as file:
        rows = [(float(row["s"]) if row["s"] else None, row["off"]) for row in csv.DictReader(file)]
    events = json.loads((folder / f"{case.name}.events.json").read_text())
    return rows, sorted((event["stop"], event["kind"], event["t"]) for event in events)


async def test_without_late_pings_the_product_says_what_live_tracking_says(door: FrontDoor, tmp_path: Path) -> None:
    case = in_time(read_case(HERE / "montevideo.route.json"))
    assert case.recording is not None
    case = replace(case, path=(case.path[0], *case.path), path_along_m=(0.0, *case.path_along_m))  # a vertex twice
    write_answers([case], tmp_path / "here")
    write_answers_of_product([case], await say(door, [case]), tmp_path / "there")
    here, here_events = answers(tmp_path / "here", case)
    there, there_events = answers(tmp_path / "there", case)
    assert len(here) == len(case.recording.pings)
    assert [off for _, off in there] == [off for _, off in here]
    assert [at for at, _ in there] == pytest.approx([at for at, _ in here], abs=0.11)
    assert len(here_events) == 18
    assert there_events == here_events


async def test_every_row_has_an_answer_the_late_and_the_repeated_ones_too(door: FrontDoor) -> None:
    case = read_case(HERE / "montevideo.route.json")
    assert case.recording is not None
    said, again = await say(door, [case, replace(case, name="again")])
    assert len(said.along_m) == len(said.off) == len(case.recording.pings)
    assert said.visits == again.visits
    rows = [(ping.time, round(ping.lat, 6), round(ping.lon, 6)) for ping in case.recording.pings]
    twice = [(rows.index(row), at) for at, row in enumerate(rows) if rows.index(row) != at]
    assert len(twice) == 3
    for first, copy in twice:
        assert said.along_m[copy] == pytest.approx(said.along_m[first], nan_ok=True)
    newest = [max(row[0] for row in rows[: at + 1]) for at in range(len(rows))]
    late = [at for at, row in enumerate(rows) if row[0] < newest[at]]
    assert late
    for at in late:  # answered with where the van was, not with where it is
        _, beside = min((abs(row[0] - rows[at][0]), other) for other, row in enumerate(rows) if row[0] != rows[at][0])
        assert said.along_m[at] == pytest.approx(said.along_m[beside], abs=100)


async def test_the_command_asks_a_running_product(door: FrontDoor, tmp_path: Path) -> None:
    case = HERE / "montevideo.route.json"
    asked = ["score", str(case), "--out", str(tmp_path), "--through", door.api_url, "--key", door.key]
    assert await asyncio.to_thread(main, asked) == 0
    rows, events = answers(tmp_path, read_case(case))
    assert rows[-1][0] == pytest.approx(7_100, abs=200)
    assert [kind for _, kind, _ in events].count("arrive") == 9


async def test_a_product_that_does_not_answer_is_said_in_a_sentence() -> None:
    case = read_case(HERE / "montevideo.route.json")
    with pytest.raises(CannotRun, match="nothing answers at"):
        await say(FrontDoor(ingest_url="http://127.0.0.1:9", api_url="http://127.0.0.1:9", key="rk_x"), [case])
