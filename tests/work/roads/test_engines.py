"""Real engines on real extracts: their ways follow roads and the law, and noise leads back to the street."""

import csv
import gzip
import json
import os
import signal
from contextlib import asynccontextmanager

import numpy as np
import pytest

from geo.shape import plane
from geo.shape.lines import along_m
from work.roads.choose import open_roads
from work.roads.engine import EngineRoads, Question
from work.roads.process import EngineProcess
from work.roads.protocol import NoWay, RoadsAway, Trace

PRAÇA, MERCADO, PARQUE = (-51.2277, -30.0346), (-51.2277, -30.0276), (-51.2160, -30.0390)
UP_THE_ONE_WAY = [(-51.227877, -30.033399), (-51.227825, -30.032740)]
"""73 m of Avenida Borges de Medeiros, and the way back leads around the block."""

BISMARCKPLATZ, NEUENHEIM = (8.6930, 49.4095), (8.6920, 49.4180)


@asynccontextmanager
async def roads_in(engine, folder):
    async with open_roads(engine, folder=folder, osrm_url="") as roads:
        yield roads


def beside_m(lon, lat, line_lon, line_lat):
    """Metres from places to a line."""
    x, y = plane.project(lon, lat, lon[0], lat[0])
    vx, vy = plane.project(line_lon, line_lat, lon[0], lat[0])
    dx, dy = np.diff(vx), np.diff(vy)
    part = ((x[:, None] - vx[:-1]) * dx + (y[:, None] - vy[:-1]) * dy) / np.maximum(dx * dx + dy * dy, 1e-9)
    part = part.clip(0, 1)
    return np.hypot(x[:, None] - vx[:-1] - part * dx, y[:, None] - vy[:-1] - part * dy).min(axis=1)


@pytest.mark.parametrize(
    ("city", "places"), [("porto_alegre", [PRAÇA, PARQUE, MERCADO]), ("heidelberg", [BISMARCKPLATZ, NEUENHEIM])]
)
async def test_a_way_leads_along_roads_from_place_to_place(request, engine, city, places):
    straight_m = np.diff(along_m(*np.array(places).T))
    async with roads_in(engine, request.getfixturevalue(city)) as roads:
        path = await roads.route(np.array(places))
    assert path.source == "road"
    assert (path.leg_lengths_m > straight_m).all()
    assert path.leg_lengths_m.sum() == pytest.approx(along_m(path.lon, path.lat)[-1], rel=0.01)
    speed_mps = path.leg_lengths_m / path.leg_durations_s
    assert ((speed_mps > 3) & (speed_mps < 25)).all()
    at = np.array(places)
    assert beside_m(at[:, 0], at[:, 1], path.lon, path.lat).max() < 60
    assert len(path.lon) > 10 * len(places)


async def test_a_one_way_street_is_not_driven_the_wrong_way(engine, porto_alegre):
    async with roads_in(engine, porto_alegre) as roads:
        there = await roads.route(np.array(UP_THE_ONE_WAY))
        back = await roads.route(np.array(UP_THE_ONE_WAY[::-1]))
    assert there.leg_lengths_m[0] == pytest.approx(73, abs=3)
    assert back.leg_lengths_m[0] > 400


async def test_a_tour_as_long_as_the_settings_allow_has_a_way(engine, porto_alegre):
    places = np.array([PRAÇA, PARQUE] * 251)
    async with roads_in(engine, porto_alegre) as roads:
        assert len((await roads.route(places)).leg_lengths_m) == 501


async def test_a_table_says_what_ways_say_and_is_not_symmetric(engine, porto_alegre):
    places = np.array([PRAÇA, *UP_THE_ONE_WAY, PARQUE])
    async with roads_in(engine, porto_alegre) as roads:
        metres, seconds = await roads.table(places)
        way = await roads.route(places)
        off_m, _ = await roads.table(np.array([PRAÇA, (-50.0, -29.5)])) or (np.full((2, 2), np.nan), None)
    assert metres.shape == seconds.shape == (4, 4)
    assert metres.diagonal(1) == pytest.approx(way.leg_lengths_m, abs=30)
    assert seconds.diagonal(1) == pytest.approx(way.leg_durations_s, rel=0.2, abs=5)
    assert metres[2, 1] > metres[1, 2] + 300
    assert np.isnan(off_m[0, 1])


async def test_the_same_place_again_is_a_leg_of_no_length(engine, porto_alegre):
    async with roads_in(engine, porto_alegre) as roads:
        path = await roads.route(np.array([PRAÇA, PRAÇA, PARQUE]))
    assert path.leg_lengths_m[0] == 0
    assert path.leg_lengths_m[1] > 500


@pytest.mark.parametrize(("case", "typical_m"), [("poa01", 9), ("poa10", 7), ("poa13", 8)])
async def test_a_noisy_trace_comes_back_to_the_street_it_was_driven_on(
    engine, porto_alegre, shared_data, case, typical_m
):
    cases = shared_data / "route-snap-cases"
    deviation = json.loads(gzip.decompress((cases / f"{case}.events.json.gz").read_bytes()))["deviations"][0]
    with (
        gzip.open(cases / f"{case}.pings.csv.gz", "rt") as pings,
        gzip.open(cases / f"{case}.truth.csv.gz", "rt") as truth,
    ):
        rows = [
            {**ping, **{f"true_{name}": row[name] for name in ("lat", "lon")}}
            for ping, row in zip(csv.DictReader(pings), csv.DictReader(truth), strict=True)
            if deviation["start"] <= float(ping["t"]) <= deviation["end"]
        ]
    rows.sort(key=lambda row: float(row["t"]))

    def column(name):
        return np.array([float(row[name] or "nan") for row in rows])

    lon, lat, true_lon, true_lat = (column(name) for name in ("lon", "lat", "true_lon", "true_lat"))
    async with roads_in(engine, porto_alegre) as roads:
        matched = await roads.match(Trace(lon=lon, lat=lat, time_s=column("t"), accuracy_m=column("acc")))
    assert matched.source == "road"
    off_m = np.min([beside_m(true_lon, true_lat, *line) for line in matched.lines], axis=0)
    noise_m = np.linalg.norm(plane.in_space(lon, lat) - plane.in_space(true_lon, true_lat), axis=1)
    assert np.median(noise_m) > typical_m
    assert np.median(off_m) < 1
    assert np.quantile(off_m, 0.9) < 5


async def test_a_place_off_the_map_has_no_way(engine, porto_alegre):
    async with roads_in(engine, porto_alegre) as roads:
        with pytest.raises(NoWay) as said:
            await roads.route(np.array([PRAÇA, (-50.0, -29.5)]))
        assert said.value.place in (1, None)
        with pytest.raises(NoWay):
            await roads.match(
                Trace(
                    lon=np.array([-50.0, -50.01, -50.02]),
                    lat=np.array([-29.5, -29.5, -29.5]),
                    time_s=np.array([0.0, 60, 120]),
                    accuracy_m=np.full(3, np.nan),
                )
            )


async def test_an_engine_that_falls_is_started_again(engine, porto_alegre):
    async with EngineProcess.on(engine, porto_alegre / engine) as process:
        roads = EngineRoads(process)
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(RoadsAway, match="failed: it fell"):
            await roads.route(np.array([PRAÇA, PARQUE]))
        assert process.pid is None
        assert (await roads.route(np.array([PRAÇA, PARQUE]))).source == "road"


async def test_an_engine_that_does_not_answer_is_given_up(engine, porto_alegre):
    async with EngineProcess.on(engine, porto_alegre / engine, answer_s=0.2) as process:
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(RoadsAway, match=r"did not answer within 0\.2 s"):
            await process.ask(Question(what="route", lon=[-51.2277, -51.2160], lat=[-30.0346, -30.0390]))


async def test_data_that_is_none_is_said_at_the_start(engine, porto_alegre, tmp_path):
    with pytest.raises(RoadsAway, match="run `reparto roads build"):
        async with roads_in(engine, tmp_path):
            pass
    with pytest.raises(RoadsAway, match="cannot open"):
        async with EngineProcess.on(engine, tmp_path / "nothing"):
            pass
