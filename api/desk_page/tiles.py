"""Streets below the desk's maps, out of one PMTiles file of ours."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from aiohttp import web
from pmtiles.tile import Compression, TileType, deserialize_directory, deserialize_header, find_tile, zxy_to_tileid

from api.http.operation import Operations, Who
from api.http.problem import NotFound

PATH = "/desk/tiles/{z}/{x}/{y}.mvt"

_MEDIA = "application/vnd.mapbox-vector-tile"
_HEADER_BYTES = 127
_DEEPEST = 4  # directories below each other, by the format
_DIRECTORIES = 64  # kept unpacked: those of a country, some hundred kB each
_FRESH_S = 3_600

operations = Operations("desk")


class NoTiles(Exception):  # noqa: N818 (it reads better where it is raised)
    """A file that has no tiles for the desk; the text is a sentence without its end."""


class StreetTiles:
    """Tiles of a file. What replaces the file counts when the process starts again.

    Source of the format: PMTiles specification, version 3.

    Raises:
        NoTiles: there are none that can be drawn.
    """

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        try:
            self._header = deserialize_header(read(0, _HEADER_BYTES))
        except Exception as error:
            raise NoTiles("it is no PMTiles file of version 3") from error
        if self._header["tile_type"] is not TileType.MVT or self._header["tile_compression"] is not Compression.GZIP:
            raise NoTiles("it has no vector tiles packed by gzip; `reparto tiles` makes some")
        self._directory = lru_cache(maxsize=_DIRECTORIES)(self._unpacked)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Give a tile, packed by gzip; None where there is nothing."""
        header = self._header
        if not header["min_zoom"] <= z <= header["max_zoom"] or not (0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        number, at = zxy_to_tileid(z, x, y), (header["root_offset"], header["root_length"])
        for _ in range(_DEEPEST):
            found = find_tile(self._directory(*at), number)
            if found is None:
                return None
            if found.run_length:
                return self._read(header["tile_data_offset"] + found.offset, found.length)
            at = header["leaf_directory_offset"] + found.offset, found.length
        return None

    def _unpacked(self, offset: int, length: int) -> list[Any]:
        return deserialize_directory(self._read(offset, length))


@contextmanager
def street_tiles(path: str) -> Iterator[StreetTiles]:
    """Open a file for the block.

    Raises:
        NoTiles: it cannot be read, or has none that can be drawn.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("rb"))
            mapped = stack.enter_context(mmap(file.fileno(), 0, access=ACCESS_READ))
        except (OSError, ValueError) as error:  # an empty file is a ValueError
            raise NoTiles(str(error)) from error
        yield StreetTiles(lambda offset, length: mapped[offset : offset + length])


TILES: web.AppKey[StreetTiles] = web.AppKey("tiles", StreetTiles)


@operations.operation(
    "GET",
    PATH,
    who=Who.VIEWER,
    media=(_MEDIA,),
    also={204: "There is nothing to see."},
)
async def get_tile(request: web.Request) -> web.Response:
    """Read a vector tile of the desk's maps: the layers water, green, building, road and place."""
    tiles = request.app.get(TILES)
    if tiles is None:
        raise NotFound("There are no tiles here: REPARTO_TILE_FILE is not set.")
    place = [request.match_info[name] for name in ("z", "x", "y")]
    if not all(number.isascii() and number.isdigit() and len(number) < 9 for number in place):
        raise NotFound("Tiles are named by zoom, column and row.")
    body = tiles.tile(*map(int, place))
    headers = {"Cache-Control": f"private, max-age={_FRESH_S}"}
    if body is None:
        return web.Response(status=204, headers=headers)
    return web.Response(body=body, content_type=_MEDIA, headers=headers | {"Content-Encoding": "gzip"})
