"""Roads of OSRM's library (package `osrm-bindings`, Python 3.12 or newer), for the engine's own process."""

from pathlib import Path
from typing import Any

import osrm

from work.roads.answer import PRECISION, Leg, RoadAnswer, RoadDrive, Waypoint
from work.roads.engine import Question


class Osrm:
    """OSRM on data of its own."""

    def __init__(self, data: Path) -> None:
        """Open what `reparto roads build` made; RuntimeError when that is no data of this OSRM."""
        self._engine = osrm.OSRM(
            storage_config=str(data / "roads.osrm"),
            algorithm="MLD",
            use_shared_memory=False,
            use_mmap=True,  # processes share what they read
            max_locations_viaroute=-1,
            max_locations_map_matching=-1,
        )

    def answer(self, question: Question) -> RoadAnswer:
        """Answer one question; RuntimeError with OSRM's words when there is no such way."""
        asked: dict[str, Any] = {
            "coordinates": list(zip(question.lon, question.lat, strict=True)),
            "overview": "full",
            "geometries": f"polyline{PRECISION}",
            "generate_hints": False,
        }
        if question.what == "route":
            found = self._engine.Route(osrm.RouteParameters(**asked))
            waypoints = [Waypoint(distance=waypoint["distance"]) for waypoint in found["waypoints"]]
            return RoadAnswer(code="Ok", routes=[_drive(route) for route in found["routes"]], waypoints=waypoints)
        if question.what == "table":
            of = {"sources": question.sources, "destinations": question.destinations, "generate_hints": False}
            parameters = osrm.TableParameters(
                coordinates=asked["coordinates"], annotations=["duration", "distance"], **of
            )
            found = self._engine.Table(parameters)
            return RoadAnswer(code="Ok", durations=found["durations"], distances=found["distances"])
        # `gaps`: a phone that slept for minutes still went along roads
        asked |= {"timestamps": question.time_s, "radiuses": question.accuracy_m, "gaps": "ignore"}
        found = self._engine.Match(osrm.MatchParameters(**asked))
        return RoadAnswer(code="Ok", matchings=[_drive(matching) for matching in found["matchings"]])


def _drive(found: Any) -> RoadDrive:
    legs = [Leg(distance=leg["distance"], duration=leg["duration"]) for leg in found["legs"]]
    return RoadDrive(geometry=found["geometry"], legs=legs)
