"""`reparto tiles`: streets for the desk's maps, from an OpenStreetMap extract and without anybody's tile server."""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from importlib.resources import as_file, files
from pathlib import Path

from pmtiles.convert import mbtiles_to_pmtiles

from reparto.command import CannotRun, Subparsers, err, out
from reparto.settings.settings import Settings

_MAKER = "tilemaker"
_LAST_WORDS = 5


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto tiles`."""
    words = "make streets for the desk's maps of an OpenStreetMap extract"
    parser = subparsers.add_parser("tiles", help=words, description=f"tiles: {words}; needs the program tilemaker.")
    parser.add_argument("extract", type=Path, metavar="FILE.osm.pbf")
    parser.add_argument("--out", type=Path, metavar="FILE.pmtiles", help="default: tiles.pmtiles in REPARTO_DATA_DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the file aside, and put it in place when it is whole."""
    settings = Settings.read()
    place: Path = args.out or Path(settings.server.data_dir) / "tiles.pmtiles"
    maker = shutil.which(_MAKER)
    if maker is None:
        raise CannotRun("tilemaker is not installed: `apt install tilemaker`, or https://tilemaker.org.")
    if not args.extract.is_file():
        raise CannotRun(f"There is no file {args.extract}.")
    began_s = time.monotonic()
    err.print(f"making tiles of {args.extract}: some minutes and gigabytes for a country …", markup=False)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=place.parent) as folder:
            made = _make(maker, args.extract, Path(folder))
            size_mb = made.stat().st_size / 1e6
            os.replace(made, place)
    except OSError as error:
        raise CannotRun(f"The tiles were not made: {error}.") from error
    took_s = time.monotonic() - began_s
    out.print(f"{place}, {size_mb:,.1f} MB, made in {took_s:.0f} s.", markup=False)
    if settings.api.tile_file != str(place):
        out.print(f"The desk draws it with REPARTO_TILE_FILE={place}.", markup=False)
    return 0


def _make(maker: str, extract: Path, folder: Path) -> Path:
    """Make the tiles in an empty folder.

    Raises:
        CannotRun: the extract cannot be made into tiles.
    """
    packed, made = folder / "ground.mbtiles", folder / "ground.pmtiles"
    here = files(__package__)
    with as_file(here / "ground.json") as layers, as_file(here / "ground.lua") as rules:
        asked: list[str | Path] = [
            maker,
            "--input",
            extract.resolve(),
            "--output",
            packed,
            "--config",
            layers,
            "--process",
            rules,
        ]
        done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode or not packed.exists():
        said = (done.stdout + done.stderr).replace("\r", "\n").strip().splitlines()[-_LAST_WORDS:]
        raise CannotRun("\n".join((f"tilemaker cannot make tiles of {extract}:", *said)))
    mbtiles_to_pmtiles(packed, made, None)  # type: ignore[no-untyped-call]
    return made
