"""Real road engines, where they are installed, on real extracts, where they are at hand."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from reparto.operate.road_build import build
from work.roads.choose import LIBRARIES


@pytest.fixture(scope="session")
def road_data(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], Path]:
    """`road_data("osrm", extract)`: the folder of road data of an extract, made once. Skips without the engine."""
    made: dict[tuple[str, Path], Path] = {}

    def make(engine: str, extract: Path) -> Path:
        if find_spec(LIBRARIES[engine].module) is None:
            pytest.skip(f"the road engine {engine} is not installed")
        if (engine, extract) not in made:
            folder = tmp_path_factory.mktemp("roads")
            assert build(engine, extract, folder, tell=lambda words, step, steps: None)
            made[engine, extract] = folder
        return made[engine, extract]

    return make


@pytest.fixture(params=[*LIBRARIES])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    return name


@pytest.fixture
def porto_alegre(engine: str, road_data: Callable[[str, Path], Path], shared_data: Path) -> Path:
    """Road data of the centre of Porto Alegre."""
    return road_data(engine, shared_data / "osm-extracts" / "porto-alegre.osm.pbf")


@pytest.fixture
def heidelberg(engine: str, road_data: Callable[[str, Path], Path], shared_data: Path) -> Path:
    """Road data of Heidelberg."""
    return road_data(engine, shared_data / "osm-extracts" / "heidelberg.osm.pbf")
