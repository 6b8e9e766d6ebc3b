"""ETAs in the product: written when there is news, remembered as told, and told to those who must hear."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from geo.eta.estimate import Eta, estimate
from geo.pings import Rows
from ingest.config import IngestConfig
from sql.track.folds import plan_changed
from sql.track.lanes import lock_lanes
from tests.ingest.track import conftest
from tests.ingest.track.conftest import Fleet, Phone

CONFIG = IngestConfig()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The tours of this test began a little while ago: alerts rest on young pings."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=200)
    monkeypatch.setattr(conftest, "START", start)
    return start


async def tour_of(fleet: Fleet, east_m: Sequence[float] = (600, 1500), **route: Any) -> tuple[Phone, list[int]]:
    driver = await fleet.driver()
    return await fleet.phone(driver), await fleet.route(driver, east_m, **route)


async def promise(fleet: Fleet, ends: Sequence[datetime | None], version: int = 1) -> None:
    """Promise windows of an hour that end then."""
    await fleet.pool.execute(
        "UPDATE route_version SET stop_window_start = $1, stop_window_end = $2 WHERE version = $3",
        [end and end - timedelta(hours=1) for end in ends],
        ends,
        version,
    )


async def settings(fleet: Fleet, **values: Any) -> None:
    await fleet.pool.execute("UPDATE account SET settings = $1", values)


async def drive(fleet: Fleet, phone: Phone, east, places: Sequence[tuple[float, float]]) -> None:
    await fleet.send(phone, east(places), received_at=datetime.now(UTC))
    await fleet.settle()


async def told(fleet: Fleet, kind: str) -> list[tuple[int, str]]:
    """What the feed says of stops, in order: stop and state."""
    rows = await fleet.pool.fetch("SELECT stop_id, state FROM event WHERE type = $1 ORDER BY id", kind)
    return [tuple(row) for row in rows]


# Written when there is news -------------------------------------------------------------------------------------------


async def test_it_is_written_again_only_when_it_moved(fleet: Fleet, east):
    phone, _ = await tour_of(fleet)
    written: list[Any] = []
    for at_s in range(0, 300, 10):  # planned to be 600 m away after 300 s; from the middle on it stands
        await drive(fleet, phone, east, [(at_s, min(2 * at_s, 240))])
        row = await fleet.pool.fetchrow("SELECT as_of, expected, low, high FROM route_eta")
        if not written or written[-1]["as_of"] != row["as_of"]:
            written.append(row)
    assert 2 <= len(written) <= 10
    for before, after in itertools.pairwise(written):
        moved_s = [
            abs((then - now).total_seconds())
            for name in ("expected", "low", "high")
            for then, now in zip(before[name], after[name], strict=True)
        ]
        assert max(moved_s) > CONFIG.eta_moved_near_s


async def test_a_van_that_drives_as_planned_is_estimated_a_few_times(
    fleet: Fleet, east, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []

    def counted(tracks: Rows, *args: Any) -> Eta:
        asked.append(len(tracks))
        return estimate(tracks, *args)

    monkeypatch.setattr("ingest.eta.tell.eta.estimate", counted)
    phone, _ = await tour_of(fleet, (600, 1500, 3000))
    for at_s in range(40):  # planned to be 600 m away after 300 s
        await drive(fleet, phone, east, [(at_s, 2 * at_s)])
    assert len(asked) < 20
    asked.clear()
    await fleet.restart()  # nobody remembers what was told
    await drive(fleet, phone, east, [(40, 80)])
    assert asked == [1]


async def test_arrival_and_departure_are_written_at_once(fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    shown = []
    for place in tour:
        await drive(fleet, phone, east, [place])
        row = await fleet.pool.fetchrow("SELECT stop_ids, as_of FROM route_eta")
        shown.append((row["stop_ids"], row["as_of"]))
    facts = await fleet.pool.fetch("SELECT folded_at FROM event WHERE stop_id = $1 ORDER BY id", stops[0])
    assert len(facts) == 2
    for fact in facts:
        assert any(as_of == fact["folded_at"] and ids == stops[1:] for ids, as_of in shown)


async def test_late_pings_do_not_show_an_older_eta(fleet: Fleet, east, tour):
    phone, _ = await tour_of(fleet)
    await drive(fleet, phone, east, [place for place in tour if place[0] < 50])
    before = await fleet.pool.fetchrow("SELECT as_of, expected FROM route_eta")
    fleet.config = replace(fleet.config, rerun_every_s=3600.0)
    await fleet.restart()
    await fleet.send(phone, east([(5, 40)]))
    while await fleet.turn():  # the re-run has to wait
        pass
    assert await fleet.pool.fetchrow("SELECT as_of, expected FROM route_eta") == before


# Remembered as told ---------------------------------------------------------------------------------------------------


async def test_what_was_told_is_remembered_and_gets_its_outcome(fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    for place in tour:
        await drive(fleet, phone, east, [place])
    rows = await fleet.pool.fetch("SELECT * FROM eta_told ORDER BY stop_id, bucket")
    assert {row["stop_id"] for row in rows} == set(stops)
    arrived = dict(await fleet.pool.fetch("SELECT stop_id, arrived_at FROM visit"))
    for row in rows:
        assert row["came_at"] == arrived[row["stop_id"]] > row["as_of"]
        assert row["low"] <= row["expected"] <= row["high"]
        lead = row["expected"] - row["as_of"]
        assert row["bucket"] == (0 if lead < timedelta(minutes=15) else 1)
        assert row["planned"] == conftest.START + timedelta(minutes=5 * (1 + stops.index(row["stop_id"])))
        assert row["delay_s"] is not None


async def test_a_stop_that_comes_nearer_is_told_in_each_bucket_of_its_lead(fleet: Fleet, east):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    stops = await fleet.route(driver, [12_000])
    planned = conftest.START + timedelta(minutes=40)
    await fleet.pool.execute("UPDATE route_version SET stop_planned_at = $1", [planned])
    for at_s in range(0, 1800, 60):  # on its plan: nothing has to be written again
        await drive(fleet, phone, east, [(at_s, 5 * at_s)])
    rows = await fleet.pool.fetch(
        "SELECT bucket, as_of, expected FROM eta_told WHERE stop_id = $1 ORDER BY 1", stops[0]
    )
    assert [row["bucket"] for row in rows] == [0, 1, 2]
    for row, least, most in zip(rows, (0, 15, 30), (15, 30, 60), strict=True):
        assert timedelta(minutes=least) <= row["expected"] - row["as_of"] <= timedelta(minutes=most)


async def test_an_outcome_is_corrected_as_its_visit_is(fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    at_first_stop = [place for place in tour if place[1] == 600.0]
    rest = [place for place in tour if place[1] != 600.0]
    await drive(fleet, phone, east, rest[:3])
    await drive(fleet, phone, east, [*rest[3:], *at_first_stop[5:]])
    came = "SELECT came_at FROM eta_told WHERE stop_id = $1"
    before = await fleet.pool.fetchval(came, stops[0])
    await drive(fleet, phone, east, at_first_stop[:5])
    after = await fleet.pool.fetchval(came, stops[0])
    assert after == await fleet.pool.fetchval("SELECT arrived_at FROM visit WHERE stop_id = $1", stops[0])
    assert after != before


# Told to those who must hear ------------------------------------------------------------------------------------------


async def test_a_stop_that_will_be_late_is_told_corrected_and_taken_back_when_the_van_is_there(
    start: datetime, fleet: Fleet, east, tour
):
    phone, stops = await tour_of(fleet)
    await promise(fleet, [start - timedelta(minutes=10), None])
    await drive(fleet, phone, east, tour[:2])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted")]
    fact = await fleet.pool.fetchrow("SELECT * FROM event WHERE type = 'eta.late'")
    said = fact["data"]
    expected = await fleet.pool.fetchval("SELECT expected[1] FROM route_eta")
    assert said["lateness_s"] == pytest.approx((expected - start).total_seconds() + 600, abs=1)
    assert datetime.fromisoformat(said["window_end"]) == start - timedelta(minutes=10)
    assert abs(datetime.fromisoformat(said["expected"]) - expected) < timedelta(seconds=1)
    await drive(fleet, phone, east, tour[2:4])
    await fleet.restart()
    await drive(fleet, phone, east, tour[4:5])  # told once, whoever tracks
    assert await told(fleet, "eta.late") == [(stops[0], "asserted")]

    await fleet.route(phone.driver_id, [600, 1500], version=2, effective_at=start + timedelta(seconds=tour[5][0]))
    await promise(fleet, [start - timedelta(minutes=30), None], version=2)
    await drive(fleet, phone, east, tour[5:7])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted"), (stops[0], "corrected")]
    await drive(fleet, phone, east, tour[7:])
    assert [state for _, state in await told(fleet, "eta.late")] == ["asserted", "corrected", "retracted"]
    assert await fleet.pool.fetchval("SELECT count(*) FROM event WHERE type = 'eta.late' AND folded_at IS NULL") == 3
    assert await fleet.pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'delayed'") == 2


async def test_how_late_is_late_is_set(start: datetime, fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    await promise(fleet, [start - timedelta(minutes=10), None])
    await settings(fleet, late_after_minutes=60)
    await drive(fleet, phone, east, tour[:2])
    assert await told(fleet, "eta.late") == []
    await settings(fleet, late_after_minutes=10)
    await drive(fleet, phone, east, tour[2:3])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted")]
    await settings(fleet, late_after_minutes=60)
    await drive(fleet, phone, east, tour[3:4])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted"), (stops[0], "retracted")]
    await settings(fleet, late_after_minutes=10)
    await drive(fleet, phone, east, tour[4:5])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted"), (stops[0], "retracted"), (stops[0], "asserted")]
    assert await fleet.pool.fetchval("SELECT max(revision) FROM event WHERE type = 'eta.late'") == 3


async def test_old_pings_alert_nobody(fleet: Fleet, east, tour):
    phone, _ = await tour_of(fleet)  # months ago
    await promise(fleet, [conftest.START - timedelta(minutes=10), None])
    for place in tour:
        await drive(fleet, phone, east, [place])
    assert await told(fleet, "eta.late") == await told(fleet, "stop.approaching") == []
    assert await fleet.pool.fetchval("SELECT count(*) FROM notice") == 0


async def test_a_track_that_is_not_settled_alerts_nobody(start: datetime, fleet: Fleet, east):
    phone, _ = await tour_of(fleet)
    await drive(fleet, phone, east, [(0, 0)])
    await fleet.pool.execute("TRUNCATE event, notice")
    await fleet.restart()
    await fleet.send(phone, east([(0.1 + second / 4, second / 4) for second in range(600)]))
    await fleet.turn()
    assert await fleet.pool.fetchval("SELECT folded_until < head_at FROM track")
    assert await told(fleet, "stop.approaching") == []
    await fleet.settle()
    assert await told(fleet, "stop.approaching") != []


async def test_a_van_that_is_near_is_told_once(start: datetime, fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    await settings(fleet, approaching={"minutes": 7, "stops": None})
    await fleet.pool.execute(
        "UPDATE route_version SET stop_planned_at = $1", [start + timedelta(minutes=5), start + timedelta(minutes=40)]
    )
    await drive(fleet, phone, east, tour[:1])
    assert await told(fleet, "stop.approaching") == [(stops[0], "asserted")]
    await drive(fleet, phone, east, tour[1:3])
    await fleet.restart()
    await drive(fleet, phone, east, tour[3:4])
    assert await told(fleet, "stop.approaching") == [(stops[0], "asserted")]
    notice = await fleet.pool.fetchrow("SELECT * FROM notice WHERE kind = 'approaching'")
    fact = await fleet.pool.fetchrow("SELECT fact_id, data FROM event WHERE type = 'stop.approaching'")
    assert (notice["stop_id"], notice["kind"], notice["fact_id"]) == (stops[0], "approaching", fact["fact_id"])
    assert fact["data"].keys() == {"expected", "low", "high", "stops_before"}


@pytest.mark.parametrize(
    ("approaching", "told_of"),
    [
        ({"minutes": None, "stops": None}, 0),
        ({"minutes": None, "stops": 0}, 1),
        ({"minutes": None, "stops": 1}, 2),
        ({"minutes": 240, "stops": None}, 2),
        ({"minutes": 240, "stops": 0}, 2),
    ],
)
async def test_when_a_van_is_near_is_set(
    start: datetime, fleet: Fleet, east, tour, approaching: dict[str, int | None], told_of: int
):
    phone, stops = await tour_of(fleet)
    await settings(fleet, approaching=approaching)
    await drive(fleet, phone, east, tour[:2])
    assert await told(fleet, "stop.approaching") == [(stop, "asserted") for stop in stops[:told_of]]


async def test_nobody_is_told_of_a_break_or_of_a_stop_that_is_done(start: datetime, fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet, (600, 1500, 2000))
    await fleet.pool.execute("UPDATE route_version SET stop_kind = '{break,delivery,delivery}'")
    await fleet.pool.execute("UPDATE stop SET status = 'failed' WHERE id = $1", stops[1])
    await settings(fleet, approaching={"minutes": None, "stops": 1})
    await drive(fleet, phone, east, tour[:2])
    assert await told(fleet, "stop.approaching") == [(stops[2], "asserted")]


async def test_a_route_that_is_taken_away_is_not_late_any_more(start: datetime, fleet: Fleet, east, tour):
    phone, stops = await tour_of(fleet)
    await promise(fleet, [start - timedelta(minutes=10), None])
    await drive(fleet, phone, east, tour[:2])
    async with fleet.pool.acquire() as db, db.transaction():
        await lock_lanes(db, [phone.lane])
        at = start + timedelta(seconds=tour[2][0])
        await db.execute(
            "INSERT INTO route_version (route_id, version, effective_at, driver_id, start_at, end_at, return_to_depot,"
            " path_lon, path_lat, path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m,"
            " stop_service_s, stop_planned_at) SELECT route_id, 2, $1, NULL, start_at, end_at, return_to_depot,"
            " path_lon, path_lat, path_along_m, stop_ids, stop_lon, stop_lat, stop_along_m, stop_radius_m,"
            " stop_service_s, stop_planned_at FROM route_version",
            at,
        )
        await plan_changed(db, lane=phone.lane, driver_id=phone.driver_id, account_id=fleet.account_id, effective_at=at)
    await drive(fleet, phone, east, tour[3:5])
    assert await told(fleet, "eta.late") == [(stops[0], "asserted"), (stops[0], "retracted")]
