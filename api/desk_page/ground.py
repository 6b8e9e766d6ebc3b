"""What lies below the maps of the desk: streets of our own file, pictures of a tile server, or a quiet colour."""

import re
from collections.abc import Mapping
from typing import Any

from api.desk_page.tiles import PATH
from api.http.config import ApiConfig

_TILES = re.compile(r"(https?)://(?:[^/.]*\{[^/]*?\}[^/.]*(?=\.))?([A-Za-z0-9.-]+(?::[0-9]+)?)/")
"""A template of tiles; `{s}` in place of its first part stands for several hosts."""

_OSM = "© OpenStreetMap"


def ground_of(config: ApiConfig) -> Mapping[str, Any]:
    """Give what a page with a map is filled with: where tiles are, whom they are of, and their host for the policy."""
    if config.tile_file:
        return {"tile_url": PATH, "attribution": config.tile_attribution or _OSM, "tiles_of": ""}
    return {
        "tile_url": config.tile_url,
        "attribution": config.tile_attribution,
        "tiles_of": _host_of(config.tile_url),
    }


def _host_of(tile_url: str) -> str:
    found = _TILES.match(tile_url)
    if found is None:
        return ""
    is_several = "{" in tile_url.partition("://")[2].partition("/")[0]
    return f"{found[1]}://{'*' if is_several else ''}{found[2]}"
