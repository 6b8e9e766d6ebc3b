"""Streets of real towns, read from OpenStreetMap, as a city that tours are made up in."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium

from geo.shape import plane
from tests.tours.city import City

KMH = {
    "trunk": 60.0,
    "primary": 60.0,
    "secondary": 50.0,
    "tertiary": 45.0,
    "unclassified": 40.0,
    "residential": 30.0,
    "living_street": 12.0,
}
"""How fast streets are driven when they are empty; those of other classes (and motorways) are not driven."""

ORDINARY_KMH = 30.0
"""Of an ordinary street: `City` counts how long a street takes in metres of one."""


def read(extract: Path) -> tuple[City, tuple[float, float]]:
    """Read a town: its streets, without those that lead nowhere else, and the lon, lat of its middle."""
    number: dict[int, int] = {}
    places: list[tuple[float, float]] = []
    found: list[tuple[int, int, float]] = []
    for nodes, forward, back, kmh in _ways(extract):
        for node, lon, lat in nodes:
            if node not in number:
                number[node] = len(places)
                places.append((lon, lat))
        for a, b in pairwise(number[node] for node, _, _ in nodes):
            if a != b:
                found += [(a, b, kmh)] * forward + [(b, a, kmh)] * back
    lon, lat = np.array(places).T
    middle = float(np.median(lon)), float(np.median(lat))
    xy_m = np.column_stack(plane.project(lon, lat, *middle))
    a, b = np.array([(a, b) for a, b, _ in found]).T
    takes = np.hypot(*(xy_m[b] - xy_m[a]).T) * ORDINARY_KMH / np.array([kmh for *_, kmh in found])
    town = City([(float(x), float(y)) for x, y in xy_m], [{} for _ in places])
    for one, other, metres in zip(a.tolist(), b.tolist(), takes.tolist(), strict=True):
        town.streets[one][other] = min(metres, town.streets[one].get(other, np.inf))
    return _joined(town), middle


def _ways(extract: Path) -> Iterator[tuple[list[tuple[int, float, float]], bool, bool, float]]:
    """Give of every street its nodes (id, lon, lat), whether it is driven forwards and back, and how fast."""
    for way in osmium.FileProcessor(extract).with_locations().with_filter(osmium.filter.KeyFilter("highway")):
        if not way.is_way():
            continue
        kmh = KMH.get(way.tags["highway"].removesuffix("_link"))
        shut = {way.tags.get("access"), way.tags.get("motor_vehicle")} & {"no", "private"}
        if kmh is None or shut or way.tags.get("area") == "yes":
            continue
        oneway = way.tags.get("oneway", "yes" if way.tags.get("junction") == "roundabout" else "no")
        nodes = [(node.ref, node.lon, node.lat) for node in way.nodes if node.location.valid()]
        yield nodes, oneway != "-1", oneway not in ("yes", "true", "1"), kmh


def _joined(town: City) -> City:
    """Keep the corners that can be reached from the one in the middle, and that it can be reached from."""
    back: list[dict[int, float]] = [{} for _ in town.streets]
    for a, streets in enumerate(town.streets):
        for b, takes in streets.items():
            back[b][a] = takes
    order = np.argsort(np.hypot(*np.array(town.xy_m).T)).tolist()
    for middle in order:
        kept = _reached(town.streets, middle) & _reached(back, middle)
        if len(kept) > len(order) // 2:
            break
    row = {at: i for i, at in enumerate(sorted(kept))}
    streets = [{row[b]: takes for b, takes in town.streets[a].items() if b in row} for a in row]
    return City([town.xy_m[at] for at in row], streets)


def _reached(streets: list[dict[int, float]], start: int) -> set[int]:
    seen, left = {start}, [start]
    while left:
        new = [to for to in streets[left.pop()] if to not in seen]
        seen.update(new)
        left += new
    return seen
