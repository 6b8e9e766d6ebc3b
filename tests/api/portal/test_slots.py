"""Slots: never more of them than there are places, and the plan, the driver and the old slot follow what is chosen."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.http.config import ApiConfig
from sql.account.accounts import read_instance
from tests.api.driver.driver_day import number
from tests.api.portal.conftest import Recipient
from work.links import code_of

NOW = datetime.now(UTC).replace(microsecond=0)
SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(days=2)


@pytest.fixture
def api_config(api_config: ApiConfig) -> ApiConfig:
    """Whoever asks here is a proxy, and says whose request it is."""
    return replace(api_config, trusted_proxies="127.0.0.1/32")


async def choose(recipient: Recipient, token: str, slot: str, **headers: str) -> Any:
    return await recipient.post(token, "slot", {"slot_id": slot}, **headers)


async def test_a_time_on_the_same_tour_is_its_new_window(recipient: Recipient) -> None:
    slot = await recipient.slot(SOON, express=True)
    before = await recipient.manifest()
    options = (await recipient.options(recipient.ana))["slot"]
    assert options["allowed"]
    end = (SOON + timedelta(hours=2)).isoformat()
    assert [(one["id"], one["express"]) for one in options["slots"]] == [(slot, True)]
    code = await recipient.code(recipient.ana)
    accepted = await (await choose(recipient, recipient.ana, slot, **code)).json()
    assert (accepted["change"], accepted["state"], accepted["driver_told"]) == ("slot", "applied", True)
    route = await recipient.route()
    assert route["version"] == 2
    window = route["stops"][0]["window"]
    assert [datetime.fromisoformat(window[name]) for name in ("start", "end")] == [SOON, datetime.fromisoformat(end)]
    (changed,) = (await recipient.manifest(before["version"]))["changed"]
    assert changed["recipient"]["last_change"] == "slot"
    assert datetime.fromisoformat(changed["window"]["start"]) == SOON
    (fact,) = await recipient.facts("stop.rescheduled")
    assert (fact["data"]["slot_id"], fact["data"]["taken_off"]) == (slot, False)
    (change,) = await recipient.changes(recipient.phone.stops[0])
    assert datetime.fromisoformat(change["is_now"]["start"]) == SOON
    assert change["was"]["start"] is not None


async def test_another_day_takes_it_off_the_tour_and_leaves_an_order_and_the_old_slot_free(
    recipient: Recipient, account: Any, client: Any, put_route: Any, tour: dict[str, Any], pool: Any
) -> None:

    near, far = await recipient.slot(SOON, 1), await recipient.slot(LATER, 1)
    before = await recipient.manifest()
    code = await recipient.code(recipient.ana)
    for slot in (near, far):
        assert (await choose(recipient, recipient.ana, slot, **code)).status == 200
    assert {one: (shown["booked"], shown["held"]) for one, shown in (await recipient.slots()).items()} == {
        near: (0, 0),
        far: (1, 0),
    }
    told = await recipient.manifest(before["version"])
    stop = recipient.phone.stops[0]
    assert stop in str(told["removed"])
    assert stop not in {one["id"] for one in told["changed"] if one["status"] != "removed"}
    await put_route(client, account.key)
    on_tour = [one["id"] for one in (await recipient.route())["stops"] if not one["removed"]]
    assert stop not in on_tour, "a planner who knows nothing of it does not bring it back"
    assert len(on_tour) == 3
    order = await pool.fetchrow("SELECT * FROM delivery_order")
    assert (order["external_id"], order["state"], order["body"]["name"]) == ("ped-1", "ready", "Ana Restrepo")
    assert datetime.fromisoformat(order["body"]["windows"][0]["start"]) == LATER
    assert order["earliest"] == order["latest"]
    facts = await recipient.facts("stop.rescheduled")
    assert [fact["data"]["taken_off"] for fact in facts] == [False, True]
    options = await recipient.options(recipient.ana)
    assert [one["id"] for one in options["slot"]["slots"]] == [far], "it may choose again, on another day"
    assert not options["instructions"]["allowed"]
    later = {"driver": None, "date": LATER.date().isoformat(), "stops": [tour["stops"][0]]}
    later |= {"start_at": LATER.isoformat(), "end_at": (LATER + timedelta(hours=8)).isoformat()}
    put = await put_route(client, account.key, route="tour-2", **later)
    await recipient.say(recipient.ana, "instructions", {"text": "Timbre 3"})
    assert await recipient.changes(put["stops"][0]["id"]), "the link leads on to the tour that got it"


async def test_200_recipients_race_for_the_last_five_places(
    recipient: Recipient, account: Any, client: Any, tour: dict[str, Any], put_route: Any, pool: Any
) -> None:
    stops = [{**tour["stops"][0], "external_id": f"ped-{place}", "name": f"A{place}"} for place in range(200)]
    tokens = []
    for part in range(10):
        put = await put_route(client, account.key, route=f"carrera-{part}", driver=None, stops=stops[part::10])
        tokens += [(one["tracking_url"].rpartition("/")[2], one["id"]) for one in put["stops"]]
    await pool.execute("INSERT INTO step_up SELECT id, account_id, 0, 1, now() FROM stop")
    secret = (await read_instance(pool)).secret
    slot = await recipient.slot(LATER, 8)
    for token, _ in tokens[:3]:  # three are booked, five are left
        assert (await choose(recipient, token, slot, **_brings(secret, tokens, token))).status == 200

    async def race(place: int, token: str) -> int:
        while True:
            headers = _brings(secret, tokens, token) | {"X-Forwarded-For": f"198.51.100.{place}"}
            response = await choose(recipient, token, slot, **headers)
            if response.status != 503:  # too much at once for this machine: nothing was changed
                return int(response.status)

    came = await asyncio.gather(*(race(place, token) for place, (token, _) in enumerate(tokens[3:])))
    assert sorted(came) == [200] * 5 + [409] * 192
    assert (await recipient.slots())[slot]["booked"] == 8
    assert len(await recipient.facts("stop.rescheduled")) == 8


def _brings(secret: bytes, tokens: list[tuple[str, str]], token: str) -> dict[str, str]:
    return {"Reparto-Code": code_of(secret, number(dict(tokens)[token]), 1)}


async def test_a_place_is_held_while_its_code_is_fetched_and_lapses(recipient: Recipient, refused: Any) -> None:
    slot = await recipient.slot(LATER, 1)
    other = recipient.tokens[3]
    await recipient.pool.execute(
        "UPDATE stop SET phone = '+573005554433' WHERE id = $1", number(recipient.phone.stops[3])
    )
    theirs, code = await recipient.code(other), await recipient.code(recipient.ana)
    assert (await refused(await choose(recipient, recipient.ana, slot), 403))["type"] == "step-up-needed"
    assert (await recipient.slots())[slot]["held"] == 1
    assert (await recipient.options(other))["slot"]["slots"] == []
    assert (await refused(await choose(recipient, other, slot, **theirs), 409))["type"] == "slot-taken"
    await refused(await choose(recipient, other, slot), 403)
    assert (await recipient.slots())[slot]["held"] == 1
    await recipient.pool.execute("UPDATE slot_place SET held_until = now()")
    assert (await choose(recipient, other, slot, **theirs)).status == 200
    await refused(await choose(recipient, recipient.ana, slot, **code), 409)
    assert (await recipient.slots())[slot]["booked"] == 1


async def test_a_hold_takes_nothing_from_what_is_booked(recipient: Recipient) -> None:
    near, far = await recipient.slot(SOON, 1), await recipient.slot(LATER, 1)
    code = await recipient.code(recipient.ana)
    assert (await choose(recipient, recipient.ana, near, **code)).status == 200
    assert (await choose(recipient, recipient.ana, far)).status == 403
    assert (await choose(recipient, recipient.ana, near)).status == 403
    assert [(one["booked"], one["held"]) for one in (await recipient.slots()).values()] == [(1, 0), (0, 0)]


async def test_load_cut_off_zone_and_other_accounts(
    recipient: Recipient, refused: Any, other_account: Any, client: Any, account: Any
) -> None:
    past = (NOW - timedelta(minutes=1)).isoformat()
    heavy = await recipient.slot(LATER, capacity={"stops": 5, "load": 0.5})
    closed = await recipient.slot(LATER, cut_off=past)
    far = {"type": "Point", "coordinates": [-74.0, 4.6]}
    fence = {"type": "Feature", "geometry": far, "properties": {"radius_m": 900}}
    assert (await client.put("/v1/geofences/bogota", json=fence, headers=account.headers)).status in (200, 201)
    elsewhere = await recipient.slot(LATER, zone="bogota")
    body = {"zone": "x", "start": LATER.isoformat(), "end": SOON.isoformat(), "capacity": {"stops": 1}}
    await refused(await client.post("/v1/slots", json=body, headers=account.headers), 422, "/end")
    foreign = await client.post("/v1/slots", json=body | {"end": (LATER + timedelta(hours=1)).isoformat()},
                                headers=other_account.headers)  # fmt: skip
    foreign_id = (await foreign.json())["id"]
    code = await recipient.code(recipient.ana)
    assert (await recipient.options(recipient.ana))["slot"]["slots"] == []
    for slot in (heavy, closed, elsewhere, foreign_id, "sl_999"):
        await refused(await choose(recipient, recipient.ana, slot, **code), 409)
    await refused(await choose(recipient, recipient.ana, "x", **code), 422, "/slot_id")
    assert (await recipient.route())["version"] == 1
    patched = await client.patch(
        f"/v1/slots/{heavy}", json={"capacity": {"stops": 1, "load": None}}, headers=account.headers
    )
    assert (await patched.json())["capacity"] == {"stops": 1, "load": None}
    assert (await choose(recipient, recipient.ana, heavy, **code)).status == 200
    await refused(await client.patch(f"/v1/slots/{foreign_id}", json={}, headers=account.headers), 404)
    fewer = await client.patch(f"/v1/slots/{heavy}", json={"capacity": {"stops": 0}}, headers=account.headers)
    assert (await fewer.json())["booked"] == 1, "whoever has a place keeps it"
