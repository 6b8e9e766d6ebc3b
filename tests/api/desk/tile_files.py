"""Files of tiles that tests make."""

from collections.abc import Mapping
from pathlib import Path

from pmtiles.tile import Compression, TileType
from pmtiles.writer import Writer

_BOUNDS = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7", "center_lon_e7", "center_lat_e7")


def write_pmtiles(path: Path, tiles: Mapping[int, bytes], *, compression: Compression = Compression.GZIP) -> Path:
    """Write vector tiles of zooms 6 to 14, by their numbers."""
    with path.open("wb") as file:
        writer = Writer(file)
        for number in sorted(tiles):
            writer.write_tile(number, tiles[number])
        kind = {"tile_type": TileType.MVT, "tile_compression": compression}
        zooms = {"min_zoom": 6, "max_zoom": 14, "center_zoom": 10}
        writer.finalize({**kind, **zooms, **dict.fromkeys(_BOUNDS, 0)}, {})
    return path
