"""Orders of routes that are taken away, and of stops that are over: they can be planned again."""

import pytest

from api.portal import by_code, redirect, step_up
from sql.account.accounts import read_instance
from sql.messages.setup import put_channel
from tests.api.planning.conftest import DAY, some_orders
from work.links import code_of


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, *(one.operations.add_to for one in (by_code, redirect, step_up))]


@pytest.fixture
async def published(call, day, planned):
    """Three orders on one route; give the route's id."""
    body = {"orders": [one | {"phone": "+573001112233"} for one in some_orders(3)]}
    await call("POST", "/v1/orders", body)
    plan = await planned(shifts=["turno-van-1"])
    return (await call("POST", f"/v1/plans/{plan['id']}/publish"))["tours"][0]["route"]


async def states(call):
    found = (await call("GET", "/v1/orders"))["orders"]
    return {one["external_id"]: (one["state"], one["route"]) for one in found}


@pytest.mark.parametrize("begun", [False, True])
async def test_orders_of_a_route_that_is_taken_away_are_planned_again(call, planned, published, pool, begun):
    if begun:
        await pool.execute("UPDATE route SET status = 'started', started_at = now()")
        await pool.execute("UPDATE stop SET status = 'completed', outcome_at = now() WHERE external_id = 'ped-1'")
    await call("DELETE", f"/v1/routes/{published}", status=204)
    free = ("ready", None)
    done = ("closed", published) if begun else free
    assert await states(call) == {"ped-0": free, "ped-1": done, "ped-2": free}
    plan = await planned()
    on_tours = {stop["order"] for tour in plan["tours"] for stop in tour["stops"]}
    assert on_tours == ({"ped-0", "ped-2"} if begun else {"ped-0", "ped-1", "ped-2"})
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert {name for name, (state, _) in (await states(call)).items() if state == "assigned"} == on_tours


async def test_they_stay_where_their_recipients_want_them(call, client, account, published, pool):
    await put_channel(
        pool, account_id=account.id, channel="sms", enabled=True, settings={"gateway": "custom"}, secrets=None
    )
    await pool.execute("UPDATE route SET start_at = now(), end_at = now() + interval '8 h'")
    found = await call("GET", f"/v1/routes/{published}")
    first = next(one for one in found["stops"] if one["external_id"] == "ped-0")
    token, number = first["tracking_url"].rpartition("/")[2], int(first["id"][3:])
    assert (await client.post(f"/v1/track/{token}/code")).status == 200
    code = {"Reparto-Code": code_of((await read_instance(pool)).secret, number, 1)}
    near = {"address": "Calle 99", "lat": round(first["lat"] + 0.001, 6), "lon": first["lon"]}
    said = await client.post(f"/v1/track/{token}/address", json=near, headers=code)
    assert (await said.json())["state"] == "applied"
    await call("DELETE", f"/v1/routes/{published}", status=204)
    order = await call("GET", "/v1/orders/ped-0")
    assert (order["state"], order["order"]["address"]) == ("ready", near["address"])
    assert order["place"] == {"lat": near["lat"], "lon": near["lon"]}


@pytest.mark.parametrize("status", ["failed", "left_open", "completed"])
async def test_what_is_over_may_be_put_again_for_another_day(call, client, account, published, pool, refused, status):
    outcome = "NULL" if status == "left_open" else "now()"
    await pool.execute(f"UPDATE stop SET status = $1, outcome_at = {outcome} WHERE external_id = 'ped-0'", status)
    order = {name: value for name, value in some_orders(1)[0].items() if name != "external_id"}
    same = await client.put("/v1/orders/ped-0", json=order, headers=account.headers)
    await refused(same, 409)
    later = DAY.replace("-02", "-09")
    again = await call("PUT", "/v1/orders/ped-0", order | {"earliest": later, "latest": later})
    assert (again["state"], again["route"], again["stop_status"]) == ("ready", None, None)
    with_van = await client.put(
        "/v1/orders/ped-1", json=order | {"earliest": later, "latest": later}, headers=account.headers
    )
    await refused(with_van, 409)
