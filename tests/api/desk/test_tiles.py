"""Streets below the desk's maps: one file, whose tiles those of the company may read."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pmtiles.tile import Compression, zxy_to_tileid

from api.desk_page.tiles import NoTiles, street_tiles
from api.http.auth import hash_of
from api.http.config import ApiConfig
from reparto.command import CannotRun
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.api.desk.tile_files import write_pmtiles

TILE = gzip.compress(b"a tile")
VIEWER = {"Authorization": "Bearer rpk_viewer"}


def write_tiles(path: Path, *, compression: Compression = Compression.GZIP, many: int = 1) -> Path:
    """Write a file whose tiles are those of zoom 14 from column 5,000 on, row 6,000."""
    numbers = [zxy_to_tileid(14, 5_000 + n, 6_000) for n in range(many)]
    tiles = {number: f"{number}".encode() for number in numbers}
    return write_pmtiles(path, {**tiles, numbers[0]: TILE}, compression=compression)


@pytest.fixture
async def desk(database: DatabaseConfig, pool: Pool, tmp_path: Path) -> AsyncIterator[TestClient]:
    account_id = await ensure_account(pool, "tienda")
    await create_key(pool, account_id=account_id, role="viewer", label="wall", secret_hash=hash_of("rpk_viewer"))
    settings = Settings(api=ApiConfig(tile_file=str(write_tiles(tmp_path / "streets.pmtiles"))), database=database)
    async with TestClient(TestServer(create_app(settings, database))) as client:
        yield client


async def test_who_sees_the_map_reads_its_tiles(desk: TestClient) -> None:
    answer = await desk.get("/desk/tiles/14/5000/6000.mvt", headers=VIEWER)
    assert (answer.status, answer.content_type) == (200, "application/vnd.mapbox-vector-tile")
    assert await answer.read() == b"a tile"
    assert (await desk.get("/desk/tiles/14/5000/6000.mvt")).status == 401


@pytest.mark.parametrize(
    ("tile", "status"),
    [
        ("14/5001/6000", 204),  # inside, and empty
        ("5/3/3", 204),  # not as far away as that
        ("15/10000/12000", 204),
        ("14/16384/0", 204),  # beyond the world
        ("99999999/1/1", 204),
        ("14/-1/5", 404),
        ("14/5000/6000x", 404),
        ("14/٣/5", 404),
        ("14/5000000000000000000000/1", 404),
    ],
)
async def test_where_there_is_no_tile_nothing_is_drawn(desk: TestClient, tile: str, status: int) -> None:
    answer = await desk.get(f"/desk/tiles/{tile}.mvt", headers=VIEWER)
    assert (answer.status, await answer.read() == b"") == (status, status == 204)


def test_a_large_file_has_directories_below_each_other(tmp_path: Path) -> None:
    with street_tiles(str(write_tiles(tmp_path / "large.pmtiles", many=9_000))) as tiles:
        assert tiles.tile(14, 5_000, 6_000) == TILE
        assert tiles.tile(14, 13_999, 6_000) == str(zxy_to_tileid(14, 13_999, 6_000)).encode()
        assert tiles.tile(14, 14_000, 6_000) is None


@pytest.mark.parametrize("content", [b"", b"PMTiles", b"SQLite format 3\0" * 20])
def test_a_file_that_is_none_is_told_at_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "streets.pmtiles"
    path.write_bytes(content)
    with pytest.raises(NoTiles), street_tiles(str(path)):
        pass


async def test_a_process_does_not_start_with_tiles_that_it_cannot_show(
    database: DatabaseConfig, tmp_path: Path
) -> None:
    path = write_tiles(tmp_path / "streets.pmtiles", compression=Compression.NONE)
    server = TestServer(create_app(Settings(api=ApiConfig(tile_file=str(path)), database=database), database))
    with pytest.raises(CannotRun, match=r"REPARTO_TILE_FILE=.* no vector tiles packed by gzip"):
        await server.start_server()
    await server.close()
