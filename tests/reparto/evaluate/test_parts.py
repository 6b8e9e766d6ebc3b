"""An ETA's error taken apart, on made-up days whose parts are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geo.pings import Pings
from geo.plan.plans import Timeline
from reparto.cli import main
from reparto.evaluate.accuracy.compare import compare
from reparto.evaluate.accuracy.parts import Apart, apart, parts_lines
from reparto.evaluate.accuracy.tours import Tours
from tests.geo.city import START_MS, pings_at, plan_along, walk
from tests.reparto.evaluate.test_accuracy import case

STOPS_M = (1500.0, 3000.0, 4500.0, 5900.0)
PLAN = plan_along(
    [(0.0, 0.0), (6000.0, 0.0)],
    [(x_m, 10.0) for x_m in STOPS_M],
    planned_ms=START_MS + np.array([300, 660, 1020, 1380]) * 1000,  # drives of 300 s, services of 60 s
)
ASKED_S = -600.0


def day(*, late_s: float = 0, leg_s: float = 300, stay_s: float = 60, detour_s: float = 0, on_m: float = 0) -> Pings:
    """Drive the plan, from ten minutes before its start. A detour leaves the path in the middle of the second leg, and
    comes back to it so many metres farther on.
    """
    points = [(ASKED_S, 0.0, 0.0), (late_s, 0.0, 0.0)]
    for number, to_m in enumerate(STOPS_M):
        at_s, from_m, _ = points[-1]
        if number == 1 and detour_s:
            half_m = (from_m + to_m) / 2
            at_s += leg_s / 2
            points.append((at_s, half_m, 0.0))
            points.append((at_s + detour_s / 2, half_m + on_m / 2, 5 * detour_s))
            points.append((at_s + detour_s, half_m + on_m, 0.0))
            at_s += detour_s - leg_s / 2 - on_m / (to_m - from_m) * leg_s
        points += [(at_s + leg_s, to_m, 0.0), (at_s + leg_s + stay_s, to_m, 0.0)]
    return pings_at(*walk(*points, (points[-1][0] + 30, 6000.0, 0.0), every_s=15))


DAYS = (
    (day(), [(0, 0, 0, 0)] * 4),
    (day(late_s=600), [(-600, 0, 0, 0)] * 4),
    (day(leg_s=420), [(0, -120 * n, 0, 0) for n in (1, 2, 3, 4)]),
    (day(stay_s=240), [(0, 0, -180 * n, 0) for n in (0, 1, 2, 3)]),
    (day(detour_s=480), [(0, 0, 0, -480 * (n > 0)) for n in (0, 1, 2, 3)]),
    (day(detour_s=480, on_m=600), [(0, 0, 0, (-480 + 120) * (n > 0)) for n in (0, 1, 2, 3)]),
    (day(late_s=300, leg_s=240, stay_s=90), [(-300, 60 * n + 60, -30 * n, 0) for n in (0, 1, 2, 3)]),
)
"""Pings, and which parts the error of an ETA before the start has at each stop, seconds."""


@pytest.fixture(scope="module")
def tours() -> Tours:
    """All days at once, each with a van of its own."""
    pings, timelines = [], []
    for number, (one, _) in enumerate(DAYS, 1):
        one.rows["driver_id"] = number
        pings.append(one)
        timelines.append(Timeline(driver_id=number, plans=(replace(PLAN, route_id=number, driver_id=number),)))
    return Tours(pings=Pings.concat(pings), timelines=timelines, came_ms=[None] * len(DAYS))


@pytest.fixture(scope="module")
def found(tours: Tours) -> Apart:
    return apart(tours)


def test_what_went_otherwise_than_told_is_found(found: Apart) -> None:
    """Asked before the start, when nothing of any day is known."""
    known_s = np.array([parts for _, of_stops in DAYS for parts in of_stops], float)
    assert found.parts_s[: len(known_s)] == pytest.approx(known_s, abs=20)


def test_parts_are_of_the_errors_that_are_scored(tours: Tours, found: Apart) -> None:
    said = compare(tours)["today"]
    assert found.parts_s.sum(axis=1) == pytest.approx((said.expected_ms - said.came_ms) / 1000, abs=1e-3)


def test_parts_add_up_at_every_lead(found: Apart) -> None:
    lines = list(parts_lines(found))
    assert [line.lead for line in lines] == ["0-15", "15-30", "30-60", "all"]
    assert sum(line.n for line in lines[:-1]) == lines[-1].n
    for line in lines:
        assert sum(line.share_min) == pytest.approx(line.mae_min)
        assert max(map(abs, line.bias_min)) <= max(line.alone_min)


def test_the_command_prints_the_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", str(case(tmp_path / "cases", "mon", days=0))]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["lead", "min", "n", "MAE", "start", "drive", "service", "detour"]
    assert [row.split()[0] for row in rows[-3:]] == ["all", "alone", "bias"]
    for row in rows[:-2]:
        mae_min, *share_min = map(float, row.split()[2:])
        assert sum(share_min) == pytest.approx(mae_min, abs=0.21)


@pytest.mark.parametrize(
    "asked", [["backtest", "nowhere"], ["backtest", "--from", "2026-03-02", "--to", "2026-03-01", "--key", "k"]]
)
def test_what_cannot_be_taken_apart_is_said_in_a_sentence(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked) == 1
    assert len(capsys.readouterr().err.strip()) > 10
