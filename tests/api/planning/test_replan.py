"""A day planned again while it goes on: what stays, what moves, what is told, and what if the day moved on."""

import asyncio
import os
import signal
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.account import endpoints as account_settings
from api.desk import audit
from api.planning.by_rule import rule_job
from api.recipient import stream as tracking
from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, Phone, event
from tests.api.planning.conftest import DEPOT, NOON_ZONE, searching, settled
from work.planning import process
from work.planning.tentative import days_of

NOW = BASE + timedelta(hours=6)
TODAY = NOW.astimezone(ZoneInfo(NOON_ZONE)).date().isoformat()
START, END = NOW - timedelta(minutes=60), NOW + timedelta(hours=7)


def an_order(name, east=0.0, north=0.0, **more):
    """An order so many degrees from the depot."""
    return {
        "external_id": name,
        "name": f"Cliente {name}",
        "phone": "+573001112233",
        "lat": round(DEPOT["lat"] + north, 6),
        "lon": round(DEPOT["lon"] + east, 6),
        "earliest": TODAY,
        "latest": TODAY,
        "load": {"kg": 5},
        "service_s": 120,
        **more,
    }


@pytest.fixture
def app_parts(app_parts):
    modules = (account_settings, audit, tracking)
    return [*app_parts, say_events, *(module.operations.add_to for module in modules)]


@pytest.fixture
def phones():
    return {}


@pytest.fixture
async def under_way(call, client, account, make_driver, make_device, planned, phones):
    """Two vans that were to leave an hour ago, one to the east, one to the west, eight orders each; Eva has no tour.

    Gives driver and route of each side.
    """
    await call("PUT", "/v1/depots/centro", DEPOT | {"timezone": NOON_ZONE})
    for number, driver in enumerate(("ana", "luis", "eva"), 1):
        made = await make_driver(client, account.key, driver)
        device = await make_device(client, account.key, made["id"])
        phones[driver] = Phone(client=client, account=account, token=device["token"], driver=made["id"])
        await call("PUT", f"/v1/vehicles/van-{number}", {"capacity": {"kg": 60}})
        shift = {"date": TODAY, "vehicle": f"van-{number}", "depot": "centro", "driver": driver}
        hours = {"start_at": START.isoformat(), "end_at": END.isoformat()}
        await call("PUT", f"/v1/shifts/turno-{number}", shift | hours)
    orders = [
        an_order(f"{side}-{row}", east * (0.004 + 0.004 * row), 0.0005 * row)
        for side, east in (("este", 1), ("oeste", -1))
        for row in range(8)
    ]
    await call("POST", "/v1/orders", {"orders": orders})
    plan = await planned(date=TODAY, shifts=["turno-1", "turno-2"], limit_s=0.5)
    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    sides = {tour["stops"][0]["order"].partition("-")[0]: tour for tour in published["tours"]}
    assert set(sides) == {"este", "oeste"}
    return {side: (tour["driver"], tour["route"]) for side, tour in sides.items()}


@pytest.fixture
def drive(call, phones):
    """`await drive(driver, route, 3)`: the driver leaves and completes so many stops; gives those still to come."""

    async def say(driver, route, count):
        stops = (await call("GET", f"/v1/routes/{route}"))["stops"]
        events = [event("route_started", 305)]
        for row, stop in enumerate(stops[:count]):
            events += [event("arrived", 310 + 4 * row, stop["id"]), event("completed", 312 + 4 * row, stop["id"])]
        results = await phones[driver].say(*events)
        assert {one["result"] for one in results} == {"applied"}, results
        return [stop["external_id"] for stop in stops[count:]]

    return say


@pytest.fixture
def proposed(call, pool, maker):
    """`await proposed(because="…", …)`: ask for a proposal and wait for it."""

    async def ask(**asked):
        made = await call("POST", "/v1/plans/replan", {"because": "por probar", "limit_s": 0.5, **asked}, status=202)
        return await settled(call, pool, maker, made["id"])

    return ask


async def orders_of(call, route):
    """What a driver still comes to, in order."""
    stops = (await call("GET", f"/v1/routes/{route}"))["stops"]
    return [stop["external_id"] for stop in stops if stop["status"] in ("pending", "en_route") and not stop["removed"]]


async def tentative(pool, account):
    """What slots rest on: the orders of each shift's tour, in turn, and the shifts whose vans can take more."""
    day = await days_of(pool).day(pool, account_id=account.id, on=date.fromisoformat(TODAY), depot="centro")
    tours = {one.tour.vehicle: [day.labels.orders[job] for job in one.tour.jobs] for one in day.every}
    shifts = day.labels.shifts
    return {shifts[row]: names for row, names in tours.items()}, {shifts[row] for row in day.able}


async def test_an_express_order_is_fetched_at_the_depot_and_told_only_when_accepted(
    call, client, account, pool, under_way, drive, proposed
):
    (driver, route), _ = under_way["este"], under_way["oeste"]
    left = await drive(driver, route, 3)
    other = await drive(*under_way["oeste"], 3)
    await call("POST", "/v1/orders", {"orders": [an_order("urgente", 0.012, 0.004)]})
    before = await call("GET", f"/v1/routes/{route}")
    plan = await proposed(because="pedido urgente", routes=[route])
    assert (plan["state"], plan["unplanned"]) == ("done", []), plan["why"]
    (added,) = plan["proposal"]["recipients"]
    assert (added["order"], added["what"], added["before"]) == ("urgente", "added", None)
    assert plan["proposal"]["minutes"] > 0 < plan["proposal"]["km"]
    (tour,) = plan["tours"]
    turns = [stop["order"] for stop in tour["stops"]]
    (load,) = (stop for stop in tour["stops"] if stop["loads"])
    assert load["loads"] == ["urgente"]
    assert turns.index(load["order"]) < turns.index("urgente")
    assert [turn for turn in turns if turn not in ("urgente", load["order"])] == left
    assert turns[0] == left[0]  # the van is on its way there
    assert await call("GET", f"/v1/routes/{route}") == before
    assert (await call("GET", "/v1/orders/urgente"))["state"] == "ready"
    moves = {"moves": [{"order": "urgente", "shift": None}]}
    await call("PATCH", f"/v1/plans/{plan['id']}", moves, status=409)
    slots = f"/v1/places/slots?lat={DEPOT['lat']}&lon={DEPOT['lon']}&date={TODAY}&depot=centro"
    assert (await call("GET", slots))["planned"]

    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert published["state"] == "published"
    assert await orders_of(call, route) == turns
    assert await orders_of(call, under_way["oeste"][1]) == other
    after = await call("GET", f"/v1/routes/{route}")
    assert after["version"] == before["version"] + 1
    on_tours, able = await tentative(pool, account)
    assert on_tours[tour["shift"]] == [stop["external_id"] for stop in after["stops"] if stop["kind"] != "depot"]
    assert len(able) == 2
    links = {stop["external_id"]: stop["tracking_url"] for stop in after["stops"]}
    assert all(links[stop["external_id"]] == stop["tracking_url"] for stop in before["stops"])
    order = await call("GET", "/v1/orders/urgente")
    assert (order["state"], order["route"], order["plan"]) == ("assigned", route, plan["id"])
    assert await call("POST", f"/v1/plans/{plan['id']}/publish") == published


async def test_an_express_order_counts_by_itself_where_the_account_has_a_rule_for_it(
    call, pool, roads, api_config, under_way, drive, proposed
):
    (_, route), rule = under_way["este"], rule_job(roads, api_config)
    left = await drive(*under_way["este"], 3)
    await call("POST", "/v1/orders", {"orders": [an_order("urgente", 0.012, 0.004)]})
    await call("PATCH", "/v1/account", {"accept_proposals": {"saves_minutes": 10}})
    plan = await proposed(because="pedido urgente", routes=[route])
    assert plan["proposal"]["rule"] is None
    assert await rule.do(pool)
    other = await call("GET", f"/v1/plans/{plan['id']}")
    assert (other["state"], other["version"]) == ("done", plan["version"])
    assert other["proposal"]["rule"] == {"accepted": False, "why": "By the account's rule it saves no time."}
    assert not await rule.do(pool)

    await call("PATCH", "/v1/account", {"accept_proposals": {"new_orders": True}})
    again = await proposed(because="otra vez", routes=[route])
    gone = await proposed(because="y otra", routes=[route])
    assert await rule.do(pool)
    assert await rule.do(pool)
    made = await call("GET", f"/v1/plans/{again['id']}")
    assert (made["state"], made["proposal"]["rule"]) == ("published", {"accepted": True, "why": None})
    assert set(await orders_of(call, route)) >= {*left, "urgente"}
    late = await call("GET", f"/v1/plans/{gone['id']}")
    assert late["state"] == "done"
    assert late["proposal"]["rule"]["why"].startswith("The day went on since this was proposed.")
    (entry,) = (await call("GET", "/v1/audit?operation=rule%20accept_proposals"))["entries"]
    assert (entry["thing"], entry["user_id"], entry["key_id"]) == ({"plan": again["id"]}, None, None)
    assert entry["after"]["because"] == "otra vez"


async def test_parcels_of_a_van_that_broke_down_are_fetched_from_it(
    call, client, account, pool, under_way, drive, proposed, phones
):
    driver, route = under_way["este"]
    left, other = await drive(driver, route, 3), await drive(*under_way["oeste"], 3)
    old = {stop["external_id"]: stop for stop in (await call("GET", f"/v1/routes/{route}"))["stops"]}
    plan = await proposed(because="avería", out=[{"route": route}])
    assert (plan["state"], plan["unplanned"]) == ("done", []), plan["why"]
    what = {one["order"]: one for one in plan["proposal"]["recipients"]}
    assert {what[order]["what"] for order in left} == {"moved"}
    assert all(what[order]["before"] is None and what[order]["after"] for order in left)
    loads = [stop for tour in plan["tours"] for stop in tour["stops"] if stop["loads"]]
    assert sorted(order for stop in loads for order in stop["loads"]) == sorted(left)
    published = await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert await orders_of(call, route) == []
    now_on = {order: (await call("GET", f"/v1/orders/{order}"))["route"] for order in left}
    assert route not in now_on.values()
    taken = {tour["route"]: tour for tour in published["tours"] if tour["route"] in now_on.values()}
    for name, tour in taken.items():
        stops = {stop["external_id"]: stop for stop in (await call("GET", f"/v1/routes/{name}"))["stops"]}
        fetches = [stop for stop in stops.values() if stop["kind"] == "depot"]
        assert all(fetch["name"].startswith("van-") for fetch in fetches)
        for order in left:
            if now_on[order] == name:
                token = old[order]["tracking_url"].rpartition("/")[2]
                page = await client.get(f"/v1/track/{token}")
                assert page.status == 200
                assert (await page.json())["stop"]["name"] == f"Cliente {order}"
        assert tour["stops"]
    assert set(other) <= {stop["order"] for tour in published["tours"] for stop in tour["stops"]}
    on_tours, able = await tentative(pool, account)
    shift_of = {tour["route"]: tour["shift"] for tour in published["tours"]}
    assert not set(left) & set(on_tours[shift_of[route]])
    assert set(other) <= {order for names in on_tours.values() for order in names}
    assert able == {shift_of[under_way["oeste"][1]]}


async def test_a_cancelled_order_leaves_its_tour(call, under_way, drive, proposed):
    driver, route = under_way["este"]
    left = await drive(driver, route, 2)
    plan = await proposed(because="cancelado", routes=[route], cancel=[left[2]], orders=[])
    (gone,) = (one for one in plan["proposal"]["recipients"] if one["what"] == "cancelled")
    assert gone["order"] == left[2]
    assert (plan["proposal"]["minutes"], plan["proposal"]["km"]) <= (0, 0)
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert await orders_of(call, route) == [order for order in left if order != left[2]]
    assert (await call("GET", f"/v1/orders/{left[2]}"))["state"] == "cancelled"


async def test_a_day_that_moved_on_is_answered_with_what_changed(
    call, client, account, under_way, drive, proposed, phones
):
    driver, route = under_way["este"]
    left = await drive(driver, route, 2)
    await call("POST", "/v1/orders", {"orders": [an_order("urgente", 0.03, 0.002)]})
    plan = await proposed(because="pedido urgente", routes=[route])
    stops = {stop["external_id"]: stop["id"] for stop in (await call("GET", f"/v1/routes/{route}"))["stops"]}
    before = await call("GET", f"/v1/routes/{route}")
    (turns,) = ([stop["order"] for stop in tour["stops"]] for tour in plan["tours"])
    last = next(order for order in reversed(turns) if order in left)
    await phones[driver].say(event("completed", 355, stops[last]))
    problem = await call("POST", f"/v1/plans/{plan['id']}/publish", status=409)
    assert any(last in error["why"] for error in problem["errors"]), problem
    assert (await call("GET", "/v1/orders/urgente"))["state"] == "ready"
    assert (await call("GET", f"/v1/routes/{route}"))["version"] == before["version"]
    again = await proposed(because="otra vez", routes=[route])
    await call("DELETE", "/v1/orders/urgente", status=204)
    problem = await call("POST", f"/v1/plans/{again['id']}/publish", status=409)
    assert any("urgente" in error["why"] for error in problem["errors"]), problem


async def test_stops_that_were_done_in_their_turn_do_not_matter(call, under_way, drive, proposed, phones):
    driver, route = under_way["este"]
    left = await drive(driver, route, 2)
    await call("POST", "/v1/orders", {"orders": [an_order("urgente", 0.03, 0.002)]})
    plan = await proposed(because="pedido urgente", routes=[route])
    stops = {stop["external_id"]: stop["id"] for stop in (await call("GET", f"/v1/routes/{route}"))["stops"]}
    await phones[driver].say(event("completed", 355, stops[left[0]]))
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert left[0] not in await orders_of(call, route)
    assert "urgente" in await orders_of(call, route)


async def test_a_van_that_has_not_left_loads_what_is_new_with_the_rest(call, under_way, planned, proposed):
    hours = {"start_at": (NOW + timedelta(hours=3)).isoformat(), "end_at": END.isoformat()}
    shift = {"date": TODAY, "vehicle": "van-3", "depot": "centro", "driver": "eva", **hours}
    await call("PUT", "/v1/shifts/turno-3", shift)
    await call(
        "POST", "/v1/orders", {"orders": [an_order(f"sur-{row}", 0.0, -0.005 * row - 0.005) for row in range(4)]}
    )
    plan = await planned(date=TODAY, shifts=["turno-3"], limit_s=0.5)
    (tour,) = (await call("POST", f"/v1/plans/{plan['id']}/publish"))["tours"]
    await call("POST", "/v1/orders", {"orders": [an_order("tarde", 0.001, -0.012)]})
    later = await proposed(because="uno más", routes=[tour["route"]])
    await call("POST", f"/v1/plans/{later['id']}/publish")
    stops = (await call("GET", f"/v1/routes/{tour['route']}"))["stops"]
    assert {stop["external_id"] for stop in stops} == {"sur-0", "sur-1", "sur-2", "sur-3", "tarde"}
    assert min(stop["planned_arrival"] for stop in stops) >= hours["start_at"][:16]


async def test_a_promise_that_would_be_missed_is_saved(call, under_way, drive, proposed):
    driver, route = under_way["este"]
    left = await drive(driver, route, 2)
    body = await call("GET", f"/v1/routes/{route}")
    late = body["stops"][-1]
    assert late["external_id"] == left[-1]
    in_time = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=20)  # NOW is when the suite began
    soon = {"start": START.isoformat(), "end": in_time.isoformat()}
    known = ("external_id", "kind", "name", "lat", "lon", "phone", "service_s", "planned_arrival")
    stops = [{name: stop[name] for name in known} for stop in body["stops"]]
    stops[-1]["window"] = soon
    for stop in stops[3:-1]:
        stop["service_s"] = 600
    put = {name: body[name] for name in ("date", "timezone", "start_at", "end_at", "depot", "driver")}
    await call("PUT", f"/v1/routes/{body['external_id']}", {**put, "stops": stops})
    plan = await proposed(because="tarde", routes=[route], freeze_minutes=1)
    assert (plan["proposal"]["windows_saved"], plan["proposal"]["windows_broken"]) == (1, 0), plan["proposal"]
    (saved,) = (one for one in plan["proposal"]["recipients"] if one["promise"] == "saved")
    assert saved["order"] == left[-1]
    assert saved["after"] < soon["end"][:19] < saved["before"]


async def test_a_planner_that_dies_or_is_full_proposes_nothing(
    call, pool, under_way, drive, maker, proposed, monkeypatch
):
    route = under_way["este"][1]
    left = await drive(*under_way["este"], 2)
    body = {"because": "avería", "out": [{"route": route}], "limit_s": 100}
    made = await call("POST", "/v1/plans/replan", body, status=202)
    os.kill(await searching(pool, maker), signal.SIGKILL)
    async with asyncio.timeout(30):
        while (plan := await call("GET", f"/v1/plans/{made['id']}"))["state"] == "running":
            await maker.look(pool)
            await asyncio.sleep(0.05)
    assert (plan["state"], plan["tours"], plan["proposal"]) == ("failed", [], None)
    made = await call("POST", "/v1/plans/replan", body, status=202)
    await searching(pool, maker)
    await call("DELETE", f"/v1/plans/{made['id']}", status=204)
    await maker.look(pool)
    monkeypatch.setattr(process, "PLAN_BYTES", 1 << 20)
    full = await proposed(out=[{"route": route}])
    assert (full["state"], full["tours"], full["proposal"]) == ("failed", [], None)
    for plan in (made, full):
        await call("POST", f"/v1/plans/{plan['id']}/publish", status=409)
    assert await orders_of(call, route) == left
    assert await pool.fetchval("SELECT count(*) FROM plan WHERE result IS NOT NULL AND state <> 'published'") == 0


async def test_nonsense_is_refused(call, client, account, under_way, refused):
    route = under_way["este"][1]
    other = under_way["oeste"][1]

    async def ask(body, *at):
        response = await client.post("/v1/plans/replan", json={"because": "x"} | body, headers=account.headers)
        await refused(response, 422, *at)

    await ask({"because": ""}, "/because")
    await ask({"routes": ["nowhere", route]}, "/routes/0")
    await ask({"routes": [route], "out": [{"route": other}]}, "/out/0/route")
    await ask({"out": [{"route": route, "lat": 6.2}]}, "/out/0/lat")
    await ask({"cancel": ["nobody"]}, "/cancel/0")
    await ask({"depot": "norte"}, "/date")
    await ask({"freeze_minutes": 0}, "/freeze_minutes")
