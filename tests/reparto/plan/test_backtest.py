"""Habits: drivers who always go the same way around are followed where that costs little."""

import gzip
import json
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest

from geo.tours.habits import Past, like_drivers, votes
from geo.tours.score import deviation, score
from geo.tours.sequence import cost_of, in_order, short
from reparto.cli import main
from reparto.plan.backtest import held_out


def ring(size: int = 12, radius_m: float = 1_000.0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, size, endpoint=False)
    return np.column_stack((radius_m * np.cos(angle), radius_m * np.sin(angle)))


def test_the_way_around_that_was_always_driven_is_learned() -> None:
    places, names = ring(), [f"c{row}" for row in range(12)]
    around = [*range(4, 12), *range(4)]
    past = [Past(places=places[around], names=tuple(names[row] for row in around))] * 3
    apart_m = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    said = votes(past, places, names)
    assert said == pytest.approx(-said.T)
    habit = like_drivers(np.pad(apart_m, (0, 2)), said, np.arange(12)[::-1])
    assert habit.tolist() == around


def test_without_a_past_the_shortest_way_stays() -> None:
    places = ring()
    apart_m = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    said = votes([], places, [""] * 12)
    assert not said.any()
    assert like_drivers(np.pad(apart_m, (0, 2)), said, np.arange(12)).tolist() in (
        list(range(12)),
        list(range(12))[::-1],
    )


@pytest.mark.parametrize("count", [2, 3, 7, 9])
def test_the_search_finds_what_trying_everything_finds(count: int) -> None:
    rng = np.random.default_rng(count)
    drive, before = rng.random((count + 2, count + 2)), rng.random((count, count)) * 0.3
    best, cost = in_order(drive, before, np.arange(count), rng=rng, tries=50)
    assert cost == pytest.approx(cost_of(drive, before, best))
    if count <= 7:
        assert cost == pytest.approx(min(cost_of(drive, before, np.array(p)) for p in permutations(range(count))))


@pytest.mark.parametrize("seed", range(5))
def test_a_short_order_is_no_longer_than_any_that_one_move_makes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drive, before = rng.random((14, 14)), np.zeros((12, 12))
    order = short(drive)
    assert sorted(order) == list(range(12))
    cost = cost_of(drive, before, order)
    for i, j in combinations(range(13), 2):
        turned = np.concatenate((order[:i], order[i:j][::-1], order[j:]))
        assert cost_of(drive, before, turned) >= cost - 1e-9
    assert [short(np.zeros((count + 2, count + 2))).tolist() for count in (0, 1)] == [[], [0]]


def test_the_score_is_that_of_the_challenge() -> None:
    apart = np.abs(np.arange(5)[:, None] - np.arange(5)[None]).astype(float)
    assert score(range(5), range(5), apart) == 0
    assert deviation(range(5), [4, 3, 2, 1, 0]) == 0
    assert deviation(range(5), [0, 2, 4, 1, 3]) == pytest.approx(2 / 20 * (1 + 1 + 2 + 1))
    assert score(range(5), [0, 2, 1, 3, 4], apart) < score(range(5), [0, 3, 1, 4, 2], apart)


def test_tours_are_learned_from_and_held_against_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(5)
    lines = ["route,stop,lat,lon"]
    for tour in range(30):
        chosen = sorted(rng.choice(40, 10, replace=False))  # everybody goes from west to east, over a zigzag
        lines += [f"R{tour},C{c},{4.6 + 0.004 * (c % 2):.5f},{-74.1 + 0.001 * c:.5f}" for c in chosen]
    (tmp_path / "tours.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert main(["plan", "backtest", str(tmp_path / "tours.csv.gz"), "--limit-s", "1"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {route["route"] for route in told["routes"]} == {f"R{t}" for t in range(30) if held_out(f"R{t}")}
    for route in told["routes"]:
        assert sorted(route["driven"]) == sorted(route["optimal"]) == sorted(route["habit"])
        assert route["km"]["optimal"] <= min(route["km"]["driven"], route["km"]["habit"]) + 0.001
    assert told["score"]["habit"] < told["score"]["optimal"]


def test_a_file_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("route,lat,lon\n")
    assert main(["plan", "backtest", str(tmp_path / "a.csv")]) == 1
    assert "no column stop" in capsys.readouterr().err
    (tmp_path / "b.csv").write_text("route,stop,lat,lon\nR,C,91,x\n")
    assert main(["plan", "backtest", str(tmp_path / "b.csv")]) == 1
