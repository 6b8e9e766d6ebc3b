"""Routes that a company gave by hand are planned again as well: no plan made them, and shifts may be unknown."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.driver.manifest import endpoints as manifest
from api.portal import by_link
from api.recipient import stream as tracking
from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, Phone, event
from tests.api.planning.conftest import DEPOT, NOON_ZONE, settled, some_orders

NOW = BASE + timedelta(hours=6)
TODAY = NOW.astimezone(ZoneInfo(NOON_ZONE)).date().isoformat()
START, END = NOW - timedelta(minutes=60), NOW + timedelta(hours=7)
LATER = {"start_at": (NOW + timedelta(hours=13)).isoformat(), "end_at": (NOW + timedelta(hours=20)).isoformat()}
YARD = {"name": "Patio", "lat": DEPOT["lat"], "lon": DEPOT["lon"]}
SIDES = {"este": ("ana", 1), "oeste": ("luis", -1)}


def a_stop(name, person, east, north=0.0, **more):
    """A delivery so many degrees from the yard."""
    place = {"lat": round(YARD["lat"] + north, 6), "lon": round(YARD["lon"] + east, 6)}
    return {"external_id": name, "kind": "delivery", "name": person, "service_s": 120, **place, **more}


@pytest.fixture
def app_parts(app_parts):
    modules = (by_link, tracking, manifest)
    return [*app_parts, say_events, *(module.operations.add_to for module in modules)]


@pytest.fixture
async def phones(client, account, make_driver, make_device):
    found = {}
    for driver, _ in SIDES.values():
        made = await make_driver(client, account.key, driver)
        device = await make_device(client, account.key, made["id"])
        found[driver] = Phone(client=client, account=account, token=device["token"], driver=made["id"])
    return found


@pytest.fixture
def give(call, phones):
    """`await give("este", stops, …)`: put a route as a company does that plans by itself."""

    async def put(side, stops, **more):
        hours = {"date": TODAY, "timezone": NOON_ZONE, "start_at": START.isoformat(), "end_at": END.isoformat()}
        body = {"driver": SIDES[side][0], "depot": YARD, "stops": stops, **hours, **more}
        return await call("PUT", f"/v1/routes/{side}", body)

    return put


@pytest.fixture
async def by_hand(give):
    """Two routes of one yard, each with stops 1 to 6 of other people; gives the answers by side."""
    return {
        side: await give(
            side, [a_stop(f"{row}", f"{side} {row}", east * 0.004 * row, 0.0005 * row) for row in range(1, 7)]
        )
        for side, (_, east) in SIDES.items()
    }


@pytest.fixture
def drive(call, phones):
    """`await drive("este", 2)`: the driver leaves and completes so many stops; gives those still to come."""

    async def say(side, count):
        stops = (await call("GET", f"/v1/routes/{side}"))["stops"]
        events = [event("route_started", 305)]
        for row, stop in enumerate(stops[:count]):
            events += [event("arrived", 310 + 4 * row, stop["id"]), event("completed", 312 + 4 * row, stop["id"])]
        results = await phones[SIDES[side][0]].say(*events)
        assert {one["result"] for one in results} == {"applied"}, results
        return stops[count:]

    return say


@pytest.fixture
def proposed(call, pool, maker):
    """`await proposed(…)`: ask for a proposal and wait for it."""

    async def ask(**asked):
        body = {"because": "por probar", "limit_s": 0.5, **asked}
        plan = await settled(call, pool, maker, (await call("POST", "/v1/plans/replan", body, status=202))["id"])
        assert plan["state"] == "done", plan["why"]
        return plan

    return ask


@pytest.fixture
def page(client):
    """`await page(stop)`: what its recipient sees who opens the link of the morning."""

    async def see(stop):
        response = await client.get(f"/v1/track/{stop['tracking_url'].rpartition('/')[2]}")
        assert response.status == 200, await response.text()
        return await response.json()

    return see


async def open_stops(call, side):
    stops = (await call("GET", f"/v1/routes/{side}"))["stops"]
    return [stop for stop in stops if stop["status"] in ("pending", "en_route") and not stop["removed"]]


async def test_what_a_van_that_broke_down_has_goes_on_with_links_and_wishes(
    call, client, by_hand, drive, proposed, page, phones
):
    left, other = await drive("este", 2), await drive("oeste", 2)
    token = left[1]["tracking_url"].rpartition("/")[2]
    said = await client.post(f"/v1/track/{token}/instructions", json={"text": "Timbre 3"})
    assert said.status < 300, await said.text()
    before = {side: await call("GET", f"/v1/routes/{side}") for side in SIDES}

    plan = await proposed(because="avería", out=[{"route": "este"}])
    assert (plan["depot"], plan["unplanned"]) == ("Patio", [])
    what = {one["stop"]: one for one in plan["proposal"]["recipients"]}
    assert {what[stop["id"]]["what"] for stop in left} == {"moved"}
    ways = {(what[stop["id"]]["from_route"], what[stop["id"]]["to_route"]) for stop in left}
    assert ways == {(by_hand["este"]["id"], by_hand["oeste"]["id"])}
    tours = {tour["route"]: tour for tour in plan["tours"]}
    assert {(tour["shift"], tour["vehicle"]) for tour in tours.values()} == {(None, None)}
    assert tours[by_hand["oeste"]["id"]]["driver"] == "luis"
    assert {side: await call("GET", f"/v1/routes/{side}") for side in SIDES} == before, "nobody hears of it before"

    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert await open_stops(call, "este") == []
    after = await call("GET", "/v1/routes/oeste")
    assert all(after[name] == before["oeste"][name] for name in ("date", "timezone", "start_at", "end_at", "depot"))
    now = {stop["name"]: stop for stop in after["stops"]}
    (fetch,) = (stop for stop in after["stops"] if stop["kind"] == "depot")
    assert {parcel["description"] for parcel in fetch["parcels"]} == {now[stop["name"]]["external_id"] for stop in left}
    turns = [stop["external_id"] for stop in after["stops"]]
    for stop in left:
        assert turns.index(fetch["external_id"]) < turns.index(now[stop["name"]]["external_id"])
        assert (await page(stop))["stop"]["name"] == stop["name"], "the link of the morning leads on"
    assert {stop["name"] for stop in other} < set(now), "two stops that are called the same are two"
    assert len(set(turns)) == len(turns) == 6 + len(left) + 1
    assert now[left[1]["name"]]["recipient"]["instructions"] == "Timbre 3"
    shown = await client.get("/v1/driver/manifest", headers={"Authorization": f"Bearer {phones['luis'].token}"})
    assert [stop["id"] for stop in (await shown.json())["routes"][0]["stops"]] == [
        stop["id"] for stop in after["stops"]
    ]
    assert await call("POST", f"/v1/plans/{plan['id']}/publish")

    again = await proposed(because="otra vez", routes=["oeste"])
    assert again["unplanned"] == []
    assert {stop["order"] for stop in again["tours"][0]["stops"]} == {
        stop["external_id"] for stop in await open_stops(call, "oeste")
    }


async def test_before_anybody_left_parcels_lie_at_the_yard_and_no_link_is_lost(call, client, give, proposed, page):
    given = {}
    for side, (_, east) in SIDES.items():
        stops = [a_stop(f"{side}-{row}", f"{side} {row}", east * 0.004 * row) for row in range(1, 5)]
        given[side] = await give(side, stops, **LATER)
    tokens = [stop["tracking_url"].rpartition("/")[2] for stop in given["este"]["stops"]]
    said = await client.post(f"/v1/track/{tokens[0]}/instructions", json={"text": "Timbre 3"})
    assert said.status < 300, await said.text()
    plan = await proposed(because="no arranca", out=[{"route": "este"}])
    assert plan["unplanned"] == []
    assert not any(stop["loads"] for tour in plan["tours"] for stop in tour["stops"])
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    stops = {stop["external_id"]: stop for stop in (await call("GET", "/v1/routes/oeste"))["stops"]}
    assert len(stops) == 8
    assert stops["este-1"]["recipient"]["instructions"] == "Timbre 3"
    for stop in given["este"]["stops"]:
        assert (await page(stop))["status"] == "pending"


async def test_loads_vehicles_and_breaks_count_where_they_are_known(call, give, drive, proposed):
    await call("PUT", "/v1/depots/patio", {"timezone": NOON_ZONE, **YARD})
    await call("PUT", "/v1/vehicles/van", {"capacity": {"kg": 40}})
    shift = {"date": TODAY, "vehicle": "van", "depot": "patio", "driver": "luis"}
    hours = {"start_at": START.isoformat(), "end_at": END.isoformat()}
    person = {"earliest": TODAY, "latest": TODAY, "load": {"kg": 10}}
    for side, (_, east) in SIDES.items():
        orders = [a_stop(f"{side}-{row}", f"{side} {row}", east * 0.004 * row) for row in range(1, 5)]
        await call("POST", "/v1/orders", {"orders": [one | person for one in orders]})
        rest = a_stop(
            f"pausa-{side}", "Pausa", 0.0, kind="break", planned_arrival=(NOW + timedelta(hours=2)).isoformat()
        )
        await give(side, [*orders, rest | {"service_s": 1800}])
    await call("PUT", "/v1/shifts/turno", shift | hours)
    await drive("este", 0)
    await drive("oeste", 1)
    plan = await proposed(because="avería", out=[{"route": "este"}])
    (taken,) = (tour for tour in plan["tours"] if tour["driver"] == "luis")
    assert (taken["shift"], taken["vehicle"]) == ("turno", "van")
    came = [stop["order"] for stop in taken["stops"] if stop["order"].startswith("este")]
    assert len(came) == 4
    aboard, most = 30, 0
    for stop in taken["stops"]:
        aboard += 10 * len(stop["loads"] or ()) - 10 * stop["order"].startswith(("este", "oeste"))
        most = max(most, aboard)
    assert most <= 40, "the van carries 40 kg at a time"
    (rest,) = (stop for stop in taken["stops"] if stop["order"].startswith("pausa"))
    assert abs(NOW + timedelta(hours=2) - datetime.fromisoformat(rest["begin_at"])) <= timedelta(minutes=31)
    assert "pausa-este" not in {one["order"] for one in plan["unplanned"]}
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    names = {stop["external_id"] for stop in (await call("GET", "/v1/routes/este"))["stops"] if not stop["removed"]}
    assert names == {"pausa-este"}, "who drives has the break"


async def test_a_route_without_a_depot_keeps_what_it_has(call, give, drive, proposed, client, account, refused):
    stops = [a_stop(f"{row}", f"Cliente {row}", 0.004 * row) for row in range(1, 7)]
    await give("este", stops, depot=None)
    await give("oeste", [stop | {"lon": stop["lon"] + 0.001} for stop in stops], depot=None)
    await drive("este", 1)
    asked = {"because": "avería", "routes": ["este", "oeste"], "out": [{"route": "este"}]}
    response = await client.post("/v1/plans/replan", json=asked, headers=account.headers)
    await refused(response, 422, "/depot")
    await call("PUT", "/v1/depots/patio", {"timezone": NOON_ZONE, **YARD})
    plan = await proposed(**asked, depot="patio")
    assert plan["unplanned"] == []
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert await open_stops(call, "este") == []
    after = await call("GET", "/v1/routes/oeste")
    assert after["depot"] is None
    assert len(await open_stops(call, "oeste")) == 5 + 6 + 1


async def test_a_stop_is_cancelled_by_its_own_name_or_id(call, client, account, by_hand, drive, proposed, refused):
    left = await drive("este", 1)
    ambiguous = {"because": "x", "cancel": ["5", "nadie"]}
    response = await client.post("/v1/plans/replan", json=ambiguous, headers=account.headers)
    await refused(response, 422, "/cancel/0", "/cancel/1")
    plan = await proposed(because="no lo quiere", routes=["este"], cancel=["5", left[1]["id"]])
    gone = {one["order"] for one in plan["proposal"]["recipients"] if one["what"] == "cancelled"}
    assert gone == {"5", left[1]["external_id"]}
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    names = {stop["external_id"] for stop in left} - gone
    assert {stop["external_id"] for stop in await open_stops(call, "este")} == names
    assert len(await open_stops(call, "oeste")) == 6


async def test_a_day_that_moved_on_changes_nothing(call, by_hand, drive, proposed, phones):
    left, _ = await drive("este", 1), await drive("oeste", 1)
    plan = await proposed(because="avería", out=[{"route": "este"}])
    await phones["ana"].say(event("completed", 350, left[2]["id"]))
    before = {side: await call("GET", f"/v1/routes/{side}") for side in SIDES}
    problem = await call("POST", f"/v1/plans/{plan['id']}/publish", status=409)
    assert any(left[2]["external_id"] in error["why"] for error in problem["errors"]), problem
    assert {side: await call("GET", f"/v1/routes/{side}") for side in SIDES} == before


async def test_wishes_go_with_a_stop_that_leaves_a_tour_nobody_has_begun(call, client, give, proposed, page):
    given = {}
    for side, (_, east) in SIDES.items():
        stops = [a_stop(f"{side}-{row}", f"{side} {row}", east * 0.004 * row) for row in range(1, 5)]
        astray = a_stop(f"{side}-lejos", f"{side} lejos", -east * 0.0141)
        given[side] = await give(side, [*stops, astray], **LATER)
    astray = {side: answer["stops"][-1] for side, answer in given.items()}
    for stop in astray.values():
        token = stop["tracking_url"].rpartition("/")[2]
        said = await client.post(f"/v1/track/{token}/instructions", json={"text": "Timbre 3"})
        assert said.status < 300, await said.text()
    plan = await proposed(because="mal repartido")
    assert {one["order"] for one in plan["proposal"]["recipients"] if one["what"] == "moved"} == {
        stop["external_id"] for stop in astray.values()
    }
    assert plan["proposal"]["km"] < -2
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    for side, other in (("este", "oeste"), ("oeste", "este")):
        stops = {stop["external_id"]: stop for stop in (await call("GET", f"/v1/routes/{other}"))["stops"]}
        assert stops[f"{side}-lejos"]["recipient"]["instructions"] == "Timbre 3"
        assert (await page(astray[side]))["status"] == "pending"


async def test_an_order_on_a_route_that_was_given_is_on_a_route(call, client, account, give, drive, planned, refused):
    await call("PUT", "/v1/depots/centro", DEPOT)
    orders = some_orders(4, earliest=TODAY, latest=TODAY)
    await call("POST", "/v1/orders", {"orders": orders})
    early = await planned(date=TODAY)
    assert [one["order"] for one in early["unplanned"]] == [f"ped-{row}" for row in range(4)], "nobody drives today"
    given = [a_stop("ped-0", "Cliente 0", 0.004), a_stop("ped-1", "Cliente 1", 0.008), a_stop("pausa", "x", 0.0)]
    route = await give("este", given)
    on_route = await call("GET", "/v1/orders/ped-0")
    assert (on_route["state"], on_route["route"]) == ("assigned", route["id"])
    assert [one["external_id"] for one in (await call("GET", "/v1/orders?state=ready"))["orders"]] == ["ped-2", "ped-3"]

    plan = await planned(date=TODAY)
    assert [one["order"] for one in plan["unplanned"]] == ["ped-2", "ped-3"]
    plan = await planned(date=TODAY, orders=["ped-1", "ped-3"])
    why = {one["order"]: one["why"] for one in plan["unplanned"]}
    assert (set(why), why["ped-1"]) == ({"ped-1", "ped-3"}, "It is on a route already.")
    response = await client.delete("/v1/orders/ped-1", headers=account.headers)
    await refused(response, 409)

    await drive("este", 1)
    assert (await call("GET", "/v1/orders/ped-0"))["state"] == "closed"
    later = (NOW + timedelta(days=1)).date().isoformat()
    again = await call("PUT", "/v1/orders/ped-0", without_name(orders[0]) | {"earliest": later, "latest": later})
    assert again["state"] == "ready", "the next time is another day"
    await give("este", given[:1])
    assert (await call("GET", "/v1/orders/ped-1"))["state"] == "ready", "it was taken off the route"


async def test_a_plan_whose_orders_were_given_meanwhile_is_not_published(call, client, account, give, planned, refused):
    await call("PUT", "/v1/depots/centro", DEPOT)
    await call("PUT", "/v1/vehicles/van-1", {})
    shift = {"date": TODAY, "vehicle": "van-1", "depot": "centro", **LATER}
    await call("PUT", "/v1/shifts/hoy", shift)
    await call("POST", "/v1/orders", {"orders": some_orders(4, earliest=TODAY, latest=TODAY)})
    plan = await planned(date=TODAY)
    assert (plan["unplanned"], len(plan["tours"])) == ([], 1)
    await give("este", [a_stop("ped-2", "Cliente 2", 0.004)])
    response = await client.post(f"/v1/plans/{plan['id']}/publish", headers=account.headers)
    problem = await refused(response, 409)
    assert "ped-2" in problem["detail"]
    assert [one["external_id"] for one in (await call("GET", "/v1/routes"))["routes"]] == ["este"]
    await call("DELETE", "/v1/routes/este", status=204)
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    states = [one["state"] for one in (await call("GET", "/v1/orders"))["orders"]]
    assert states == ["assigned"] * 4


def without_name(order):
    return {name: value for name, value in order.items() if name != "external_id"}
