"""The link of an order: from its first minute to its last, and a pin where its place is asked about."""

import pytest
from yarl import URL

from api.portal import by_link
from api.recipient import stream as tracking
from api.routes import endpoints as routes
from api.tracking_page import changing as tracking_forms
from api.tracking_page import endpoints as tracking_page
from sql.account.accounts import read_instance
from tests.api.planning.conftest import DAY, some_orders
from work.links import token_of

WINDOW = {"start": f"{DAY}T10:00:00-05:00", "end": f"{DAY}T12:00:00-05:00"}


@pytest.fixture
def app_parts(app_parts):
    more = (tracking, tracking_page, tracking_forms, by_link, routes)
    return [*app_parts, *(one.operations.add_to for one in more if one.operations.add_to not in app_parts)]


async def put(call, name="ped", **more):
    """Put an order; give it, and the token of its link."""
    (body,) = some_orders(1)
    del body["external_id"]
    order = await call("PUT", f"/v1/orders/{name}", {**body, "name": "Ana", **more})
    return order, order["tracking_url"].rpartition("/")[2]


async def test_an_order_has_a_page_before_it_has_a_route(call, client, day):
    _, token = await put(call, windows=[WINDOW])
    seen = await (await client.get(f"/v1/track/{token}")).json()
    assert (seen["status"], seen["eta"], seen["position"]) == ("booked", None, None)
    assert (seen["stop"]["name"], seen["timezone"]) == ("Ana", "America/Bogota")
    assert seen["stop"]["window"]["start"].startswith(DAY)
    page = await (await client.get(f"/t/{token}?lang=es")).text()
    assert "Tenemos tu pedido" in page
    assert "10:00" in page
    options = await (await client.get(f"/v1/track/{token}/options")).json()
    assert {name for name, one in options.items() if one["allowed"]} == set()
    assert (len(options), options["slot"]["why"], options["pin-drop"]["why"]) == (12, "too-early", "not-offered")
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), "o1-" + "A" * 24, "o-" + "A" * 30):
        assert (await client.get(f"/t/{forged}")).status == 404
        assert (await client.get(f"/v1/track/{forged}")).status == 404


async def test_a_pin_makes_an_order_ready(call, client, day, pool, refused):
    order, token = await put(call, lat=None, lon=None)
    assert (order["state"], order["quality"]) == ("received", "none")
    page = await (await client.get(f"/t/{token}?lang=en")).text()
    assert f"/t/{token}/pin-drop" in page
    form = await (await client.get(f"/t/{token}/pin-drop?lang=en")).text()
    assert 'data-lat="6.2442"' in form
    assert (await client.get(f"/t/{token}/slot")).status == 404
    far = await client.post(f"/v1/track/{token}/pin-drop", json={"lat": 40.4, "lon": -3.7})
    await refused(far, 422, "/lat", "/lon")
    again = await client.post(f"/t/{token}/pin-drop?lang=en", data={"lat": "", "lon": ""})
    assert (again.status, "That place is too far" in await again.text()) == (422, True)
    pinned = await client.post(f"/t/{token}/pin-drop", data={"lat": "6.25", "lon": "-75.57"}, allow_redirects=False)
    assert pinned.status == 303
    order = await call("GET", "/v1/orders/ped")
    assert (order["state"], order["quality"], order["why"]) == ("ready", "pinned", None)
    assert await pool.fetchval("SELECT (lat, lon)::text FROM delivery_order") == "(6.25,-75.57)"
    facts = await pool.fetch("SELECT type, data FROM event WHERE type LIKE 'order.%'")
    assert [(one["type"], one["data"]["external_id"]) for one in facts] == [("order.place_pinned", "ped")]
    late = await client.post(f"/v1/track/{token}/pin-drop", json={"lat": 6.26, "lon": -75.57})
    assert (late.status, (await late.json())["type"]) == (409, "too-late")


async def test_a_pin_stays_in_the_quarter_that_is_known(call, client, day, refused):
    _, token = await put(call, quality="area")
    place = {"lat": 6.5, "lon": -75.57}
    await refused(await client.post(f"/v1/track/{token}/pin-drop", json=place), 422, "/lat", "/lon")


async def test_the_link_leads_to_the_stop_and_the_state_to_closed(call, client, day, planned, pool):
    _, token = await put(call)
    plan = await planned()
    assert [(one["state"]) for one in (await call("GET", "/v1/orders?state=planned"))["orders"]] == ["planned"]
    await call("POST", f"/v1/plans/{plan['id']}/publish", {})
    order = await call("GET", "/v1/orders/ped")
    assert (order["state"], order["stop_status"]) == ("assigned", "pending")
    led = await client.get(f"/v1/track/{token}", allow_redirects=False)
    assert (led.status, led.headers["Access-Control-Allow-Origin"]) == (307, "*")
    stop = token_of((await read_instance(pool)).secret, await pool.fetchval("SELECT id FROM stop"), 0)
    assert led.headers["Location"] == f"/v1/track/{stop}"
    paged = await client.get(f"/t/{token}/slot?lang=en", allow_redirects=False)
    assert (paged.status, paged.headers["Location"]) == (307, f"/t/{stop}/slot?lang=en")
    odd = await client.get(URL(f"/t/{token}/%0D%0AX-Odd:1?lang=%0D%0AX-Odd:1", encoded=True), allow_redirects=False)
    assert (odd.status, "X-Odd" in odd.headers) == (307, False)
    assert odd.headers["Location"].startswith(f"/t/{stop}/%0D%0AX-Odd:1?lang=%0D%0AX-Odd:1")
    await pool.execute("UPDATE stop SET status = 'completed', outcome_at = now()")
    assert (await call("GET", "/v1/orders?state=closed"))["orders"][0]["stop_status"] == "completed"
    await pool.execute("UPDATE stop SET status = 'pending', outcome_at = NULL, link_generation = 1")
    assert (await client.get(f"/t/{token}")).status == 410
    assert (await client.get(f"/v1/track/{token}")).status == 410
    await pool.execute("UPDATE stop SET status = 'removed', removed_at = now(), link_generation = 0")
    assert (await call("GET", "/v1/orders?state=cancelled"))["orders"][0]["external_id"] == "ped"
    order, _ = await put(call)
    assert (order["state"], order["route"]) == ("ready", None)
    await call("DELETE", "/v1/orders/ped", status=204)
    assert (await client.get(f"/t/{token}")).status == 410
    assert (await client.get(f"/v1/track/{token}/options")).status == 410


async def test_an_order_is_planned_while_a_plan_that_is_done_has_it(call, client, account, day, planned):
    await call("POST", "/v1/orders", {"orders": some_orders(2)})
    first, second = await planned(), await planned()

    async def states():
        return [(one["state"], one["plan"]) for one in (await call("GET", "/v1/orders"))["orders"]]

    assert await states() == [("planned", second["id"])] * 2
    await call("PATCH", f"/v1/plans/{second['id']}", {"moves": [{"order": "ped-0", "shift": None}]})
    assert await states() == [("planned", first["id"]), ("planned", second["id"])]
    await call("DELETE", f"/v1/plans/{second['id']}", status=204)
    assert await states() == [("planned", first["id"])] * 2
    await put(call, "ped-0", lat=6.25)
    assert await states() == [("ready", None), ("planned", first["id"])]
    refused = await client.post(f"/v1/plans/{first['id']}/publish", headers=account.headers)
    assert "were changed" in (await refused.json())["detail"]
    await call("DELETE", f"/v1/plans/{first['id']}", status=204)
    assert [state for state, _ in await states()] == ["ready", "ready"]
