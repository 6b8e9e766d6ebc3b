"""A stop that was taken off its tour for another day: what is said of it is in the order that waits to be planned."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.planning import orders
from tests.api.portal.conftest import Recipient
from tests.api.portal.test_proposals import FAR, decide

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
NEAR = {"address": "Cra. 46 # 52-80", "lat": 6.2492, "lon": -75.5675}


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, orders.operations.add_to]


@pytest.fixture
async def order(recipient: Recipient, tour: dict[str, Any]) -> dict[str, Any]:
    """The order that Ana's stop was made of, as the company puts it."""
    stop = tour["stops"][0]
    told = ("name", "address", "lat", "lon", "phone", "parcels")
    today = datetime.now(UTC).date().isoformat()
    body = {name: stop[name] for name in told} | {"earliest": today, "latest": today}
    await recipient.pool.execute("DELETE FROM delivery_order")
    response = await recipient.client.put("/v1/orders/ped-1", json=body, headers=recipient.account.headers)
    assert response.status == 201, await response.text()
    assert await recipient.pool.fetchval(
        "UPDATE delivery_order SET state = 'assigned', route_id = (SELECT id FROM route) RETURNING true"
    )
    return body


async def waits(recipient: Recipient) -> str:
    """Choose a slot of another day; give its id."""
    slot = await recipient.slot(LATER)
    await recipient.say(recipient.ana, "slot", {"slot_id": slot}, **await recipient.code(recipient.ana))
    return slot


async def waiting(recipient: Recipient) -> Any:
    response = await recipient.client.get("/v1/orders/ped-1", headers=recipient.account.headers)
    return await response.json()


async def test_it_waits_where_its_recipient_wants_it(recipient: Recipient, order: dict[str, Any]) -> None:
    await recipient.say(recipient.ana, "address", NEAR, **await recipient.code(recipient.ana))
    await waits(recipient)
    found = await waiting(recipient)
    assert (found["state"], found["order"]["address"]) == ("ready", NEAR["address"])
    assert found["place"] == {"lat": NEAR["lat"], "lon": NEAR["lon"]}


@pytest.mark.parametrize("known", [True, False])
async def test_a_proposal_that_is_granted_moves_what_waits(
    recipient: Recipient, order: dict[str, Any], known: bool
) -> None:
    if not known:  # the company gave the route by hand
        await recipient.pool.execute("DELETE FROM delivery_order")
    asked = await recipient.say(recipient.ana, "address", FAR, **await recipient.code(recipient.ana))
    await waits(recipient)
    granted = await decide(recipient, recipient.phone.stops[0], asked["id"], "approve")
    assert granted.status == 200, await granted.text()
    found = await waiting(recipient)
    assert (found["order"]["address"], found["place"]["lat"]) == (FAR["address"], FAR["lat"])
    assert datetime.fromisoformat(found["order"]["windows"][0]["start"]) == LATER


async def test_the_company_puts_its_order_again_and_the_slot_stands(
    recipient: Recipient, order: dict[str, Any]
) -> None:
    await recipient.say(recipient.ana, "address", NEAR, **await recipient.code(recipient.ana))
    await waits(recipient)
    for note in ("pesa", "frágil"):
        again = order | {"instructions": note}
        response = await recipient.client.put("/v1/orders/ped-1", json=again, headers=recipient.account.headers)
        assert response.status == 200, await response.text()
    found = await waiting(recipient)
    assert found["earliest"] == LATER.astimezone(ZoneInfo("America/Bogota")).date().isoformat()
    assert datetime.fromisoformat(found["order"]["windows"][0]["start"]) == LATER
    assert (found["order"]["instructions"], found["order"]["address"]) == ("frágil", NEAR["address"])
    assert found["place"] == {"lat": NEAR["lat"], "lon": NEAR["lon"]}


async def test_what_the_company_cancelled_is_not_woken_by_another_slot(
    recipient: Recipient, order: dict[str, Any], refused: Any
) -> None:
    slot = await waits(recipient)
    response = await recipient.client.delete("/v1/orders/ped-1", headers=recipient.account.headers)
    assert response.status == 204
    choice = await recipient.post(recipient.ana, "slot", {"slot_id": slot}, **await recipient.sent(recipient.ana))
    await refused(choice, 410)
    assert (await waiting(recipient))["state"] == "cancelled"


async def test_its_link_lives_until_the_slot_is_over(recipient: Recipient, refused: Any) -> None:
    await waits(recipient)
    await recipient.pool.execute(
        "UPDATE route SET start_at = now() - interval '20 h', end_at = now() - interval '13 h'"
    )
    assert (await recipient.options(recipient.ana))["slot"]["allowed"]
    await recipient.pool.execute(
        "UPDATE recipient_wish SET slot_start = now() - interval '1 day', slot_end = now() - interval '13 h'"
    )
    await refused(await recipient.client.get(f"/v1/track/{recipient.ana}/options"), 410)
