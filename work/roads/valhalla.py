"""Roads of Valhalla's library (`pyvalhalla`, on Python 3.11 `pyvalhalla-weekly`), for the engine's own process."""

import statistics
from pathlib import Path
from typing import Any

import msgspec
import valhalla

from work.roads.answer import RoadAnswer
from work.roads.engine import Question

_LIMITS = {
    "auto": {
        "max_locations": 10_000,
        "max_distance": 5e6,
        "max_matrix_distance": 5e6,
        "max_matrix_location_pairs": 1_000_000,
    },
    "trace": {"max_shape": 1_000_000, "max_distance": 5e6, "max_search_radius": 200.0, "max_gps_accuracy": 100.0},
}
"""Its own limits are for a server that anybody may ask; ours are in the settings."""


class Valhalla:
    """Valhalla on data of its own."""

    def __init__(self, data: Path) -> None:
        """Open what `reparto roads build` made."""
        config: dict[str, Any] = valhalla.get_config(tile_extract=data / "tiles.tar", tile_dir="")
        for kind, limits in _LIMITS.items():
            config["service_limits"][kind] |= limits
        self._actor = valhalla.Actor(config)

    def answer(self, question: Question) -> RoadAnswer:
        """Answer one question; RuntimeError with Valhalla's words when there is no such way."""
        asked: dict[str, Any] = {"costing": "auto", "format": "osrm", "directions_type": "none"}
        places: list[dict[str, Any]] = [
            {"lon": lon, "lat": lat} for lon, lat in zip(question.lon, question.lat, strict=True)
        ]
        if question.what == "route":
            return _read(self._actor.route(_text(asked | {"locations": places})))
        if question.what == "table":
            ends = {
                "sources": [places[row] for row in question.sources],
                "targets": [places[row] for row in question.destinations],
            }
            return _read(self._actor.matrix(_text(asked | ends)))
        for place, time_s in zip(places, question.time_s, strict=True):
            place["time"] = time_s
        accuracy_m = statistics.median(question.accuracy_m)
        options = {"gps_accuracy": accuracy_m, "search_radius": max(50.0, 2 * accuracy_m)}
        asked |= {"shape": places, "shape_match": "map_snap", "trace_options": options}
        return _read(self._actor.trace_route(_text(asked)))


def _text(asked: dict[str, Any]) -> str:
    return msgspec.json.encode(asked).decode()


def _read(text: str) -> RoadAnswer:
    return msgspec.json.decode(text, type=RoadAnswer)
