"""`reparto roads`: data is put in place when it is whole, once; a way is printed for a look."""

import fcntl
import json
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from reparto.cli import main
from reparto.command import CannotRun
from reparto.operate import road_build
from reparto.operate.road_build import Step, build
from reparto.postgres import EmbeddedPostgres
from work.roads.choose import LIBRARIES

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """A file to build from."""
    file = tmp_path / "city.osm.pbf"
    file.write_bytes(b"roads of yesterday")
    return file


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """An engine whose data is what a shell command makes in `$1` of the extract `$2`; `engine(command)` sets it."""

    def set_to(command: str) -> None:
        def steps(extract: Path, into: Path) -> list[Step]:
            return [Step(words="making", do=["/bin/sh", "-ec", command, "sh", into, extract])]

        monkeypatch.setitem(road_build._STEPS, "valhalla", steps)

    set_to('cp "$2" "$1/tiles.tar"')
    return set_to


def quiet(words: str, step: int, steps: int) -> None:
    pass


def test_data_is_made_once_for_a_file(extract: Path, tmp_path: Path, engine: Callable[[str], None]) -> None:
    said: list[str] = []
    folder = tmp_path / "roads"
    engine('cp "$2" "$1/tiles.tar"; echo "[INFO] halfway"')
    assert build("valhalla", extract, folder, tell=lambda words, step, steps: said.append(f"{step}/{steps} {words}"))
    assert (folder / "valhalla" / "tiles.tar").read_bytes() == b"roads of yesterday"
    assert said == ["0/1 reading the extract", "1/1 making", "1/1 making: halfway"]
    engine("exit 1")
    assert not build("valhalla", extract, folder, tell=quiet)


def test_new_data_takes_the_place_of_the_old(extract: Path, tmp_path: Path, engine: Callable[[str], None]) -> None:
    folder = tmp_path / "roads"
    build("valhalla", extract, folder, tell=quiet)
    with (folder / "valhalla" / "tiles.tar").open("rb") as running:
        extract.write_bytes(b"roads of today")
        assert build("valhalla", extract, folder, tell=quiet)
        assert running.read() == b"roads of yesterday"  # who has it open goes on
    assert (folder / "valhalla" / "tiles.tar").read_bytes() == b"roads of today"
    assert len([*folder.glob("valhalla-*")]) == 1
    assert (folder / "valhalla").resolve().stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("command", "why"),
    [('touch "$1/tiles.tar"; echo "no roads here"; exit 3', "no roads here"), ("true", "no roads in")],
)
def test_what_is_not_whole_is_not_put_in_place(
    extract: Path, tmp_path: Path, engine: Callable[[str], None], command: str, why: str
) -> None:
    folder = tmp_path / "roads"
    build("valhalla", extract, folder, tell=quiet)
    extract.write_bytes(b"roads of today")
    engine(command)
    with pytest.raises(CannotRun, match=why):
        build("valhalla", extract, folder, tell=quiet)
    assert (folder / "valhalla" / "tiles.tar").read_bytes() == b"roads of yesterday"
    assert {entry.name.split("-")[0] for entry in folder.iterdir()} == {"valhalla", ".lock"}


def test_what_a_killed_build_left_is_removed(extract: Path, tmp_path: Path, engine: Callable[[str], None]) -> None:
    folder = tmp_path / "roads"
    (folder / ".making-abc").mkdir(parents=True)
    (folder / ".making-abc" / "tiles.tar").touch()
    build("valhalla", extract, folder, tell=quiet)
    assert not (folder / ".making-abc").exists()


def test_two_do_not_build_at_once(extract: Path, tmp_path: Path, engine: Callable[[str], None]) -> None:
    folder = tmp_path / "roads"
    folder.mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CannotRun, match="Another `reparto roads build`"):
            build("valhalla", extract, folder, tell=quiet)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, engine: Callable[[str], None]) -> None:
    with pytest.raises(CannotRun, match=r"nothing\.osm\.pbf cannot be read: No such file"):
        build("valhalla", tmp_path / "nothing.osm.pbf", tmp_path / "roads", tell=quiet)


def test_without_an_engine_it_says_how_to_get_one(
    extract: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("work.roads.choose.find_spec", lambda module: None)
    assert main(["roads", "build", str(extract)]) == 1
    assert "pip install 'reparto[valhalla]'" in capsys.readouterr().err
    assert main(["roads", "build", str(extract), "--engine", "osrm"]) == 1
    assert "pip install 'reparto[osrm]' (Python 3.12 or newer)" in capsys.readouterr().err


def test_a_straight_way_south_and_west_of_greenwich_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["roads", "route", "-56.16,-34.9", "-56.15,-34.9", "-56.15,-34.89"]) == 0
    feature = json.loads(capsys.readouterr().out)
    assert feature["geometry"]["coordinates"] == [[-56.16, -34.9], [-56.15, -34.9], [-56.15, -34.89]]
    assert feature["properties"]["source"] == "straight"
    assert feature["properties"]["length_m"] == pytest.approx(2_023, abs=2)
    assert feature["properties"]["duration_s"] is None


@pytest.mark.parametrize("places", [["-56.16"], ["-56.16,-34.9,5"], ["-56.16,-94.9"], ["here,there"], []])
def test_what_is_no_place_is_asked_wrongly(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["roads", "route", *places])
    assert done.value.code == 2


def test_one_place_is_no_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["roads", "route", "-56.16,-34.9"]) == 1
    assert "two places or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings_given", "sentence"),
    [
        ({"REPARTO_ROADS": "horses"}, "REPARTO_ROADS: must be one of straight, osrm, valhalla, osrm-http"),
        ({"REPARTO_ROADS": "osrm-http"}, "REPARTO_OSRM_URL: must look like http://osrm:5000"),
        ({"REPARTO_ROADS": "osrm-http", "REPARTO_OSRM_URL": "osrm:5000"}, "REPARTO_OSRM_URL: must look like"),
        ({"REPARTO_OSRM_URL": "http://osrm:5000"}, "REPARTO_OSRM_URL: is asked only with REPARTO_ROADS=osrm-http"),
    ],
)
def test_settings_that_do_not_go_together_are_named(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings_given: dict[str, str], sentence: str
) -> None:
    for name, value in settings_given.items():
        settings.setenv(name, value)
    assert main(["settings", "--check"]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("role", ["api", "work"])
def test_a_role_does_not_start_without_the_roads_it_is_to_use(
    role: str,
    postgres: EmbeddedPostgres,
    template: str,
    settings: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.setenv("REPARTO_DATABASE_URL", postgres.dsn.replace("/reparto?", f"/{template}?"))
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    settings.setenv("REPARTO_ROADS", "osrm")
    assert main([role]) == 1
    assert capsys.readouterr().err.startswith("reparto: REPARTO_ROADS=osrm cannot be used: ")


def test_a_server_that_is_not_there_is_one_sentence(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_ROADS", "osrm-http")
    settings.setenv("REPARTO_OSRM_URL", "http://127.0.0.1:1")
    assert main(["roads", "route", "-56.16,-34.9", "-56.15,-34.9"]) == 1
    assert "No way was found: the OSRM server cannot be reached" in capsys.readouterr().err


@pytest.mark.parametrize("engine_name", [*LIBRARIES])
def test_an_extract_becomes_ways(
    engine_name: str, shared_data: Path, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec(LIBRARIES[engine_name].module) is None:
        pytest.skip(f"the road engine {engine_name} is not installed")
    lies_here = os.listdir()
    places = ["-51.2277,-30.0346", "-51.2160,-30.0390"]
    settings.setenv("REPARTO_ROADS", engine_name)
    assert main(["roads", "route", *places]) == 1
    assert f"run `reparto roads build FILE.osm.pbf --engine {engine_name}`" in capsys.readouterr().err
    extract = shared_data / "osm-extracts" / "porto-alegre.osm.pbf"
    assert main(["roads", "build", str(extract)]) == 0
    assert f"Road data for {engine_name}" in capsys.readouterr().out
    assert main(["roads", "build", str(extract)]) == 0
    assert "is of this file already" in capsys.readouterr().out
    assert main(["roads", "route", *places]) == 0
    feature = json.loads(capsys.readouterr().out)
    assert feature["properties"]["source"] == "road"
    assert 1_300 < feature["properties"]["length_m"] < 5_000
    assert feature["properties"]["duration_s"] > 60
    assert os.listdir() == lies_here


@pytest.mark.parametrize("engine_name", [*LIBRARIES])
def test_a_file_that_is_no_extract_is_said_in_words(
    engine_name: str, extract: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec(LIBRARIES[engine_name].module) is None:
        pytest.skip(f"the road engine {engine_name} is not installed")
    assert main(["roads", "build", str(extract), "--engine", engine_name]) == 1
    said = capsys.readouterr().err
    assert "The road data was not made" in said
    assert "\x1b[" not in said
