"""`reparto tiles`: a file of streets is made whole or not at all."""

import shutil
import sys
from pathlib import Path

import pytest

from api.desk_page.tiles import street_tiles
from reparto.cli import main

MAKER = """#!{python}
import sqlite3, sys
asked = dict(zip(sys.argv[1::2], sys.argv[2::2]))
if b"broken" in open(asked["--input"], "rb").read():
    print("Reading", asked["--input"], end="\\r")
    sys.exit("PBF error: unexpected end")
made = sqlite3.connect(asked["--output"])
made.execute("CREATE TABLE metadata (name text, value text)")
made.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
made.executemany("INSERT INTO metadata VALUES (?, ?)", [
    ("format", "pbf"), ("minzoom", "6"), ("maxzoom", "14"), ("json", "{{}}"),
    ("bounds", "8,49,9,50"), ("center", "8.5,49.5,10")])
import gzip
made.execute("INSERT INTO tiles VALUES (6, 33, ?, ?)", (2**6 - 1 - 21, gzip.compress(b"a tile")))
made.commit()
"""


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of tilemaker, which is not part of us and not everywhere."""
    program = tmp_path / "bin" / "tilemaker"
    program.parent.mkdir()
    program.write_text(MAKER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def test_tiles_are_made_and_put_in_place(maker: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "city.osm.pbf").write_bytes(b"")
    place = tmp_path / "maps" / "city.pmtiles"
    assert main(["tiles", str(tmp_path / "city.osm.pbf"), "--out", str(place)]) == 0
    assert f"REPARTO_TILE_FILE={place}" in capsys.readouterr().out
    with street_tiles(str(place)) as tiles:
        assert tiles.tile(6, 33, 21) is not None
    assert list(place.parent.iterdir()) == [place]


def test_a_broken_extract_leaves_what_was_there(
    maker: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extract, place = tmp_path / "city.osm.pbf", tmp_path / "city.pmtiles"
    extract.write_bytes(b"broken")
    place.write_bytes(b"before")
    assert main(["tiles", str(extract), "--out", str(place)]) == 1
    assert "PBF error: unexpected end" in capsys.readouterr().err
    assert place.read_bytes() == b"before"
    assert not list(tmp_path.glob(".making-*"))


def test_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["tiles", "city.osm.pbf"]) == 1
    assert "apt install tilemaker" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("tilemaker") is None, reason="tilemaker is not installed")
def test_streets_of_a_real_town_are_in_the_tiles(tmp_path: Path, shared_data: Path) -> None:
    extract = shared_data / "osm-extracts" / "porto-alegre.osm.pbf"
    place = tmp_path / "town.pmtiles"
    assert main(["tiles", str(extract), "--out", str(place)]) == 0
    with street_tiles(str(place)) as tiles:
        assert tiles.tile(0, 0, 0) is None
    assert place.stat().st_size > 100_000
