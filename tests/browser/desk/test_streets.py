"""Streets of our own file below the vans."""

import gzip
import math
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestServer
from pmtiles.tile import zxy_to_tileid

from api.http.config import ApiConfig
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from tests.api.desk.tile_files import write_pmtiles
from tests.browser.desk.conftest import Office
from tests.browser.waiting import until

ZOOMS = range(6, 15)
EXTENT = 4_096


def packed(field: int, content: bytes) -> bytes:
    """Write a field of protobuf that holds bytes, at most 127 of them."""
    return bytes((field << 3 | 2, len(content))) + content


def road_across() -> bytes:
    """Write a tile with one road from its west to its east, as the Mapbox Vector Tile specification 2.1 has it."""
    half, whole = EXTENT, EXTENT * 2  # zigzag of half the extent and of the whole
    geometry = bytes((9, 0, half & 127 | 128, half >> 7, 10, whole & 127 | 128, whole >> 7, 0))
    feature = packed(2, b"\0\0") + b"\x18\x02" + packed(4, geometry)
    extent = b"\x28" + bytes((EXTENT & 127 | 128, EXTENT >> 7))
    layer = packed(1, b"road") + packed(2, feature) + packed(3, b"kind") + packed(4, packed(1, b"main")) + extent
    return gzip.compress(packed(3, layer + b"\x78\x02"))


def write_around(path: Path, lat: float, lon: float) -> None:
    """Write that tile for a place at every zoom."""
    x = (lon + 180) / 360
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    numbers = [zxy_to_tileid(zoom, int(x * 2**zoom), int(y * 2**zoom)) for zoom in ZOOMS]
    write_pmtiles(path, dict.fromkeys(numbers, road_across()))


async def test_streets_lie_below_the_vans(
    browser: Any, office: Office, database: DatabaseConfig, tmp_path: Path
) -> None:
    place = await office.pool.fetchrow("SELECT lat_e6 / 1e6::float8 AS lat, lon_e6 / 1e6::float8 AS lon FROM live")
    write_around(tmp_path / "streets.pmtiles", place["lat"], place["lon"])
    settings = Settings(api=ApiConfig(tile_file=str(tmp_path / "streets.pmtiles")), database=database)
    async with TestServer(create_app(settings, database)) as server:
        office.url = str(server.make_url("/")).rstrip("/")
        page = await office.sit(browser)
        answers: list[int] = []
        page.on("response", lambda one: answers.append(one.status) if "/desk/tiles/" in one.url else None)
        await page.goto(f"{office.url}/desk")
        await page.wait_for_selector("#map canvas")
        await until(page, "document.querySelector('.maplibregl-ctrl-attrib')?.textContent.includes('OpenStreetMap')")
        while 200 not in answers:
            await page.wait_for_timeout(50)
        assert set(answers) <= {200, 204}
        assert page.wrong == []
        await page.close()
