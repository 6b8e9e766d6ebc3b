"""Orders and what plans are made of: put, read, judged one by one."""

import pytest

from tests.api.planning.conftest import DAY, some_orders


async def test_many_orders_are_put_once(call, day):
    body = {"orders": some_orders(3)}
    first = await call("POST", "/v1/orders", body)
    assert [one["result"] for one in first["orders"]] == ["created"] * 3
    again = await call("POST", "/v1/orders", body)
    assert (again["accepted"], {one["result"] for one in again["orders"]}) == (3, {"changed"})
    listed = await call("GET", f"/v1/orders?state=ready&date={DAY}")
    assert [one["external_id"] for one in listed["orders"]] == ["ped-0", "ped-1", "ped-2"]


async def test_a_mistake_keeps_only_its_own_order_out(call, day):
    good, bad, nameless, twice, same = some_orders(5)
    bad |= {"lat": 91, "priority": "high"}
    del nameless["external_id"]
    same["external_id"] = twice["external_id"]
    put = await call("POST", "/v1/orders", {"orders": [good, bad, nameless, twice, same]})
    assert put["accepted"] == 1
    assert {error["at"] for error in put["orders"][1]["errors"]} == {"/orders/1/lat", "/orders/1/priority"}
    assert put["orders"][2]["errors"][0]["at"] == "/orders/2/external_id"
    assert [one["result"] for one in put["orders"][3:]] == ["rejected", "rejected"]
    assert len((await call("GET", "/v1/orders"))["orders"]) == 1


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ({"lat": 0, "lon": 0}, "in the sea"),
        ({"lat": -75.569, "lon": 6.2442}, "swapped"),
        ({"lat": 6.2442, "lon": 75.569}, "sign"),
        ({"lat": 40.4, "lon": -3.7}, "km from the nearest depot"),
        ({"lat": 6.3, "lon": -78.2}, "at sea"),
        ({"lat": None, "lon": None}, "not known"),
        ({"quality": "area"}, "quarter"),
    ],
)
async def test_a_doubtful_place_is_asked_about_not_planned(call, day, place, why):
    (order,) = some_orders(1)
    del order["external_id"]
    put = await call("PUT", "/v1/orders/ped", {**order, **place}, status=201)
    assert put["state"] == "received"
    assert why in put["why"]
    near = put["proposed"] and (put["proposed"]["lat"], abs(put["proposed"]["lon"]))
    assert near == ((6.2442, 75.569) if why in ("swapped", "sign") else None)
    pinned = await call("PUT", "/v1/orders/ped", {**order, "quality": "pinned"}, status=200)
    assert (pinned["state"], pinned["why"]) == ("ready", None)


async def test_bad_orders_are_refused_by_field(client, account, day, refused):
    body = {"name": "Ana", "lat": 6.2, "windows": [{"start": f"{DAY}T10:00:00Z", "end": f"{DAY}T09:00:00Z"}]}
    response = await client.put("/v1/orders/ped", json=body, headers=account.headers)
    await refused(response, 422, "/lat", "/windows/0/end")


async def test_an_order_can_be_taken_back(call, day):
    await call("POST", "/v1/orders", {"orders": some_orders(1)})
    await call("DELETE", "/v1/orders/ped-0", status=204)
    assert (await call("GET", "/v1/orders/ped-0"))["state"] == "cancelled"
    await call("DELETE", "/v1/orders/ped-0", status=409)
    await call("DELETE", "/v1/orders/nobody", status=404)


async def test_orders_belong_to_their_account(client, account, other_account, call, day):
    await call("POST", "/v1/orders", {"orders": some_orders(1)})
    assert (await client.get("/v1/orders/ped-0", headers=other_account.headers)).status == 404
    listed = await (await client.get("/v1/orders", headers=other_account.headers)).json()
    assert listed["orders"] == []


async def test_shifts_name_what_there_is(client, account, day, refused, call):
    shift = {
        "date": DAY,
        "vehicle": "no",
        "depot": "no",
        "driver": "no",
        "start_at": f"{DAY}T08:00:00Z",
        "end_at": f"{DAY}T07:00:00Z",
        "breaks": [{"earliest": f"{DAY}T01:00:00Z", "latest": f"{DAY}T02:00:00Z", "duration_s": 600}],
    }
    response = await client.put("/v1/shifts/x", json=shift, headers=account.headers)
    await refused(response, 422, "/vehicle", "/depot", "/driver", "/end_at", "/breaks/0")
    listed = await call("GET", f"/v1/shifts?date={DAY}")
    assert [one["external_id"] for one in listed["shifts"]] == ["turno-van-1", "turno-van-2"]
    assert [one["external_id"] for one in (await call("GET", "/v1/vehicles?limit=1"))["vehicles"]] == ["van-1"]
    await call("DELETE", "/v1/shifts/turno-van-1", status=204)
    await call("DELETE", "/v1/shifts/turno-van-1", status=404)
    assert [one["external_id"] for one in (await call("GET", "/v1/depots"))["depots"]] == ["centro"]


async def test_a_depot_is_somewhere(client, account, refused):
    body = {"name": "x", "lat": 0, "lon": 0, "timezone": "America/Bogota"}
    await refused(await client.put("/v1/depots/x", json=body, headers=account.headers), 422, "/lat")
    body = {"name": "x", "lat": 6, "lon": -75, "timezone": "Mars/Olympus"}
    await refused(await client.put("/v1/depots/x", json=body, headers=account.headers), 422, "/timezone")


async def test_what_an_order_asks_for_is_kept(call, day):
    asked = {
        "name": "Ana",
        "kind": "delivery",
        "address": "Calle 10 # 43-12",
        "lat": 6.25,
        "lon": -75.57,
        "quality": "given",
        "phone": "+573001234567",
        "email": "ana@example.com",
        "locale": "es-CO",
        "windows": [
            {"start": f"{DAY}T13:00:00Z", "end": f"{DAY}T15:00:00Z"},
            {"start": f"{DAY}T19:00:00Z", "end": f"{DAY}T21:00:00Z"},
        ],
        "service_s": 240.0,
        "load": {"kg": 5.0, "litres": 30.0},
        "skills": ["cold"],
        "priority": 7,
        "depot": "centro",
        "earliest": DAY,
        "latest": DAY,
        "after": "ped-pickup",
        "instructions": "Timbre 3",
        "parcels": [{"barcode": "P1", "description": "Caja", "quantity": 2}],
        "cash_on_delivery": {"amount": 50_000.0, "currency": "COP"},
        "proof": ["photo", "pin"],
        "source": "tienda",
    }
    put = await call("PUT", "/v1/orders/ped", asked, status=201)
    assert put["order"] == asked
    assert (put["earliest"], put["latest"], put["state"]) == (DAY, DAY, "ready")
