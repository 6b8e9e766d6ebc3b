"""Scoring: every source is asked the same, nothing is learned before it ended, and the page needs nothing else."""

import asyncio
import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from geo.eta.score import Figures, figures
from reparto.cli import main
from reparto.client.client import Client
from reparto.client.recordings import read_case
from reparto.evaluate.accuracy.command import table
from reparto.evaluate.accuracy.compare import ALL, SOURCES, Line, ToldAhead, compare, lines_of
from reparto.evaluate.accuracy.page import held, page_of
from reparto.evaluate.accuracy.tours import tours_of_cases
from reparto.evaluate.score import plan_of

MONTEVIDEO = Path(__file__).parents[2] / "journeys" / "montevideo.route.json"
DAY_S = 86_400


def case(folder: Path, name: str, *, days: int) -> Path:
    """Write the morning in Montevideo again, so many days later."""
    folder.mkdir(exist_ok=True)
    plan = json.loads(MONTEVIDEO.read_text())
    for stop in plan["stops"]:
        stop["planned_arrival"] += days * DAY_S
    (folder / f"{name}.route.json").write_text(json.dumps(plan))
    rows = list(csv.DictReader(MONTEVIDEO.with_name("montevideo.pings.csv").read_text().splitlines()))
    with (folder / f"{name}.pings.csv").open("w", newline="") as file:
        lines = csv.DictWriter(file, rows[0])
        lines.writeheader()
        lines.writerows(row | {"t": float(row["t"]) + days * DAY_S} for row in rows)
    return folder


def test_every_source_is_asked_the_same(tmp_path: Path) -> None:
    told = compare(tours_of_cases([case(tmp_path / "cases", "mon", days=0)]))
    assert tuple(told) == SOURCES
    first = told["today"]
    for said in told.values():
        assert np.array_equal(said.asked_ms, first.asked_ms)
        assert np.array_equal(said.came_ms, first.came_ms)
    assert (first.came_ms > first.asked_ms).all()
    lines = list(lines_of(told))
    assert [line.source for line in lines if line.bucket == ALL] == list(SOURCES)
    for source in SOURCES:
        mine = [line.figures for line in lines if line.source == source]
        assert sum(found.n for found in mine[:-1]) == mine[-1].n == len(told[source].came_ms)
    whole = next(line.figures for line in lines if (line.source, line.bucket) == ("today", ALL))
    assert whole == figures(first.expected_ms, first.came_ms, first.low_ms, first.high_ms)


def test_a_tour_has_the_hours_that_the_scorer_of_recordings_gives_it(tmp_path: Path) -> None:
    """A phone that is on an hour before the tour begins leaves its start where it was planned."""
    route = case(tmp_path / "cases", "mon", days=0) / "mon.route.json"
    plan = json.loads(route.read_text())
    for stop in plan["stops"]:
        stop["planned_arrival"] += 3600
    route.write_text(json.dumps(plan))
    (timeline,) = tours_of_cases([tmp_path / "cases"]).timelines
    ours, theirs = timeline.plans[0], plan_of(read_case(route), 1)
    assert (ours.start_ms, ours.end_ms) == (theirs.start_ms, theirs.end_ms)
    first = plan["stops"][0]
    assert 1000 * (first["planned_arrival"] - 120) < ours.start_ms < 1000 * first["planned_arrival"]


def test_nothing_is_learned_before_it_ended(tmp_path: Path) -> None:
    """What comes later changes nothing; what came before does."""
    alone = compare(tours_of_cases([case(tmp_path / "one", "a", days=0)]))
    case(tmp_path / "two", "a", days=0)
    both = compare(tours_of_cases([case(tmp_path / "two", "b", days=1)]))
    early = both["today"].asked_ms < alone["today"].asked_ms.max() + 1
    assert early.sum() == len(alone["today"].asked_ms)
    assert np.array_equal(both["today"].part(early).expected_ms, alone["today"].expected_ms)
    assert np.array_equal(both["today"].part(early).high_ms, alone["today"].high_ms)
    for learns in ("today", "before learning"):
        again_ms = both[learns].part(~early).expected_ms - DAY_S * 1000
        same = again_ms == alone[learns].expected_ms
        assert same.all() is np.bool_(learns == "before learning")
    errors = [np.abs(part.expected_ms - part.came_ms).mean() for part in (both["today"].part(~early), alone["today"])]
    assert errors[0] < errors[1]


def test_the_command_prints_a_table_and_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "report.html"
    assert main(["replay", "--score", str(case(tmp_path / "cases", "mon", days=0)), "--report", str(page)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["lead", "min", "n", "MAE", "median", "P90", "bias", "coverage", "width", "score"]
    assert {row[:8].strip() for row in rows[:-1]} >= {"0-15", "all"}
    assert rows[-1] == str(page)
    text = page.read_text()
    assert "<h1>cases</h1>" in text
    assert "$" not in text
    assert "src=" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    "asked",
    [
        ["replay", "--report", "x.html", "some.csv"],
        ["replay", "--score", "nowhere"],
        ["replay", "--score", "--from", "2026-03-02", "--to", "2026-03-01", "--key", "k"],
        ["replay", "--score", "--from", "2026-01-01", "--to", "2026-12-01", "--key", "k"],
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(asked) == 1
    assert len(capsys.readouterr().err.strip()) > 10


async def test_a_period_of_the_product_is_scored_by_its_own_visits(
    client: Client, key: str, morning: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    page = tmp_path / "week.html"
    asked = ["replay", "--score", "--url", client.url, "--key", key, "--report", str(page)]
    period = ["--from", str(today - timedelta(days=2)), "--to", str(today + timedelta(days=1))]
    assert await asyncio.to_thread(main, [*asked, *period]) == 0
    rows = capsys.readouterr().out.splitlines()
    ours = next(row.split() for row in rows if row.startswith("all") and "today" in row)
    assert int(ours[2]) > 10
    assert float(ours[3]) < 5  # minutes
    assert key not in page.read_text()
    assert morning not in page.read_text()
    past = ["--from", "2020-01-01", "--to", "2020-01-02"]
    assert await asyncio.to_thread(main, [*asked, *past]) == 1
    assert "has begun" in capsys.readouterr().err


def test_windows_that_are_right_lie_on_the_diagonal() -> None:
    chance = np.random.default_rng(3)
    n, sd_ms = 20_000, 60_000.0
    expected_ms = np.zeros(n)
    half_ms = np.full(n, 1.2816 * sd_ms)
    came_ms = chance.normal(0, sd_ms, n)
    told = ToldAhead(
        asked_ms=expected_ms - 600_000,
        expected_ms=expected_ms,
        came_ms=came_ms,
        low_ms=-half_ms,
        high_ms=half_ms,
    )
    assert held(told) == pytest.approx(np.linspace(0.05, 0.95, 19), abs=0.015)
    assert "<svg" in page_of("a <b>", 1, {"today": told}, list(lines_of({"today": told})))
    assert "a &lt;b&gt;" in page_of("a <b>", 1, {"today": told}, list(lines_of({"today": told})))


def test_a_bias_of_next_to_nothing_has_no_sign() -> None:
    found = Figures(n=1, mae_s=2.0, median_s=2.0, p90_s=2.0, bias_s=-1.0, coverage=1.0, width_s=60.0, score_s=60.0)
    line = Line(bucket=ALL, source="today", figures=found)
    assert "-0.0" not in "".join(table([line])) + page_of("", 1, {}, [line])
