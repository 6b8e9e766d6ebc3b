"""The page: what a day holds, as columns in JSON, put into one HTML file with its style and its script."""

from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS
from geo.trust.clean import UNBELIEVED, names
from reparto.evaluate.explain.compare import compare
from reparto.evaluate.explain.day import Day, DayVisit, StoredPings
from reparto.evaluate.explain.fold import FoldedDay
from reparto.version import __version__

_SCRIPT = tuple(
    f"script/{name}.js" for name in ("day", "words", "colours", "state", "map", "chart", "beside", "moving", "start")
)
"""The parts of one script, in this order: they share their names."""


def page_of(day: Day, folded: FoldedDay) -> str:
    """Write a day as one HTML page that needs nothing else."""
    here = files("reparto.evaluate.explain")
    texts = {name: (here / name).read_text(encoding="utf-8") for name in ("page.html", "page.css", *_SCRIPT)}
    data = msgspec.json.encode(data_of(day, folded)).decode()
    return Template(texts["page.html"]).substitute(
        style=texts["page.css"],
        script="\n".join(texts[name] for name in _SCRIPT),
        day=data.replace("<", "\\u003c"),  # nothing in it can end its element
    )


def data_of(day: Day, folded: FoldedDay) -> dict[str, Any]:
    """Give what the page draws; null where something is not known. Columns of `pings` have one length."""
    differs, differences = compare(day, folded)
    return {
        "name": day.name,
        "origin": day.origin,
        "version": __version__,
        "timezone": day.timezone,
        "notes": list(day.notes),
        "repeated": day.repeated,
        "refused": day.refused,
        "path": {
            "lon": _rounded(day.path_lon, 6),
            "lat": _rounded(day.path_lat, 6),
            "along_m": _rounded(day.path_along_m, 1),
        },
        "stops": [
            {
                "name": stop.name,
                "lon": stop.lon,
                "lat": stop.lat,
                "along_m": round(stop.along_m, 1),
                "radius_m": stop.radius_m,
                "fence": stop.fence,
                "planned_ms": None if stop.planned_ms == UNKNOWN_MS else stop.planned_ms,
            }
            for stop in day.stops
        ],
        "unbelieved": names(int(UNBELIEVED)),
        "pings": _pings(day, folded) | {"differs": differs.tolist()},
        "visits": _visits(folded.visits),
        "spells": [msgspec.to_builtins(spell) for spell in folded.spells],
        "facts": [
            {
                "type": fact.type.name.lower(),
                "occurred_ms": fact.occurred_ms,
                "known_ms": fact.known_ms,
                "stop": fact.stop,
            }
            for fact in folded.facts
        ],
        "stored": None if day.stored is None else _stored(day.stored),
        "stored_visits": None if day.stored_visits is None else _visits(day.stored_visits),
        "differences": [msgspec.to_builtins(difference) for difference in differences],
    }


def _pings(day: Day, folded: FoldedDay) -> dict[str, list[Any]]:
    rows, judged = day.pings.rows, folded.judged
    snapped = judged["on_route"]
    held = {name: _rounded(column, 3) for name, column in folded.held.items()}
    held["next_stop"] = [None if not stop else int(stop) - 1 for stop in held.pop("next_stop_id")]
    return {
        "time_ms": rows["recorded_ms"].tolist(),
        "lat": _degrees(rows["lat_e6"]),
        "lon": _degrees(rows["lon_e6"]),
        "accuracy_m": _rounded(rows["accuracy_m"], 1),
        "speed_mps": _rounded(rows["speed_mps"], 2),
        "heading_deg": _rounded(rows["heading_deg"], 1),
        "late": day.late.tolist(),
        "believed": judged["believed"].tolist(),
        "flags": [names(flags) for flags in judged["flags"].tolist()],
        "first_flags": [folded.first_flags.get(row) for row in range(len(rows))],
        "on_route": judged["on_route"].tolist(),
        "along_m": _rounded(judged["along_m"], 1),
        "offset_m": _rounded(judged["offset_m"], 1),
        "snapped_lat": _degrees(judged["snapped_lat_e6"], snapped),
        "snapped_lon": _degrees(judged["snapped_lon_e6"], snapped),
        "hypotheses": [
            None if places is None else [(round(along_m, 1), round(weight, 3)) for along_m, weight in places]
            for places in folded.hypotheses
        ],
    } | {f"held_{name}": column for name, column in held.items()}


def _stored(stored: StoredPings) -> dict[str, list[Any]]:
    return {
        "judged": stored.judged.tolist(),
        "believed": stored.believed.tolist(),
        "on_route": stored.on_route.tolist(),
        "flags": [list(flags) for flags in stored.flags],
        "along_m": _rounded(stored.along_m, 1),
        "snapped_lat": _rounded(stored.snapped_lat, 6),
        "snapped_lon": _rounded(stored.snapped_lon, 6),
    }


def _visits(visits: Sequence[DayVisit]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(visit) for visit in visits]


def _rounded(column: NDArray[Any], digits: int) -> list[float | None]:
    return [None if value != value else round(value, digits) for value in column.tolist()]


def _degrees(column_e6: NDArray[Any], known: NDArray[np.bool_] | None = None) -> list[float | None]:
    values = (column_e6 / 1e6).tolist()
    return values if known is None else [v if k else None for v, k in zip(values, known.tolist(), strict=True)]
