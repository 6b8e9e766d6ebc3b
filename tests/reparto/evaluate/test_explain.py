"""A day as a page: it holds what the fold gives, needs nothing else, and shows where what is stored differs."""

import asyncio
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from geo.fold.fold import advance, fresh
from geo.plan.facts import FactType
from geo.plan.plans import Timeline
from geo.trust.clean import names
from reparto.cli import main
from reparto.client.client import Client
from reparto.client.recordings import read_case
from reparto.data.importer import import_routes, moved_to_now
from reparto.data.replay import AT_ONCE
from reparto.evaluate.explain import fold as folding
from reparto.evaluate.explain.compare import compare
from reparto.evaluate.explain.day import DRIVER, Day, DayVisit
from reparto.evaluate.explain.fold import fold
from reparto.evaluate.explain.page import data_of, page_of
from reparto.evaluate.explain.sources import day_of_case, day_of_product
from sql.pool import Pool

MONTEVIDEO = Path(__file__).parents[2] / "journeys" / "montevideo.route.json"


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.policy = ""
        self.texts: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attributes}
        self.addresses += [told[name] for name in ("src", "href", "data", "action") if name in told]
        if told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told["content"]
        if tag not in ("meta", "link"):
            self.open.append(tag)
            self.texts.setdefault(self.key(told), "")
            self.current = self.key(told)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.current] += data

    def key(self, told: dict[str, str]) -> str:
        return told.get("id") or self.open[-1]


def day_in(text: str) -> dict[str, Any]:
    """The data of a page, as its script reads it."""
    data: dict[str, Any] = msgspec.json.decode(Page(text).texts["day"])
    return data


@pytest.fixture(scope="module")
def montevideo() -> Day:
    return day_of_case(MONTEVIDEO)


def test_a_page_is_whole_html_that_asks_for_nothing(montevideo: Day) -> None:
    page = Page(page_of(montevideo, fold(montevideo)))
    assert page.open == []
    assert page.addresses == []
    assert page.policy.startswith("default-src 'none';")
    assert {"map", "chart", "details", "decisions", "day"} <= page.texts.keys()


def test_a_page_holds_what_one_fold_of_all_pings_gives(montevideo: Day) -> None:
    data = day_in(page_of(montevideo, fold(montevideo)))
    timeline = Timeline(driver_id=DRIVER, plans=(montevideo.plan,))
    _, facts = advance(fresh(np.array([DRIVER])), montevideo.pings, [timeline])
    pings, judged = data["pings"], facts.judged
    for again in facts.rejudged:  # none of an earlier call
        same = montevideo.pings.rows["recorded_ms"] == again["recorded_ms"]
        judged[same] = again["judged"]

    assert pings["time_ms"] == montevideo.pings.rows["recorded_ms"].tolist()
    assert pings["believed"] == judged["believed"].tolist()
    assert pings["on_route"] == judged["on_route"].tolist()
    assert pings["flags"] == [names(flags) for flags in judged["flags"].tolist()]
    along_m = [np.nan if one is None else one for one in pings["along_m"]]
    assert along_m == pytest.approx(judged["along_m"].tolist(), abs=0.06, nan_ok=True)
    assert {len(column) for column in pings.values()} == {len(judged)}
    assert [(one["type"], one["occurred_ms"]) for one in data["facts"]] == [
        (FactType(kind).name.lower(), at) for kind, at in facts.happened[["type", "occurred_ms"]].tolist()
    ]


def test_a_day_of_many_pings_is_folded_in_larger_steps_to_the_same_end(
    montevideo: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one = fold(montevideo)
    monkeypatch.setattr(folding, "STEPS", 50)
    in_steps = fold(montevideo)
    assert in_steps.judged.tobytes() == one_by_one.judged.tobytes()
    assert in_steps.visits == one_by_one.visits
    assert in_steps.spells == one_by_one.spells
    known = ~np.isnan(in_steps.held["along_m"])
    assert 0 < np.count_nonzero(known) <= 50
    np.testing.assert_array_equal(in_steps.held["along_m"][known], one_by_one.held["along_m"][known])


def test_hypotheses_are_sampled_with_their_weights(montevideo: Day) -> None:
    folded = fold(montevideo)
    data = data_of(montevideo, folded)
    assert len(data["pings"]["hypotheses"]) == len(data["pings"]["time_ms"])
    for places in data["pings"]["hypotheses"]:
        assert sum(weight for _, weight in places) <= 1.001
        assert all(0 <= along_m <= data["path"]["along_m"][-1] for along_m, _ in places)
    likeliest = [places[0][0] if places else None for places in data["pings"]["hypotheses"]]
    told = zip(likeliest, data["pings"]["along_m"], data["pings"]["on_route"], strict=True)
    near = [abs(place - along_m) < 60 for place, along_m, on in told if on and place is not None]
    assert sum(near) > 0.95 * len(near)


def test_visits_wild_fixes_and_copies_of_a_morning_are_there(montevideo: Day) -> None:
    data = data_of(montevideo, fold(montevideo))
    assert len(data["visits"]) == 9
    assert data["pings"]["believed"].count(False) == 1
    assert data["repeated"] == 3
    assert data["stored"] is None
    assert data["differences"] == []
    assert data["timezone"] == "UTC"


def test_nothing_in_a_day_can_end_its_element(montevideo: Day) -> None:
    name = "</script><script>alert(1)</script>"
    day = replace(montevideo, name=name, stops=[replace(stop, name=name) for stop in montevideo.stops])
    text = page_of(day, fold(day))
    assert name not in text
    assert day_in(text)["stops"][0]["name"] == name


def test_the_tours_of_other_cities_make_pages_too(shared_data: Path) -> None:
    day = day_of_case(shared_data / "route-snap-cases" / "hei03.route.json.gz")
    data = day_in(page_of(day, fold(day)))
    assert len(data["stops"]) == 28
    assert data["spells"]
    assert any(data["pings"]["late"])


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_a_page_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "day.html"
    assert main(["replay", "--explain", str(MONTEVIDEO), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    assert day_in(out.read_text())["name"] == "montevideo"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--explain"], "--explain draws one day"),
        (["--explain", "a.route.json", "b.route.json"], "--explain draws one day"),
        (["--explain", "a.route.json", "--route", "b"], "--explain draws one day"),
        (["--explain", "pings.csv"], "a planned tour is needed"),
        (["--explain", "nowhere.route.json"], "cannot be read"),
        (["--explain", "alone.route.json"], "there is no alone.pings.csv.gz beside it"),
        (["--explain", "odd.route.json"], "not a planned tour"),
        (["--explain", "backwards.route.json"], "backwards cannot be driven: stop_along_m decreases"),
        (["--explain", "pole.route.json"], "no door would take any of its pings"),
        (["--explain", str(MONTEVIDEO), "--out", "nowhere/day.html"], "cannot be written"),
        (["--route", "b"], "--route and --out go with --explain"),
        (["--explain", "--speed", "5", str(MONTEVIDEO)], "--speed, --keep-times and --device-token go with sending"),
        (["--explain", "--to", "2026-03-01", str(MONTEVIDEO)], "--from, --to and --report go with --score"),
        (["--explain", "--driver", "ana", str(MONTEVIDEO)], "--driver goes with sending and with --score"),
        (["--explain", "--score", str(MONTEVIDEO)], "--explain and --score are two things to do: choose one"),
        ([], "name a recording to send"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    sentence: str,
) -> None:
    plan = msgspec.json.decode(MONTEVIDEO.read_bytes())
    (tmp_path / "alone.route.json").write_bytes(msgspec.json.encode(plan))
    (tmp_path / "odd.route.json").write_text("[]")
    (tmp_path / "pole.route.json").write_bytes(msgspec.json.encode(plan))
    (tmp_path / "pole.pings.csv").write_text("time,lat,lon\n1771401601,95,0\n")
    plan["stops"][-1]["s"] = 0
    (tmp_path / "backwards.route.json").write_bytes(msgspec.json.encode(plan))
    (tmp_path / "backwards.pings.csv").write_text("time,lat,lon\n1771401601,-34.9,-56.18\n")
    monkeypatch.chdir(tmp_path)
    assert main(["replay", *arguments]) == 1
    said = capsys.readouterr()
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


# --- from the product -------------------------------------------------------------------------------------------------


async def test_what_is_stored_is_what_the_same_geo_says_again(client: Client, morning: str) -> None:
    day = await day_of_product(client, morning)
    folded = fold(day)
    differs, differences = compare(day, folded)
    assert not differs.any(), differences
    assert differences == []
    data = day_in(page_of(day, folded))
    assert len(data["stored"]["along_m"]) == len(data["pings"]["time_ms"])
    assert len(data["stored_visits"]) == len(data["visits"]) == 9
    assert data["stored"]["flags"] == data["pings"]["flags"]
    assert data["timezone"] == "America/Montevideo"
    assert data["notes"] == []


async def test_where_they_differ_the_page_says_so(client: Client, morning: str, pool: Pool) -> None:
    times = await pool.fetch("SELECT recorded_at FROM ping WHERE on_route ORDER BY recorded_at OFFSET 100 LIMIT 3")
    await pool.execute(
        "UPDATE packed_ping SET along_m = along_m + 500, route_version = 0 WHERE recorded_at = ANY ($1)",
        [row["recorded_at"] for row in times],
    )
    await pool.execute(
        "DELETE FROM visit WHERE arrived_at = (SELECT min(arrived_at) FROM visit WHERE stop_id IS NOT NULL)"
    )
    day = await day_of_product(client, morning)
    data = data_of(day, fold(day))
    assert data["pings"]["differs"].count(True) == 3
    assert [one["what"] for one in data["differences"]] == [
        f"stop {day.stops[0].name}: today's geo finds a visit, none is stored",
        "3 pings: along_m by up to 500 m",
    ]
    assert data["notes"] == [
        "3 pings were judged by another version of this route; here they are folded with version 1."
    ]


async def test_the_command_asks_the_product(
    client: Client, key: str, morning: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "morning.html"
    target = ["--url", client.url, "--key", key]
    asked = ["replay", "--explain", "--route", morning, "--out", str(out), *target]
    assert await asyncio.to_thread(main, asked) == 0
    assert day_in(out.read_text())["name"] == morning
    capsys.readouterr()
    assert await asyncio.to_thread(main, ["replay", "--explain", "--route", "nobody's", *target]) == 1
    assert "There is no route of this id" in capsys.readouterr().err
    assert key not in out.read_text()


async def test_a_route_that_nobody_drove_yet_is_said_to_have_no_pings(
    client: Client, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    route, _ = moved_to_now(replace(read_case(MONTEVIDEO), recording=None), speed=AT_ONCE, timezone="UTC")
    await import_routes(client, [route])
    target = ["--url", client.url, "--key", key]
    assert await asyncio.to_thread(main, ["replay", "--explain", "--route", route.external_id, *target]) == 1
    assert f"the route '{route.external_id}' has no pings yet" in capsys.readouterr().err


async def test_a_visit_that_is_stored_otherwise_is_named(client: Client, morning: str) -> None:
    day = await day_of_product(client, morning)
    folded = fold(day)
    assert day.stored_visits is not None
    first, second, *rest = day.stored_visits
    moved = replace(first, came_ms=first.came_ms - 60_000, left_ms=None)
    day = replace(
        day, stored_visits=[moved, second, *rest, DayVisit(stop=second.stop, came_ms=second.came_ms, left_ms=None)]
    )
    _, differences = compare(day, folded)
    assert {one.what for one in differences} == {
        f"stop {day.stops[first.stop].name}: arrival +60 s, departed only today",
        f"stop {day.stops[second.stop].name}: a visit is stored, today's geo finds none",
    }
