"""Which roads there are: what the settings say, opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from work.roads.engine import EngineRoads
from work.roads.osrm_http import OsrmServer
from work.roads.process import EngineProcess
from work.roads.protocol import Roads, RoadsAway
from work.roads.straight import StraightLines

STRAIGHT: Roads = StraightLines()


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An engine that is a Python package: its module, what installs it, and a file that its data has."""

    module: str
    install: str
    file: str


LIBRARIES = {
    "osrm": Library(
        module="osrm", install="pip install 'reparto[osrm]' (Python 3.12 or newer)", file="roads.osrm.mldgr"
    ),
    "valhalla": Library(module="valhalla", install="pip install 'reparto[valhalla]'", file="tiles.tar"),
}


@asynccontextmanager
async def open_roads(kind: str, *, folder: Path, osrm_url: str) -> AsyncIterator[Roads]:
    """Open roads of a kind for as long as the block runs.

    Args:
        kind: one of work.roads.config.KINDS.
        folder: what `reparto roads build` filled.
        osrm_url: of the server, for osrm-http.

    Raises:
        RoadsAway: they cannot be opened; a sentence says what to do.
    """
    if kind == "osrm-http":
        async with OsrmServer.at(osrm_url) as server:
            yield EngineRoads(server)
    elif kind in LIBRARIES:
        check_installed(kind)
        data = folder / kind
        if not (data / LIBRARIES[kind].file).is_file():
            raise RoadsAway(
                f"there is no road data for {kind} in {folder}: run `reparto roads build FILE.osm.pbf --engine {kind}`"
            )
        async with EngineProcess.on(kind, data) as engine:
            yield EngineRoads(engine)
    else:
        yield STRAIGHT


def check_installed(kind: str) -> None:
    """Raise RoadsAway, with how to install it, unless an engine's package is there."""
    if find_spec(LIBRARIES[kind].module) is None:
        raise RoadsAway(f"the road engine {kind} is not installed: {LIBRARIES[kind].install}")
