"""The roads that the settings name, for whoever needs them here: the API for paths, `work` for detours."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from reparto.command import CannotRun
from reparto.settings.settings import Settings
from work.roads.choose import open_roads
from work.roads.protocol import Roads, RoadsAway


def roads_dir(settings: Settings) -> Path:
    """Give the folder of road data."""
    return Path(settings.roads.roads_data or Path(settings.server.data_dir) / "roads")


@asynccontextmanager
async def roads_of(settings: Settings, kind: str | None = None) -> AsyncIterator[Roads]:
    """Open roads for as long as the block runs: those that the settings name, or of another kind.

    Raises:
        CannotRun: they cannot be opened.
    """
    kind = kind or settings.roads.roads
    async with AsyncExitStack() as opened:
        try:
            roads = await opened.enter_async_context(
                open_roads(kind, folder=roads_dir(settings), osrm_url=settings.roads.osrm_url)
            )
        except RoadsAway as error:
            raise CannotRun(f"REPARTO_ROADS={kind} cannot be used: {error}.") from error
        yield roads
