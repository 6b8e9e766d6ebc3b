"""How well arrivals were foretold: from rows as the tracker leaves them to a table."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from api.history import reports
from geo.eta.score import BUCKETS_MIN, bucket_name, bucket_of, figures
from geo.times import ms_of
from sql.eta.told import Told, put_told, settle_told
from sql.pool import Pool
from tests.api.tour_rows import Tour

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, reports.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    return await Tour.put(pool, account.id, start_at=NOW - timedelta(hours=4))


async def tell(
    tour: Tour, place: int, *, lead_s: float, as_of: datetime, wide_s: float = 120, planned: datetime | None = None
) -> Told:
    """Remember what was told of a stop."""
    expected = as_of + timedelta(seconds=lead_s)
    told = Told(
        route_id=tour.route_id,
        stop_id=tour.stop_ids[place],
        bucket=int(bucket_of(lead_s)),
        account_id=tour.account_id,
        driver_id=tour.driver_id,
        as_of_ms=ms_of(as_of),
        expected_ms=ms_of(expected),
        low_ms=ms_of(expected) - int(wide_s * 500),
        high_ms=ms_of(expected) + int(wide_s * 500),
        planned_ms=planned and ms_of(planned),
        delay_s=60.0 if planned else None,
        spread_s=60.0,
        on_route=True,
        paced_s=None,
        waits=False,
    )
    await put_told(tour.pool, [told])
    return told


async def report(client: Any, account: Any, **query: str) -> dict[tuple[str, str], dict[str, Any]]:
    response = await client.get("/v1/reports/eta-accuracy", params=query, headers=account.headers)
    assert response.status == 200, await response.text()
    return {(row["lead_min"], row["source"]): row for row in (await response.json())["rows"]}


async def a_day(tour: Tour) -> tuple[list[Told], list[int]]:
    """Tell of every stop at two leads and let the van come otherwise; give what was told and what came true."""
    rng = np.random.default_rng(5)
    told: list[Told] = []
    came: list[int] = []
    for place in range(len(tour.stop_ids)):
        arrived = NOW - timedelta(minutes=30 - 5 * place)
        for lead_s in (600.0, 1500.0):
            as_of = arrived - timedelta(seconds=lead_s + round(rng.normal(0, 90)))
            told.append(
                await tell(tour, place, lead_s=lead_s, as_of=as_of, planned=arrived - timedelta(seconds=200 * place))
            )
            came.append(ms_of(arrived))
        await tour.visit(place, arrived)
    await settle_told(tour.pool, tour.stop_ids)
    return told, came


async def test_the_figures_are_those_of_the_scorer(client: Any, account: Any, tour: Tour) -> None:
    told, came = await a_day(tour)
    rows = await report(client, account)
    for bucket, name in ((0, "0-15"), (1, "15-30"), (None, "all")):
        which = [n for n, one in enumerate(told) if bucket in (None, one.bucket)]
        columns = {f: [getattr(told[n], f) for n in which] for f in ("expected_ms", "low_ms", "high_ms", "planned_ms")}
        arrived = [came[n] for n in which]
        ours = figures(columns["expected_ms"], arrived, columns["low_ms"], columns["high_ms"])
        shown = rows[name, "eta"]
        assert shown["n"] == ours.n
        for field in ("mae_s", "median_s", "p90_s", "bias_s", "width_s", "score_s"):
            assert shown[field] == pytest.approx(getattr(ours, field), abs=0.051), field
        assert shown["coverage"] == pytest.approx(ours.coverage, abs=0.0006)
        assert 0 < ours.coverage < 1
        by_plan = figures(columns["planned_ms"], arrived)
        assert rows[name, "timetable"]["mae_s"] == pytest.approx(by_plan.mae_s, abs=0.051)
        assert rows[name, "timetable"]["coverage"] is None
        by_delay = figures(np.array(columns["planned_ms"]) + 60_000, arrived)
        assert rows[name, "timetable_and_delay"]["p90_s"] == pytest.approx(by_delay.p90_s, abs=0.051)


async def test_stops_without_planned_times_and_those_not_reached_yet(client: Any, account: Any, tour: Tour) -> None:
    arrived = NOW - timedelta(minutes=10)
    await tell(tour, 0, lead_s=300, as_of=arrived - timedelta(minutes=5))
    await tell(tour, 1, lead_s=300, as_of=arrived - timedelta(minutes=5))
    await tour.visit(0, arrived)
    await settle_told(tour.pool, tour.stop_ids)
    rows = await report(client, account)
    assert {key: row["n"] for key, row in rows.items()} == {("0-15", "eta"): 1, ("all", "eta"): 1}
    assert rows["all", "eta"]["mae_s"] == 0


async def test_an_arrival_before_it_was_told_is_not_its_outcome(client: Any, account: Any, tour: Tour) -> None:
    """The van drove by early, and came back."""
    await tour.visit(0, NOW - timedelta(minutes=50), NOW - timedelta(minutes=49))
    await tell(tour, 0, lead_s=600, as_of=NOW - timedelta(minutes=20))
    await settle_told(tour.pool, tour.stop_ids)
    assert await report(client, account) == {}
    await tour.visit(0, NOW - timedelta(minutes=8))
    await settle_told(tour.pool, tour.stop_ids)
    assert (await report(client, account))["all", "eta"]["bias_s"] == -120


async def test_only_what_is_asked_for_counts(client: Any, account: Any, other_account: Any, pool: Pool, tour: Tour):
    other = await Tour.put(pool, account.id, start_at=NOW - timedelta(hours=4), external_id="tour-2")
    await a_day(tour)
    await a_day(other)
    assert (await report(client, account))["all", "eta"]["n"] == 16
    assert (await report(client, account, route="tour-2"))["all", "eta"]["n"] == 8
    assert (await report(client, account, driver="driver of tour-1"))["all", "eta"]["n"] == 8
    assert (await report(client, account, driver="driver of tour-1", route="tour-2")) == {}
    assert (await report(client, account, to=(NOW - timedelta(days=1)).isoformat())) == {}
    half = NOW - timedelta(minutes=41)
    before, after = (
        await report(client, account, to=half.isoformat()),
        await report(client, account, **{"from": half.isoformat()}),
    )
    assert before["all", "eta"]["n"] + after["all", "eta"]["n"] == 16
    assert await report(client, other_account) == {}


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"from": "2026-01-01"}, "from"),
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-02T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "from"),
        ({"driver": "nobody"}, "driver"),
        ({"route": "\x00"}, "route"),
        ({"format": "xlsx"}, "format"),
    ],
)
async def test_what_cannot_be_reported_is_named(client: Any, account: Any, refused: Any, query: Any, at: str) -> None:
    response = await client.get("/v1/reports/eta-accuracy", params=query, headers=account.headers)
    await refused(response, 422, at)


async def test_it_is_a_table_too(client: Any, account: Any, tour: Tour) -> None:
    await a_day(tour)
    response = await client.get("/v1/reports/eta-accuracy?format=csv", headers=account.headers)
    assert response.content_type == "text/csv"
    table = list(csv.DictReader(io.StringIO(await response.text())))
    shown = await report(client, account)
    assert [(row["lead_min"], row["source"]) for row in table] == list(shown)
    assert float(table[0]["mae_s"]) == next(iter(shown.values()))["mae_s"]
    assert [row["coverage"] == "" for row in table] == [row["source"] != "eta" for row in table]


def test_buckets_of_leads() -> None:
    assert bucket_of([-5, 0, 899, 900, 1800, 3600, 7199, 7200, 1e6]).tolist() == [0, 0, 0, 1, 2, 3, 3, 4, 4]
    assert [bucket_name(n) for n in range(len(BUCKETS_MIN))] == ["0-15", "15-30", "30-60", "60-120", "120+"]
