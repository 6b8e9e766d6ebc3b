"""Two simulated tours on real roads (`../shared/data/route-snap-cases`), folded and held to loose bounds."""

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest

from geo.pings import UNKNOWN_MS, Pings
from geo.plan.facts import FactType
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.shape import lines
from tests.geo.city import fold, of_type, once

CASES = Path(__file__).resolve().parents[4] / "shared" / "data" / "route-snap-cases"


def read(name):
    return gzip.decompress((CASES / name).read_bytes()).decode()


def column(rows, name):
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


@pytest.mark.skipif(not CASES.is_dir(), reason=f"no recorded tours at {CASES}")
@pytest.mark.parametrize("case", ["hei05", "poa14"])
def test_a_recorded_tour_is_followed(case):
    route, events = json.loads(read(f"{case}.route.json.gz")), json.loads(read(f"{case}.events.json.gz"))
    rows = list(csv.DictReader(io.StringIO(read(f"{case}.pings.csv.gz"))))
    truth = list(csv.DictReader(io.StringIO(read(f"{case}.truth.csv.gz"))))
    lon, lat = np.array(route["route"]).T
    along = lines.along_m(lon, lat)
    assert along == pytest.approx(np.array(route["s"]), abs=1.0)
    stops = route["stops"]
    stop_lon, stop_lat = ([stop[name] for stop in stops] for name in ("lon", "lat"))
    placed = lines.place_stops(lon, lat, along, stop_lon, stop_lat)
    assert np.mean(np.abs(placed - [stop["s"] for stop in stops]) < 50) > 0.85
    start_ms = int(route["t0"] * 1000)
    plan = prepare_plan(
        Head(
            route_id=1,
            version=1,
            order=(start_ms, case),
            effective_ms=UNKNOWN_MS,
            driver_id=1,
            start_ms=start_ms,
            end_ms=start_ms + 12 * 3_600_000,
            return_to_depot=True,
        ),
        PathColumns(lon, lat, along),
        StopColumns(
            ids=np.arange(len(stops)) + 1,
            lon=stop_lon,
            lat=stop_lat,
            along_m=placed,
            radius_m=[stop["radius"] for stop in stops],
            service_s=[stop["planned_service"] for stop in stops],
            planned_ms=[int(stop["planned_arrival"] * 1000) for stop in stops],
        ),
    )
    pings = Pings.empty(len(rows))
    pings.rows["driver_id"] = pings.rows["device_id"] = 1
    pings.rows["recorded_ms"] = column(rows, "t") * 1000
    for name, source in (("lat_e6", "lat"), ("lon_e6", "lon")):
        pings.rows[name] = np.rint(column(rows, source) * 1e6)
    for name, source in (("accuracy_m", "acc"), ("speed_mps", "speed"), ("heading_deg", "heading")):
        pings.rows[name] = column(rows, source)
    pings = once(pings)
    _, facts = fold(pings, plan)

    scored = [i for i, row in enumerate(truth) if row["scored"] == "1"]
    row_at = {ms: i for i, ms in enumerate(pings.rows["recorded_ms"].tolist())}
    got = facts.judged["along_m"][[row_at[int(float(rows[i]["t"]) * 1000)] for i in scored]]
    error_m = np.abs(got - [float(truth[i]["s"]) for i in scored])
    assert np.mean(error_m[~np.isnan(got)] > 150) < 0.03
    arrived = of_type(facts.happened, FactType.STOP_ARRIVED)
    seen = {(stops[stop - 1]["id"], ms) for stop, ms in arrived[["stop_id", "occurred_ms"]].tolist()}
    hits = [
        any(stop == each["stop"] and -120 <= ms / 1000 - each["arrive"] <= 240 for stop, ms in seen)
        for each in events["arrivals"]
    ]
    assert np.mean(hits) > 0.75
