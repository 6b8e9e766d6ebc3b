"""The road engines of the tests of `work/roads`."""

from tests.work.roads.conftest import engine, porto_alegre, road_data  # noqa: F401 (fixtures)
