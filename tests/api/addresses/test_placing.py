"""Orders come to a place: by the book, by a geocoder that is slow, wrong or hostile, else somebody is asked."""

from datetime import timedelta

import pytest

from tests.api.addresses.conftest import house
from tests.api.planning.conftest import DAY
from work.addresses import geocode
from work.outgoing.breaker import FAILURES

BODY = {"name": "Ana", "address": "Calle 10 # 43-12", "phone": "+573001234567", "earliest": DAY}


@pytest.fixture
def put(call):
    async def one(name="ped", **more):
        return await call("PUT", f"/v1/orders/{name}", {**BODY, **more})

    return one


@pytest.fixture
async def geocodes(call, depot, nominatim):
    await call("PUT", "/v1/account/geocoder", {"provider": "nominatim", "url": nominatim.url, "per_s": 100})
    return nominatim


async def facts(pool):
    return [tuple(row) for row in await pool.fetch("SELECT type, data ->> 'external_id' FROM event ORDER BY id")]


async def test_a_house_makes_an_order_ready(call, put, look, geocodes, pool):
    geocodes.say = lambda address: house()
    assert (await put())["state"] == "received"
    assert await look()
    order = await call("GET", "/v1/orders/ped")
    assert (order["state"], order["quality"], order["place"]) == ("ready", "roof", {"lat": 6.25, "lon": -75.57})
    assert geocodes.asked == [BODY["address"]]
    assert geocodes.agents == ["Reparto (+https://reparto.example)"]
    assert await facts(pool) == []
    again = await put()
    assert (again["state"], again["quality"]) == ("ready", "roof")
    other = await put("ped-2", address="CL. 10 No 43 - 12", phone=None)
    assert other["state"] == "received"
    await look()
    assert (await call("GET", "/v1/orders/ped-2"))["quality"] == "roof"
    assert len(geocodes.asked) == 1
    assert not await look()


@pytest.mark.parametrize(
    ("said", "quality"),
    [
        ([], "none"),
        (house(rank=16), "area"),
        (house(lat=40.4, lon=-3.7), "none"),
        (house(lat=0, lon=0), "none"),
    ],
    ids=["unknown", "quarter", "another country", "zero"],
)
async def test_below_the_bar_it_is_asked_about_once(call, put, look, geocodes, pool, said, quality):
    geocodes.say = lambda address: said
    await put()
    await look()
    order = await call("GET", "/v1/orders/ped")
    assert (order["state"], order["quality"]) == ("received", quality)
    assert order["why"]
    assert await facts(pool) == [("order.place_asked", "ped")]
    await put()
    assert not await look()
    assert len(await facts(pool)) == 1


async def test_without_a_geocoder_it_is_asked_about_at_once(call, put, look, depot, pool):
    await put()
    await look()
    assert await facts(pool) == [("order.place_asked", "ped")]


@pytest.mark.parametrize("said", [503, 429, 302, b"<html>busy</html>", b"", "hangs", house(lat=99)], ids=str)
async def test_a_geocoder_that_fails_is_asked_again(call, put, look, geocodes, pool, monkeypatch, said):
    monkeypatch.setattr(geocode, "ANSWER_S", 0.2)
    geocodes.say = lambda address: said
    await put()
    await look()
    assert (await call("GET", "/v1/orders/ped"))["state"] == "received"
    assert (await call("GET", "/v1/account/geocoder"))["trouble"]
    assert await facts(pool) == []
    assert not await look()
    geocodes.say = lambda address: house()
    await pool.execute("UPDATE delivery_order SET look_at = now()")
    await look()
    assert (await call("GET", "/v1/orders/ped"))["state"] == "ready"
    assert (await call("GET", "/v1/account/geocoder"))["trouble"] is None


async def test_after_a_while_nobody_waits_for_it_any_more(put, look, geocodes, pool):
    geocodes.say = lambda address: 503
    await put()
    await pool.execute("UPDATE delivery_order SET updated_at = now() - $1::interval", timedelta(minutes=20))
    await look()
    assert await facts(pool) == [("order.place_asked", "ped")]


async def test_a_refusal_is_said_and_a_dead_one_left_alone(call, geocodes):
    geocodes.say = lambda address: 403
    tried = await call("POST", "/v1/account/geocoder/test", {"address": "x"})
    assert (tried["result"], "403" in tried["why"]) == ("no_answer", True)
    geocodes.say = lambda address: house()
    tried = await call("POST", "/v1/account/geocoder/test", {"address": "x"})
    assert (tried["result"], tried["quality"], tried["lat"]) == ("found", "roof", 6.25)


async def test_a_dead_one_is_left_alone(look, geocodes, put, pool):
    geocodes.say = lambda address: 500
    for n in range(FAILURES + 2):
        await put(f"ped-{n}", address=f"Calle {n}")
        await look()
    assert len(geocodes.asked) == FAILURES


async def test_many_processes_take_turns(pool):
    waits = [await geocode.geocoding.take_turn(pool, "host", apart_s=1.0, at_most_s=2.5) for _ in range(5)]
    assert [wait is not None and round(wait) for wait in waits] == [0, 1, 2, False, False]


async def test_the_key_is_sealed_and_kept(call, client, account, depot, pool, refused, nominatim):
    path = "/v1/account/geocoder"
    await refused(await client.put(path, json={"provider": "google"}, headers=account.headers), 422, "/key")
    await refused(await client.put(path, json={"provider": "pelias"}, headers=account.headers), 422, "/url")
    inside = {"provider": "photon", "url": "https://169.254.169.254/"}
    await refused(await client.put(path, json=inside, headers=account.headers), 422, "/url")
    set_to = await call("PUT", path, {"provider": "google", "key": "s3cr3t", "countries": ["co"]})
    assert (set_to["has_key"], set_to["per_s"], "s3cr3t" in str(set_to)) == (True, 25.0, False)
    again = await call("PUT", path, {"provider": "google"})
    assert (again["has_key"], again["countries"]) == (True, [])
    assert b"s3cr3t" not in await pool.fetchval("SELECT secrets FROM geocoder")
    assert (await call("PUT", path, {"provider": "photon", "url": nominatim.url}))["has_key"] is False
    await call("DELETE", path, status=204)
    await call("GET", path, status=404)


async def test_a_pin_of_the_company_outranks_and_is_forgotten(call, put, depot, look):
    pin = {"address": "CL 10 No 43-12", "lat": 6.26, "lon": -75.56}
    known = await call("POST", "/v1/addresses", pin)
    assert (known["quality"], known["person"], known["address"]) == ("pinned", "", "calle 10 43 12")
    order = await put()
    assert (order["state"], order["quality"], order["place"]) == ("ready", "pinned", {"lat": 6.26, "lon": -75.56})
    near = await put("given", lat=6.2601, lon=-75.56)
    assert (near["quality"], near["place"]["lat"], near["order"]["lat"]) == ("pinned", 6.26, 6.2601)
    far = await put("far", lat=6.30, lon=-75.56)
    assert (far["quality"], far["place"]["lat"]) == ("given", 6.30)
    swapped = await put("swapped", lat=-75.56, lon=6.26)
    assert (swapped["quality"], swapped["place"]["lat"]) == ("pinned", 6.26)
    listed = await call("GET", "/v1/addresses?limit=1")
    assert (listed["addresses"], listed["next"]) == ([known], None)
    await call("DELETE", "/v1/addresses?address=calle 10 43 12", status=204)
    await call("DELETE", "/v1/addresses?address=calle 10 43 12", status=404)
    assert (await put("later"))["state"] == "received"


async def test_a_pin_of_the_recipient_counts_for_their_next_order(call, client, put, depot, look):
    first = await put()
    token = first["tracking_url"].rpartition("/")[2]
    pinned = await client.post(f"/v1/track/{token}/pin-drop", json={"lat": 6.2511, "lon": -75.5722})
    assert pinned.status == 200
    again = await put("next", address="Cl 10 43 12")
    assert (again["state"], again["quality"], again["place"]["lat"]) == ("ready", "pinned", 6.2511)
    stranger = await put("stranger", phone="+573009999999")
    assert stranger["state"] == "received"
