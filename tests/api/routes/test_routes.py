"""Routes: put again and again, read, given away, taken away."""

import asyncio
import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.http.paging import cursor_of
from geo.plan.plans import Timeline
from geo.times import SINCE_EVER, ms_of
from sql.config import DatabaseConfig
from sql.delivery.plans import PlanRow, plans_of_drivers, read_plans
from sql.track.lanes import lock_lanes
from work.plans import plan_of


def number(shown_id):
    return int(shown_id[3:])


async def _plans(pool, driver_id) -> list[PlanRow]:
    return await read_plans(pool, (await plans_of_drivers(pool, [driver_id], [0]))[driver_id])


async def read(client, account, route="tour-1"):
    response = await client.get(f"/v1/routes/{route}", headers=account.headers)
    assert response.status == 200, await response.text()
    return await response.json()


async def start(pool, *, status="started"):
    """Do to every route what the tracker does when its driver sets out."""
    await pool.execute("UPDATE route SET status = $1, started_at = now()", status)


# Put ------------------------------------------------------------------------------------------------------------------


async def test_a_route_is_put_and_read(client, account, make_driver, put_route, tour):
    driver = await make_driver(client, account.key, "ana")
    made = await put_route(client, account.key, driver="ana")
    assert (made["version"], made["path_source"], made["warnings"]) == (1, "given", [])
    assert made["length_m"] == pytest.approx(1_946, abs=2)
    assert [stop["external_id"] for stop in made["stops"]] == ["ped-1", "ped-2", "rec-3", "ped-4"]
    along_m = [stop["along_m"] for stop in made["stops"]]
    assert along_m == sorted(along_m)
    assert along_m == pytest.approx([441, 714, 1_197, 1_697], abs=2)
    assert all(stop["tracking_url"].startswith("https://reparto.example/t/") for stop in made["stops"])

    shown = await read(client, account, made["id"])
    assert shown == await read(client, account, "tour-1")
    assert (shown["status"], shown["driver"], shown["driver_id"]) == ("planned", "ana", driver["id"])
    assert shown["path"] == tour["path"]
    assert shown["depot"] == tour["depot"]
    assert [stop["tracking_url"] for stop in shown["stops"]] == [stop["tracking_url"] for stop in made["stops"]]
    first, second = shown["stops"][:2]
    assert first["parcels"] == tour["stops"][0]["parcels"]
    assert first["window"] == {"start": "2026-03-02T13:00:00Z", "end": "2026-03-02T15:00:00Z"}
    assert (first["status"], first["proof"], first["radius_m"], first["service_s"]) == ("pending", ["photo"], 60, 120)
    assert (second["service_s"], second["cash_on_delivery"]) == (300, {"amount": 85_000, "currency": "COP"})


async def test_the_same_body_again_changes_nothing(client, account, make_driver, put_route, tour, pool):
    await make_driver(client, account.key, "ana")
    tour["stops"][0]["geofence"] = {
        "type": "Polygon",
        "coordinates": [[[-75.5683, 6.2478], [-75.5673, 6.2478], [-75.5673, 6.2483], [-75.5683, 6.2478]]],
    }
    first = await client.put("/v1/routes/tour-1", json={**tour, "driver": "ana"}, headers=account.headers)
    assert (first.status, first.headers["ETag"]) == (201, '"1"')
    before = await pool.fetch("SELECT version, plan_version FROM track")
    again = await client.put("/v1/routes/tour-1", json={**tour, "driver": "ana"}, headers=account.headers)
    assert (again.status, again.headers["ETag"]) == (200, '"1"')
    assert await again.json() == await first.json()
    assert await pool.fetch("SELECT version, plan_version FROM track") == before
    assert await pool.fetchval("SELECT count(*) FROM route_version") == 1


async def test_many_at_once_make_one_route(client, account, make_driver, put_route):
    await make_driver(client, account.key, "ana")
    answers = await asyncio.gather(*(put_route(client, account.key, driver="ana") for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)


async def test_the_tracker_gets_what_etas_rest_on(client, account, make_driver, put_route, tour, pool):
    driver = await make_driver(client, account.key, "ana")
    tour["stops"][1]["parcels"] = [{"quantity": 2}, {"barcode": "x"}]
    await put_route(client, account.key, driver="ana", stops=tour["stops"])
    (plan,) = await _plans(pool, number(driver["id"]))
    promised = [stop.get("window") for stop in tour["stops"]]
    assert [start and start.isoformat() for start in plan.stop_window_start] == [
        window and datetime.fromisoformat(window["start"]).astimezone(UTC).isoformat() for window in promised
    ]
    assert [end is None for end in plan.stop_window_end] == [window is None for window in promised]
    assert plan.stop_kind == [stop["kind"] for stop in tour["stops"]]
    assert plan.stop_parcels[1] == 3
    assert (plan.stop_drive_s, plan.wait_for_window, plan.timezone) == ([], False, tour["timezone"])


async def test_another_promised_window_is_another_version(client, account, make_driver, put_route, tour, pool):
    driver = await make_driver(client, account.key, "ana")
    await put_route(client, account.key, driver="ana")
    tour["stops"][0]["window"]["end"] = "2026-03-02T15:30:00Z"
    assert (await put_route(client, account.key, driver="ana", stops=tour["stops"]))["version"] == 2
    assert (await put_route(client, account.key, driver="ana", stops=tour["stops"]))["version"] == 2
    first, second = await _plans(pool, number(driver["id"]))
    assert second.stop_window_end[0] - first.stop_window_end[0] == timedelta(minutes=30)


async def test_vans_wait_for_windows_where_the_account_says_so(client, account, make_driver, put_route, pool):
    driver = await make_driver(client, account.key, "ana")
    await put_route(client, account.key, driver="ana")
    change = await client.patch("/v1/account", json={"wait_for_window": True}, headers=account.headers)
    assert (await change.json())["wait_for_window"] is True
    made = await put_route(client, account.key, driver="ana")
    await make_driver(client, account.key, "bo")
    await client.post(f"/v1/routes/{made['id']}/assign", json={"driver": "bo"}, headers=account.headers)
    plans = await _plans(pool, number(driver["id"]))
    assert [plan.wait_for_window for plan in plans] == [False, True, True]
    assert plans[2].stop_kind == plans[0].stop_kind


async def test_many_edits_at_once_give_as_many_versions_in_order(client, account, make_driver, put_route, pool):
    await make_driver(client, account.key, "ana")
    await make_driver(client, account.key, "beto")
    await put_route(client, account.key, driver="ana")
    edits = [put_route(client, account.key, driver=driver) for driver in ("ana", "beto", None, "beto", "ana")]
    await asyncio.gather(*edits)
    rows = await pool.fetch("SELECT version, effective_at FROM route_version ORDER BY version")
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    times = [row["effective_at"] for row in rows[1:]]
    assert times == sorted(set(times))


async def test_stops_are_told_apart_by_external_id(client, account, put_route, tour):
    before = {stop["external_id"]: stop for stop in (await put_route(client, account.key))["stops"]}
    tour["stops"].reverse()
    tour["stops"][0]["name"] = "Lucía Gómez de Ruiz"
    tour["path"]["coordinates"].reverse()
    after = await put_route(client, account.key)
    assert after["version"] == 2
    assert [stop["external_id"] for stop in after["stops"]] == ["ped-4", "rec-3", "ped-2", "ped-1"]
    for stop in after["stops"]:
        assert stop["id"] == before[stop["external_id"]]["id"]
        assert stop["tracking_url"] == before[stop["external_id"]]["tracking_url"]
    shown = await read(client, account)
    assert shown["stops"][0]["name"] == "Lucía Gómez de Ruiz"
    assert shown["stops"][3]["parcels"] == [{"barcode": "MDE0001", "description": "Caja pequeña", "quantity": 1}]


async def test_a_stop_dropped_before_anybody_can_have_been_there_is_forgotten(client, account, put_route, tour):
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await put_route(client, account.key, start_at=tomorrow, end_at=None)
    await put_route(client, account.key, start_at=tomorrow, end_at=None, stops=tour["stops"][:3])
    assert [stop["external_id"] for stop in (await read(client, account))["stops"]] == ["ped-1", "ped-2", "rec-3"]


@pytest.mark.parametrize("what", ["visit", "started", "status", "past"])
async def test_a_stop_at_which_something_may_have_happened_is_kept_as_removed(
    client, account, put_route, tour, pool, what
):
    start_at = datetime.now(UTC) + timedelta(days=-1 if what == "past" else 1)
    times = {"start_at": start_at.isoformat(), "end_at": None}
    made = await put_route(client, account.key, **times)
    if what == "visit":
        await pool.execute(
            "INSERT INTO visit (lane, visit_id, driver_id, account_id, stop_id, arrived_at, source)"
            " VALUES (0, gen_random_uuid(), 1, $1, $2, now(), 'auto')",
            account.id,
            number(made["stops"][3]["id"]),
        )
    elif what == "started":
        await start(pool)
    elif what == "status":
        await pool.execute("UPDATE stop SET status = 'failed' WHERE external_id = 'ped-4'")
    await put_route(client, account.key, **times, stops=tour["stops"][:3])
    removed = (await read(client, account))["stops"][3]
    assert (removed["id"], removed["status"], removed["tracking_url"]) == (made["stops"][3]["id"], "removed", None)
    assert (await read(client, account))["progress"]["stops"] == 3

    back = await put_route(client, account.key, **times)
    assert back["stops"][3] == made["stops"][3]
    assert (await read(client, account))["stops"][3]["status"] == ("arrived" if what == "visit" else "pending")


async def test_what_happened_at_a_stop_survives_an_edit(client, account, make_driver, put_route, tour, pool):
    tour["driver"] = (await make_driver(client, account.key))["external_id"]
    await put_route(client, account.key)
    await start(pool)
    await pool.execute(
        "INSERT INTO driver_event (driver_id, id, account_id, lane, type, route_id, stop_id, occurred_at, effective)"
        " SELECT driver_id, gen_random_uuid(), route.account_id, 1, 'completed', route.id, stop.id, now(), true"
        " FROM route JOIN stop ON stop.route_id = route.id WHERE stop.seq = 0"
    )
    tour["stops"][0]["instructions"] = "Timbre 2"
    await put_route(client, account.key)
    shown = await read(client, account)
    assert (shown["stops"][0]["status"], shown["stops"][0]["instructions"]) == ("completed", "Timbre 2")
    length_m = shown["progress"]["length_m"]
    assert shown["progress"] == {"stops": 4, "done": 1, "left_open": 0, "along_m": None, "length_m": length_m}


async def test_a_finished_route_with_another_stop_is_under_way_again(client, account, put_route, tour, pool):
    await put_route(client, account.key)
    await start(pool, status="finished")
    await put_route(client, account.key, timezone="America/Lima")
    assert (await read(client, account))["status"] == "finished"
    tour["stops"].append({**tour["stops"][3], "external_id": "ped-5"})
    await put_route(client, account.key)
    assert (await read(client, account))["status"] == "started"


# Versions for the tracker ---------------------------------------------------------------------------------------------


async def test_the_first_version_is_in_force_since_ever_and_the_next_from_now(
    client, account, make_driver, put_route, pool
):
    driver = await make_driver(client, account.key, "ana")
    before = datetime.now(UTC) - timedelta(seconds=1)
    made = await put_route(client, account.key, driver="ana")
    await put_route(client, account.key, driver="ana", return_to_depot=True)
    first, second = await _plans(pool, number(driver["id"]))
    assert (first.version, first.effective_at) == (1, SINCE_EVER)
    assert second.version == 2
    assert before < second.effective_at < datetime.now(UTC) + timedelta(seconds=1)
    assert second.effective_at.microsecond % 1000 == 0
    assert [f"st_{stop}" for stop in first.stop_ids] == [stop["id"] for stop in made["stops"]]
    assert first.stop_along_m == [stop["along_m"] for stop in made["stops"]]
    assert (first.external_id, first.path_along_m[0], first.path_along_m[-1]) == ("tour-1", 0, made["length_m"])
    assert first.stop_planned_at[0] == datetime(2026, 3, 2, 13, 20, tzinfo=UTC)


async def test_the_tracker_is_told_of_every_driver_concerned(client, account, make_driver, put_route, pool):
    ana, beto = [await make_driver(client, account.key, name) for name in ("ana", "beto")]
    drivers = [number(ana["id"]), number(beto["id"])]
    await put_route(client, account.key, driver="ana")
    assert await pool.fetch("SELECT driver_id, plan_version FROM track") == [(drivers[0], 1)]
    await pool.execute("UPDATE track SET folded_until = now() + interval '1 hour'")
    await put_route(client, account.key, driver="beto")
    rows = await pool.fetch("SELECT driver_id, plan_version, rerun_from FROM track ORDER BY driver_id")
    assert [(row["driver_id"], row["plan_version"]) for row in rows] == [(drivers[0], 2), (drivers[1], 1)]
    # what Ana's phone, whose clock is ahead, sent for later than now was folded on a plan that is hers no more
    assert rows[0]["rerun_from"] is not None
    for driver in drivers:
        versions = [(row.version, row.driver_id) for row in await _plans(pool, driver)]
        assert versions == [(1, drivers[0]), (2, drivers[1])]


class TestWhileALaneIsHeld:
    @pytest.fixture
    def database(self, database: DatabaseConfig) -> DatabaseConfig:
        return replace(database, lock_timeout_s=0.1)

    async def test_a_write_waits_for_the_lane_and_then_says_to_try_again(
        self, client, account, make_driver, put_route, pool, refused, tour
    ):
        ana = await make_driver(client, account.key, "ana")
        lane = await pool.fetchval("SELECT lane FROM driver WHERE id = $1", number(ana["id"]))
        async with pool.acquire() as tracker, tracker.transaction():
            await lock_lanes(tracker, [lane])
            response = await client.put("/v1/routes/tour-1", json={**tour, "driver": "ana"}, headers=account.headers)
            problem = await refused(response, 503)
            assert response.headers["Retry-After"]
            assert "nothing was changed" in problem["detail"]
        assert (await put_route(client, account.key, driver="ana"))["version"] == 1


# Edits of others ------------------------------------------------------------------------------------------------------


async def test_if_match_guards_an_edit(client, account, put_route, tour, refused):
    async def put(if_match, **changes):
        headers = {**account.headers, "If-Match": if_match}
        return await client.put("/v1/routes/tour-1", json={**tour, **changes}, headers=headers)

    await refused(await put('"1"'), 412)
    await refused(await put("*"), 412)
    await put_route(client, account.key)
    assert (await put('"1"', timezone="America/Lima")).headers["ETag"] == '"2"'
    problem = await refused(await put('"1"', timezone="America/Caracas"), 412)
    assert "version 2" in problem["detail"]
    assert (await put('W/"2", "7"', timezone="America/Caracas")).status == 200
    for method, path, body in (("DELETE", "", None), ("POST", "/assign", {"driver": None})):
        headers = {**account.headers, "If-Match": '"1"'}
        await refused(await client.request(method, f"/v1/routes/tour-1{path}", json=body, headers=headers), 412)


# Given away, taken away -----------------------------------------------------------------------------------------------


async def test_a_route_is_given_to_another_driver_and_to_nobody(client, account, make_driver, put_route):
    for name in ("ana", "beto"):
        await make_driver(client, account.key, name)
    made = await put_route(client, account.key, driver="ana")
    for driver, version in (("beto", 2), ("beto", 2), (None, 3), ("ana", 4)):
        response = await client.post("/v1/routes/tour-1/assign", json={"driver": driver}, headers=account.headers)
        answer = await response.json()
        assert (response.status, answer["version"], answer["driver"]) == (200, version, driver)
        assert response.headers["ETag"] == f'"{version}"'
        assert answer["stops"] == made["stops"]
    assert (await put_route(client, account.key, driver="ana"))["version"] == 4


async def _versions(pool):
    rows = await pool.fetch("SELECT driver_id, effective_at FROM route_version ORDER BY version")
    return [(row["driver_id"], row["effective_at"].year == 1) for row in rows]


async def test_an_assignment_that_comes_late_counts_from_the_start(client, account, make_driver, put_route, pool):
    ana = await make_driver(client, account.key, "ana")
    now = datetime.now(UTC)
    hours = {"start_at": (now - timedelta(hours=2)).isoformat(), "end_at": (now + timedelta(hours=2)).isoformat()}
    await put_route(client, account.key, driver=None, **hours)
    await put_route(client, account.key, driver=None, depot=None, **hours)
    await client.post("/v1/routes/tour-1/assign", json={"driver": "ana"}, headers=account.headers)
    assert await _versions(pool) == [(None, True), (None, False), (number(ana["id"]), True)]
    plans = await _plans(pool, number(ana["id"]))
    timeline = Timeline(driver_id=number(ana["id"]), plans=tuple(plan_of(plan) for plan in plans))
    for at in (now - timedelta(hours=2), now + timedelta(hours=1)):
        plan, _ = timeline.plan_at(ms_of(at))
        assert plan is not None
        assert plan.version == 3


async def test_what_a_driver_had_stays_theirs(client, account, make_driver, put_route, pool):
    for name in ("ana", "beto"):
        await make_driver(client, account.key, name)
    await put_route(client, account.key, driver="beto")
    await client.post("/v1/routes/tour-1/assign", json={"driver": "ana"}, headers=account.headers)
    assert [since_ever for _, since_ever in await _versions(pool)] == [True, False]


async def test_a_route_that_never_started_is_gone_and_its_name_free(
    client, account, make_driver, put_route, pool, refused
):
    ana = await make_driver(client, account.key, "ana")
    made = await put_route(client, account.key, driver="ana")
    assert (await client.delete("/v1/routes/tour-1", headers=account.headers)).status == 204
    for name in ("tour-1", made["id"]):
        await refused(await client.get(f"/v1/routes/{name}", headers=account.headers), 404)
        await refused(await client.delete(f"/v1/routes/{name}", headers=account.headers), 404)
    assert await pool.fetchval("SELECT count(*) FROM stop WHERE link_revoked_at IS NULL") == 0
    versions = await _plans(pool, number(ana["id"]))
    assert [(plan.version, plan.driver_id) for plan in versions] == [(1, number(ana["id"])), (2, None)]
    assert (await put_route(client, account.key))["id"] != made["id"]


async def test_a_started_route_is_cancelled(client, account, make_driver, put_route, pool, refused, tour):
    await make_driver(client, account.key, "ana")
    await put_route(client, account.key, driver="ana")
    await start(pool)
    assert (await client.delete("/v1/routes/tour-1", headers=account.headers)).status == 204
    shown = await read(client, account)
    assert (shown["status"], shown["driver"], shown["version"]) == ("cancelled", None, 2)
    assert [stop["tracking_url"] for stop in shown["stops"]] == [None] * 4
    response = await client.put("/v1/routes/tour-1", json={**tour, "driver": "ana"}, headers=account.headers)
    await refused(response, 409)
    await refused(await client.post("/v1/routes/tour-1/assign", json={"driver": "ana"}, headers=account.headers), 409)
    assert (await client.delete("/v1/routes/tour-1", headers=account.headers)).status == 204


# How it goes ----------------------------------------------------------------------------------------------------------


async def test_the_next_stop_of_a_started_route_is_en_route(client, account, make_driver, put_route, pool):
    ana = await make_driver(client, account.key, "ana")
    made = await put_route(client, account.key, driver="ana")
    route_id, stop_ids = number(made["id"]), [number(stop["id"]) for stop in made["stops"]]
    await pool.execute("UPDATE stop SET status = 'arrived', arrived_at = now(), departed_at = now() WHERE seq = 0")
    await pool.execute(
        "INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6, route_id, along_m,"
        " next_stop_id)"
        " SELECT lane, id, account_id, now(), now(), 6248000, -75567000, $2, 600, $3 FROM driver WHERE id = $1",
        number(ana["id"]),
        route_id,
        stop_ids[1],
    )
    expected = [datetime(2026, 3, 2, 14, minute, tzinfo=UTC) for minute in (0, 20, 40)]
    await pool.execute(
        "INSERT INTO route_eta VALUES ($1, 1, $2, $2, $3, $4, $4, $4, $5)",
        route_id,
        expected[0],
        stop_ids[1:],
        expected,
        [100.0, 600.0, 1_100.0],
    )
    assert [stop["status"] for stop in (await read(client, account))["stops"]][1] == "pending"
    await start(pool)
    shown = await read(client, account)
    assert [stop["status"] for stop in shown["stops"]] == ["arrived", "en_route", "pending", "pending"]
    assert shown["next_stop"] == made["stops"][1]["id"]
    assert shown["progress"] == {"stops": 4, "done": 1, "left_open": 0, "along_m": 600, "length_m": made["length_m"]}
    assert [stop["stop_external_id"] for stop in shown["eta"]["stops"]] == ["ped-2", "rec-3", "ped-4"]
    # once somebody else drives it, Ana's place says nothing about it
    await make_driver(client, account.key, "beto")
    await client.post("/v1/routes/tour-1/assign", json={"driver": "beto"}, headers=account.headers)
    assert (await read(client, account))["next_stop"] is None


async def test_routes_are_listed_latest_first_and_filtered(client, account, make_driver, put_route, pool):
    ana = await make_driver(client, account.key, "ana")
    for day in range(1, 6):
        await put_route(
            client,
            account.key,
            f"day-{day}",
            driver="ana" if day % 2 else None,
            date=f"2026-03-0{day}",
            start_at=f"2026-03-0{day}T08:00:00-05:00",
            end_at=None,
        )
    await pool.execute("UPDATE route SET status = 'finished' WHERE external_id IN ('day-1', 'day-2')")

    async def listed(query):
        names, cursor = [], ""
        while cursor is not None:
            response = await client.get(f"/v1/routes?{query}&limit=2&cursor={cursor}", headers=account.headers)
            page = await response.json()
            names += [route["external_id"] for route in page["routes"]]
            cursor = page["next"]
        return names

    assert await listed("") == ["day-5", "day-4", "day-3", "day-2", "day-1"]
    assert await listed("date=2026-03-04") == ["day-4"]
    assert await listed("driver=ana") == await listed(f"driver={ana['id']}") == ["day-5", "day-3", "day-1"]
    assert await listed("status=finished") == ["day-2", "day-1"]
    assert await listed("status=finished&driver=ana&date=2026-03-01") == ["day-1"]
    assert await listed("status=started") == []


async def test_a_bad_filter_is_named(client, account, refused):
    for query, at in (
        ("date=tomorrow", "date"),
        ("date=2026-02-30", "date"),
        ("status=lost", "status"),
        ("status=%00", "status"),
        ("driver=nobody", "driver"),
        ("driver=%00", "driver"),
        ("driver=dr_99999999999999999999", "driver"),
        ("cursor=AAAA", "cursor"),
        ("limit=0", "limit"),
    ):
        await refused(await client.get(f"/v1/routes?{query}", headers=account.headers), 422, at)


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00", 2**63 - 1, -1])
async def test_a_cursor_of_a_time_that_no_calendar_has_is_not_ours(client, account, refused, start):
    cursor = cursor_of(start, 1)
    await refused(await client.get(f"/v1/routes?cursor={cursor}", headers=account.headers), 422, "cursor")


# Whose ----------------------------------------------------------------------------------------------------------------


async def test_another_accounts_route_is_not_there(
    client, account, other_account, put_route, make_driver, refused, tour
):
    made = await put_route(client, account.key)
    theirs = other_account.headers
    for name in ("tour-1", made["id"]):
        await refused(await client.get(f"/v1/routes/{name}", headers=theirs), 404)
        await refused(await client.delete(f"/v1/routes/{name}", headers=theirs), 404)
        await refused(await client.post(f"/v1/routes/{name}/assign", json={"driver": None}, headers=theirs), 404)
    await refused(await client.put(f"/v1/routes/{made['id']}", json=tour, headers=theirs), 404)
    assert (await (await client.get("/v1/routes", headers=theirs)).json())["routes"] == []
    # nor is the driver, and the same external id is another route
    await make_driver(client, account.key, "ana")
    await refused(await client.put("/v1/routes/x", json={**tour, "driver": "ana"}, headers=theirs), 422, "/driver")
    assert (await put_route(client, other_account.key))["id"] != made["id"]


async def test_a_route_is_replaced_by_its_own_id_too(client, account, put_route, tour, refused):
    made = await put_route(client, account.key)
    again = await put_route(client, account.key, made["id"], timezone="America/Lima")
    assert (again["id"], again["external_id"], again["version"]) == (made["id"], "tour-1", 2)
    await refused(await client.put("/v1/routes/rt_999", json=tour, headers=account.headers), 404)
    for name in ("%2F", "%20", "a%00b", "x" * 201):
        await refused(await client.put(f"/v1/routes/{name}", json=tour, headers=account.headers), 404)


async def test_a_viewer_reads_and_does_not_write(client, account, put_route, bearer, refused, tour):
    await put_route(client, account.key)
    viewer = bearer(account.viewer_key)
    assert (await client.get("/v1/routes/tour-1", headers=viewer)).status == 200
    await refused(await client.put("/v1/routes/tour-1", json=tour, headers=viewer), 403)
    await refused(await client.delete("/v1/routes/tour-1", headers=viewer), 403)
    await refused(await client.post("/v1/routes/tour-1/assign", json={"driver": None}, headers=viewer), 403)


async def test_two_routes_may_have_stops_of_the_same_external_id(client, account, put_route, tour):
    one = await put_route(client, account.key, "tour-1")
    other = await put_route(client, account.key, "tour-2", stops=copy.deepcopy(tour["stops"]))
    assert {stop["id"] for stop in one["stops"]}.isdisjoint(stop["id"] for stop in other["stops"])
