"""Plans: made, changed, published as a whole or not at all, cancelled, and what happens when a planner dies."""

import asyncio
import os
import signal
from datetime import datetime

import pytest

from sql.planning import plans
from tests.api.planning.conftest import DAY, DEPOT, searching, some_orders
from work.planning import process
from work.planning.make import MOST_ATTEMPTS


@pytest.fixture
async def ready(call, day):
    await call("POST", "/v1/orders", {"orders": some_orders(24)})


async def test_orders_become_tours_that_hold(call, ready, planned):
    plan = await planned()
    assert (plan["state"], plan["progress"], plan["unplanned"]) == ("done", 1, [])
    stops = [stop for tour in plan["tours"] for stop in tour["stops"]]
    assert sorted(stop["order"] for stop in stops) == sorted(f"ped-{row}" for row in range(24))
    assert plan["cost"]["vehicles"] == len(plan["tours"]) == 2  # 120 kg, and a van carries 100
    for tour in plan["tours"]:
        start, end = (datetime.fromisoformat(tour[name]) for name in ("start_at", "end_at"))
        assert datetime.fromisoformat(f"{DAY}T08:00:00-05:00") <= start < end
        assert end <= datetime.fromisoformat(f"{DAY}T16:00:00-05:00")
        times = [at for stop in tour["stops"] for at in (stop["arrive_at"], stop["depart_at"])]
        assert times == sorted(times)


@pytest.mark.parametrize("objective", ["fewest", "balanced", "habit"])
async def test_every_objective_plans_all(call, day, planned, objective):
    await call("POST", "/v1/orders", {"orders": some_orders(12, load={"kg": 8})})
    plan = await planned(objective=objective, limit_s=2)
    assert (plan["state"], plan["unplanned"]) == ("done", [])
    counts = sorted(len(tour["stops"]) for tour in plan["tours"])
    assert counts == {"fewest": [12], "balanced": [6, 6]}.get(objective, counts) or (
        objective == "balanced" and max(counts) <= 8
    )


async def test_an_order_on_no_tour_has_its_reason(call, ready, planned):
    order = {**some_orders(1)[0], "external_id": "piano", "load": {"kg": 500}}
    crane = {**some_orders(1)[0], "external_id": "crane", "skills": ["crane"]}
    await call("POST", "/v1/orders", {"orders": [order, crane]})
    plan = await planned()
    reasons = {one["order"]: one for one in plan["unplanned"]}
    assert "more than any vehicle" in reasons["piano"]["why"]
    assert "crane" in reasons["crane"]["why"]
    assert reasons["piano"]["would_help"] == {"any_time": False, "one_more_van": False}


async def test_a_published_plan_is_routes(call, ready, planned):
    plan = await planned()
    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert published["state"] == "published"
    routes = (await call("GET", f"/v1/routes?date={DAY}"))["routes"]
    assert {route["id"] for route in routes} == {tour["route"] for tour in published["tours"]}
    for tour in published["tours"]:
        route = await call("GET", f"/v1/routes/{tour['route']}")
        assert [stop["external_id"] for stop in route["stops"]] == [stop["order"] for stop in tour["stops"]]
    order = await call("GET", "/v1/orders/ped-0")
    assert (order["state"], order["plan"]) == ("assigned", plan["id"])
    again = await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert again == published
    await call("DELETE", f"/v1/plans/{plan['id']}", status=409)
    put = await call("POST", "/v1/orders", {"orders": some_orders(1)})
    assert put["orders"][0]["errors"][0]["why"] == "is on a route already"


async def test_a_tour_names_what_else_its_driver_has_at_that_time(call, ready, planned):
    first = await call("POST", f"/v1/plans/{(await planned())['id']}/publish")
    had = {tour["driver"]: [tour["route"]] for tour in first["tours"]}
    assert [tour["also_on"] for tour in first["tours"]] == [[]] * len(had)
    place = {name: DEPOT[name] for name in ("name", "lat", "lon")}
    stop = {**place, "external_id": "s", "kind": "delivery"}
    at = {"date": DAY, "timezone": "America/Bogota", "depot": place, "stops": [stop]}
    for name, driver, hours in (("noon", "ana", (12, 14)), ("night", "ana", (20, 22)), ("nobody", None, (8, 16))):
        start_at, end_at = (f"{DAY}T{hour:02}:00:00-05:00" for hour in hours)
        by_hand = {**at, "driver": driver, "start_at": start_at, "end_at": end_at}
        made = await call("PUT", f"/v1/routes/{name}", by_hand)
        if name == "noon":
            noon = made["id"]
    more = [{**one, "external_id": f"mas-{one['external_id']}"} for one in some_orders(30, seed=2)]
    await call("POST", "/v1/orders", {"orders": more})
    second = await planned(objective="balanced")
    assert {tour["driver"] for tour in second["tours"]} == {"ana", "luis"}
    for tour in second["tours"]:
        reaches_noon = tour["driver"] == "ana" and tour["end_at"] > f"{DAY}T17:00:00Z"
        assert tour["also_on"] == had[tour["driver"]] + [noon] * reaches_noon
    await call("DELETE", f"/v1/routes/{had['luis'][0]}")
    published = await call("POST", f"/v1/plans/{second['id']}/publish")
    assert [tour["also_on"] for tour in published["tours"] if tour["driver"] == "luis"] == [[]]


async def test_a_van_that_need_not_come_back_has_a_route_that_ends_with_its_last_stop(call, ready, planned):
    shifts = (await call("GET", f"/v1/shifts?date={DAY}"))["shifts"]
    (shift,) = (one for one in shifts if one.pop("external_id") == "turno-van-1")
    await call("PUT", "/v1/shifts/turno-van-1", {**shift, "return_to_depot": False})
    plan = await planned(objective="balanced")
    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    routes = {tour["shift"]: await call("GET", f"/v1/routes/{tour['route']}") for tour in published["tours"]}
    assert {shift: route["return_to_depot"] for shift, route in routes.items()} == {
        "turno-van-1": False,
        "turno-van-2": True,
    }


async def test_two_plans_of_the_same_orders_are_not_both_published(call, ready, planned):
    first, second = await planned(), await planned()
    await call("POST", f"/v1/plans/{first['id']}/publish")
    await call("POST", f"/v1/plans/{second['id']}/publish", status=409)
    assert len((await call("GET", f"/v1/routes?date={DAY}"))["routes"]) == 2
    assert (await call("GET", f"/v1/plans/{second['id']}"))["state"] == "done"


async def test_moves_are_judged_by_the_checker(call, ready, planned, client, account, refused):
    plan = await planned()
    source, target = plan["tours"]
    order = source["stops"][0]["order"]
    path = f"/v1/plans/{plan['id']}"
    moved = await call("PATCH", path, {"moves": [{"order": order, "shift": None}]})
    assert moved["unplanned"][0]["order"] == order
    assert moved["version"] == plan["version"] + 1
    back = await call("PATCH", path, {"moves": [{"order": order, "shift": source["shift"], "at": 0}]})
    assert [stop["order"] for stop in back["tours"][0]["stops"]] == [stop["order"] for stop in source["stops"]]
    heavy = [{"order": stop["order"], "shift": target["shift"], "at": 0} for stop in source["stops"]]
    problem = await refused(await client.patch(path, json={"moves": heavy}, headers=account.headers), 422)
    assert "carry more" in problem["errors"][0]["why"]
    assert (await call("GET", path))["tours"] == back["tours"]
    nonsense = {"moves": [{"order": "nobody", "shift": target["shift"]}, {"order": order, "shift": "nowhere"}]}
    response = await client.patch(path, json=nonsense, headers=account.headers)
    await refused(response, 422, "/moves/0/order", "/moves/1/shift")


async def test_a_cancelled_plan_ends_at_once_and_writes_nothing(call, pool, ready, maker):
    made = await call("POST", "/v1/plans", {"date": DAY, "depot": "centro", "limit_s": 600}, status=202)
    pid = await searching(pool, maker)
    await call("DELETE", f"/v1/plans/{made['id']}", status=204)
    await maker.look(pool)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    plan = await call("GET", f"/v1/plans/{made['id']}")
    assert (plan["state"], plan["tours"], plan["cost"]) == ("cancelled", [], None)
    assert await pool.fetchval("SELECT problem IS NULL AND result IS NULL FROM plan")
    await call("POST", f"/v1/plans/{made['id']}/publish", status=409)


async def test_a_plan_that_just_ended_is_not_taken_for_one_that_nobody_wants(
    call, pool, ready, maker, monkeypatch, caplog
):
    written, goes_on, end_plan = asyncio.Event(), asyncio.Event(), plans.end_plan

    async def slow(*args):
        ended = await end_plan(*args)
        written.set()
        await goes_on.wait()
        return ended

    monkeypatch.setattr(plans, "end_plan", slow)
    caplog.set_level("INFO")
    made = await call("POST", "/v1/plans", {"date": DAY, "depot": "centro", "limit_s": 0.5}, status=202)
    async with asyncio.timeout(30):
        while not written.is_set():
            await maker.look(pool)
            await asyncio.sleep(0.01)
    await call("POST", f"/v1/plans/{made['id']}/publish")
    pid = maker.planner_pid
    assert not await maker.look(pool)
    goes_on.set()
    async with asyncio.timeout(30):
        while not await maker.look(pool):
            await asyncio.sleep(0.01)
    assert maker.planner_pid == pid, "the planner is there for the next one"
    assert "not wanted" not in caplog.text


async def test_a_planner_that_is_killed_leaves_no_half_plan(call, pool, ready, maker):
    made = await call("POST", "/v1/plans", {"date": DAY, "depot": "centro", "limit_s": 600}, status=202)
    os.kill(await searching(pool, maker), signal.SIGKILL)
    async with asyncio.timeout(30):
        while (plan := await call("GET", f"/v1/plans/{made['id']}"))["state"] == "running":
            await maker.look(pool)
            await asyncio.sleep(0.05)
    assert (plan["state"], plan["tours"]) == ("failed", [])
    assert "planner failed" in plan["why"]
    assert (await call("GET", "/v1/orders/ped-0"))["state"] == "ready"


async def test_a_planner_that_wants_all_memory_leaves_no_half_plan(call, pool, ready, planned, monkeypatch):
    monkeypatch.setattr(process, "PLAN_BYTES", 1 << 20)  # less than it takes to begin with
    plan = await planned()
    assert (plan["state"], plan["tours"], plan["unplanned"], plan["cost"]) == ("failed", [], [], None)
    assert "memory" in plan["why"]
    assert await pool.fetchval("SELECT problem IS NULL AND result IS NULL FROM plan")
    await call("POST", f"/v1/plans/{plan['id']}/publish", status=409)
    monkeypatch.undo()
    assert (await planned())["state"] == "done"


async def test_orders_that_wait_for_each_other_keep_nobody_else_waiting(call, day, planned):
    after = ("ped-1", "ped-0", "ped-2", None, "ped-3", "ped-3", None, "ped-6", "ped-99")
    orders = [one | {"after": name} for one, name in zip(some_orders(9), after, strict=True)]
    for pickup in (3, 6):
        orders[pickup]["kind"] = "pickup"
    await call("POST", "/v1/orders", {"orders": orders})
    plan = await planned()
    (tour,) = plan["tours"]
    turns = [stop["order"] for stop in tour["stops"]]
    assert sorted(turns) == ["ped-3", "ped-6", "ped-7", "ped-8"]
    assert turns.index("ped-6") < turns.index("ped-7")
    circle, shared = (
        "It follows an order that follows another one itself.",
        "It is not the only one that follows its pickup.",
    )
    why = {"ped-0": circle, "ped-1": circle, "ped-2": circle, "ped-4": shared, "ped-5": shared}
    assert {one["order"]: one["why"] for one in plan["unplanned"]} == why
    moves = {"moves": [{"order": "ped-8", "shift": None}]}
    changed = await call("PATCH", f"/v1/plans/{plan['id']}", moves)
    assert {one["order"] for one in changed["unplanned"]} == {*why, "ped-8"}


async def test_nonsense_leaves_no_half_plan(call, pool, ready, planned):
    for van in ("van-1", "van-2"):  # sixteen dimensions between them
        await call("PUT", f"/v1/vehicles/{van}", {"capacity": {f"{van}-{n}": 1 for n in range(8)}})
    plan = await planned()
    assert (plan["state"], plan["tours"], plan["cost"]) == ("failed", [], None)
    assert "at most 8 dimensions" in plan["why"]
    assert await pool.fetchval("SELECT problem IS NULL AND result IS NULL FROM plan")


async def test_a_plan_whose_process_died_is_made_by_another_one(call, pool, ready, planned):
    await pool.execute(
        "INSERT INTO plan (account_id, state, date, depot, asked, attempts, held_until) "
        "SELECT account_id, 'running', '2026-03-02', 'centro', '{\"objective\": \"cost\", \"limit_s\": 1}', "
        "n, now() - interval '1 s' FROM delivery_order, unnest(ARRAY[1, $1]) AS n WHERE external_id = 'ped-0'",
        MOST_ATTEMPTS,
    )
    await planned()
    rows = await pool.fetch("SELECT state, why FROM plan ORDER BY id LIMIT 2")
    assert [row["state"] for row in rows] == ["done", "failed"]


async def test_without_orders_or_shifts_a_plan_is_empty(call, day, planned):
    plan = await planned()
    assert (plan["state"], plan["tours"], plan["cost"]["vehicles"]) == ("done", [], 0)
    await call("POST", "/v1/orders", {"orders": some_orders(2)})
    alone = await planned(shifts=[])
    assert {one["why"] for one in alone["unplanned"]} == {"There is no shift on this day at this depot."}


async def test_a_plan_needs_a_depot(client, account, refused):
    response = await client.post("/v1/plans", json={"date": DAY, "depot": "x"}, headers=account.headers)
    await refused(response, 422, "/depot")
    assert (await client.get("/v1/plans/pl_1", headers=account.headers)).status == 404


async def test_slots_are_those_that_can_be_driven(call, ready, planned):
    path = f"/v1/places/slots?lat=6.25&lon=-75.57&date={DAY}&depot=centro"
    assert (await call("GET", path.replace(DAY, "2026-03-04"))) == {"slots": [], "planned": False}
    before = await call("GET", path)
    assert (before["planned"], bool(before["slots"])) == (False, True)
    await planned()
    slots = (await call("GET", f"{path}&load=5&service_s=300"))["slots"]
    assert slots
    assert all(slot["start"] <= slot["expected"] <= slot["end"] for slot in slots)
    assert all(0 <= slot["extra_km"] < 30 for slot in slots)
    assert (await call("GET", f"{path}&load=500"))["slots"] == []
    assert (await call("GET", path.replace("6.25", "7.90")))["slots"] == []
    await call("GET", path.replace("6.25", "north"), status=422)


async def test_a_plan_of_what_there_is_not_is_refused(call, client, account, pool, ready, refused):
    asked = {"date": DAY, "depot": "centro", "orders": ["ped-1", "nobody"], "shifts": ["nowhere", "turno-van-1"]}
    response = await client.post("/v1/plans", json=asked, headers=account.headers)
    problem = await refused(response, 422, "/orders/1", "/shifts/0")
    assert len(problem["errors"]) == 2
    other_day = {"date": "2026-03-03", "depot": "centro", "shifts": ["turno-van-1"]}
    await refused(await client.post("/v1/plans", json=other_day, headers=account.headers), 422, "/shifts/0")
    assert await pool.fetchval("SELECT count(*) FROM plan") == 0
