"""The commands that talk to a running product, as a person types them."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from reparto.child import Child, free_port

START_S, STANDS_S = 200.0, 240.0
"""Patience: for a demo to begin on a busy machine, and as long as one of its vans may stand at a stop."""

HERE = Path(__file__).parent
MONTEVIDEO = HERE.parent / "journeys" / "montevideo.route.json"
PINGS = HERE.parent / "journeys" / "montevideo.pings.csv"
Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """`run("import", …)` gives what the command says; it must end well."""
    folder = tmp_path_factory.mktemp("commands")
    listen = f"127.0.0.1:{free_port()}"
    settings = {"REPARTO_LISTEN": listen, "REPARTO_DATA_DIR": str(folder / "data"), "COLUMNS": "120"}
    up = Child("up", settings=settings, log=folder / "up.log")

    def command(*words: str, code: int = 0) -> str:
        log = folder / "command.log"
        log.unlink(missing_ok=True)
        child = Child(*words, settings=settings, log=log)
        assert child.wait() == code, child.last_words()
        return log.read_text()

    try:
        asyncio.run(up.ready(f"http://{listen}"))
        yield command
    finally:
        up.stop()


def test_a_recorded_morning_is_imported_with_its_pings_and_exported(run: Run, tmp_path: Path) -> None:
    said = run("import", str(MONTEVIDEO), "--with-pings")
    assert re.search(r"montevideo\D+10\D+9\D", said)
    assert "328 pings acknowledged" in said
    for kind in ("geojson", "gpx", "kml", "csv"):
        run("export", "route", "montevideo", "--format", kind, "--output", str(tmp_path / f"track.{kind}"))
    pings = json.loads((tmp_path / "track.geojson").read_text())["features"]
    assert len(pings) > 300
    assert len((tmp_path / "track.csv").read_text().splitlines()) == 1 + len(pings)
    assert len(ET.parse(tmp_path / "track.gpx").findall(".//{*}trkpt")) > 300
    # what was exported can be replayed
    said = run("replay", str(tmp_path / "track.gpx"), "--speed", "max", "--driver", "again")
    assert "refused: none" in said


def test_a_replay_is_sent_by_a_driver_of_its_own(run: Run) -> None:
    said = run("replay", str(PINGS), "--speed", "max")
    assert "328 pings acknowledged" in said
    assert "refused: none" in said


def test_a_replay_that_keeps_old_times_is_told_why_they_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("time,lat,lon\n2010-01-01T00:00:00Z,-34.9,-56.19\n")
    said = run("replay", str(tmp_path / "old.csv"), "--keep-times")
    assert "refused: time-too-old 1" in said


def test_a_planners_csv_becomes_routes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text(
        "route,driver,timezone,start_at,stop,kind,name,address,lat,lon,planned_arrival,service_s\n"
        "MON-7,rosa,America/Mexico_City,2026-03-02 08:00,,depot,Bodega Norte,,20.7101,-103.3924,,\n"
        "MON-7,,,,1041,,Rosa Medina,Av. México 2310,20.6811,-103.3790,2026-03-02 08:21,120\n"
        "MON-7,,,,1042,pickup,Taller Sur,,20.6790,-103.3701,2026-03-02 08:40,\n"
        "MON-8,,America/Mexico_City,2026-03-02 09:00,7,,Ana Ríos,,20.6700,-103.3601,,\n"
    )
    said = run("import", str(tmp_path / "plan.csv"))
    assert re.search(r"MON-7\D+2\D", said)
    assert re.search(r"MON-8\D+1\D", said)


def test_a_simulated_fleet_comes_back_as_it_was_sent(run: Run) -> None:
    said = run("simulate", "--drivers", "8", "--minutes", "5", "--speed", "50", "--every", "2", "--verify")
    assert "8 live positions" in said
    assert (events := re.search(r"(\d+) events of drivers, \d+ photos", said))
    assert int(events[1]) > 3 * 8  # more than that they began and ended


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("replay", "missing.csv"), "missing.csv: cannot be read"),
        (("import", "missing"), "there is no planned tour"),
        (("export", "route", "missing"), "There is no route of this id"),
        (("simulate", "--drivers", "1", "--key", "rpk_wrong"), "not known, was revoked"),
        (("replay", str(PINGS), "--speed", "max", "--device-token", "rpd_wrong"), "not known, or was revoked"),
        (("simulate", "--url", "http://127.0.0.1:1", "--drivers", "1"), "nothing answers at http://127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(run: Run, words: tuple[str, ...], why: str) -> None:
    said = run(*words, code=1)
    assert why in " ".join(said.split())
    assert "Traceback" not in said


async def test_the_demo_shows_a_van_that_moves_and_a_second_time_too(tmp_path: Path) -> None:
    settings = {"REPARTO_LISTEN": f"127.0.0.1:{free_port()}", "REPARTO_DATA_DIR": str(tmp_path / "data")}
    for turn in range(2):
        log = tmp_path / f"demo-{turn}.log"
        demo = Child("demo", settings=settings, log=log)
        try:
            async with asyncio.timeout(START_S + STANDS_S), aiohttp.ClientSession() as session:
                while not (link := re.search(r"http://\S+/t/(\S+)", log.read_text())):
                    assert demo.exit_code is None, demo.last_words()
                    await asyncio.sleep(0.2)
                assert re.search(r"planned +\d{3} orders on 6 vans", log.read_text())
                assert (await session.get(link[0])).status == 200
                told = link[0].replace("/t/", "/v1/track/")
                heard, places = set(), set()
                while len(heard) < 3 or len(places) < 2:
                    view = await (await session.get(told)).json()
                    if view["position"]:
                        heard.add(view["position"]["recorded_at"])
                        places.add((view["position"]["lat"], view["position"]["lon"]))
                        assert view["stops_before"] <= 3
                    await asyncio.sleep(0.5)
                assert view["eta"]["low"] <= view["eta"]["expected"] <= view["eta"]["high"]
        finally:
            assert demo.stop() == 0, demo.last_words()
