"""What an engine answers: OSRM's JSON, which Valhalla speaks too (`"format": "osrm"`). Everything else is left out.

Source: https://project-osrm.org/docs/v5.24.0/api/
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from geo.pings import Floats
from geo.shape.lines import along_m, decode_polyline
from work.roads.protocol import Line, Matched, NoWay, RoadPath

FARTHEST_ROAD_M = 1_000.0
"""A place farther than this from every road that the engine knows is not on its map."""

PRECISION = 6
"""Decimals of the polylines that every engine is asked for."""


class Leg(Struct, frozen=True, kw_only=True):
    """From one place to the next: metres, seconds."""

    distance: float
    duration: float


class RoadDrive(Struct, frozen=True, kw_only=True):
    """One way along roads; `geometry` is an encoded polyline."""

    geometry: str
    legs: list[Leg]


class Waypoint(Struct, frozen=True, kw_only=True):
    """Where a place was put on a road; `distance`: metres between the two."""

    distance: float = 0.0


class RoadAnswer(Struct, frozen=True, kw_only=True):
    """`code` is Ok, or `message` says why not. `routes` answer a route, `matchings` a match, `durations` and
    `distances` a table: seconds and metres, a row for each place from; null where there is no way."""

    code: str
    message: str = ""
    routes: list[RoadDrive] = []
    waypoints: list[Waypoint] = []
    matchings: list[RoadDrive] = []
    durations: list[list[float | None]] = []
    distances: list[list[float | None]] = []


def read_path(answers: Sequence[RoadAnswer], *, legs: int) -> RoadPath:
    """Read a way of so many legs, asked for piece by piece: each piece begins where the one before ended.

    Raises:
        NoWay: an engine found none, or only one that leads past a place.
        ValueError: an answer is not what was asked for.
    """
    lines: list[Line] = []
    found: list[Leg] = []
    for answer in answers:
        _check(answer)
        for index, waypoint in enumerate(answer.waypoints):
            if waypoint.distance > FARTHEST_ROAD_M:
                why = f"the nearest road that is known is {waypoint.distance / 1000:.1f} km away"
                raise NoWay(why, place=len(found) + index)
        if not answer.routes:
            raise ValueError("there is no route in it")
        lines.append(decode_polyline(answer.routes[0].geometry, PRECISION))
        found += answer.routes[0].legs
    if len(found) != legs:
        raise ValueError(f"it has {len(found)} legs instead of {legs}")
    return RoadPath(
        source="road",
        lon=np.concatenate([lon for lon, _ in lines]),
        lat=np.concatenate([lat for _, lat in lines]),
        leg_lengths_m=np.array([leg.distance for leg in found]),
        leg_durations_s=np.array([leg.duration for leg in found]),
    )


def read_lines(answers: Sequence[RoadAnswer]) -> Matched:
    """Read where a trace was driven, asked for piece by piece; a piece that fits no road leaves a gap.

    Raises:
        NoWay: no piece fits any road.
        ValueError: an answer is not what was asked for.
    """
    refusals: list[NoWay] = []
    lines: list[Line] = []
    for answer in answers:
        try:
            _check(answer)
        except NoWay as refusal:
            refusals.append(refusal)
        decoded = (decode_polyline(drive.geometry, PRECISION) for drive in answer.matchings)
        lines += [(lon, lat) for lon, lat in decoded if len(lon) > 1 and along_m(lon, lat)[-1] > 0]
    if not lines:
        raise refusals[0] if refusals else NoWay("the trace fits no road")
    return Matched(source="road", lines=lines)


def read_table(answer: RoadAnswer) -> tuple[Floats, Floats]:
    """Read metres and seconds of a table; NaN where there is no way.

    Raises:
        NoWay: the engine says so of all of it.
        ValueError: the answer is not what was asked for.
    """
    _check(answer)
    metres, seconds = (np.array(rows, np.float64) for rows in (answer.distances, answer.durations))  # None is NaN
    if metres.ndim != 2 or metres.shape != seconds.shape:
        raise ValueError("its distances and durations do not belong together")
    return metres, seconds


def _check(answer: RoadAnswer) -> None:
    if answer.code != "Ok":
        raise NoWay(answer.message or answer.code)
