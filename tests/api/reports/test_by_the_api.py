"""Reports of what planners put and drivers say through the API: what is counted is what is stored."""

from datetime import timedelta
from typing import Any

import pytest

from api.http.app_keys import POOL
from api.reports import endpoints
from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, Phone, at, event, number


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, say_events, endpoints.operations.add_to]


async def totals(phone: Phone, name: str) -> Any:
    response = await phone.client.get(f"/v1/reports/{name}", headers=phone.account.headers)
    assert response.status == 200, await response.text()
    return (await response.json())["totals"]


async def test_a_day_that_was_put_and_said(client: Any, account: Any, phone: Phone, tour: Any, put_route: Any) -> None:
    """The first stop's window is moved an hour on; the second has cash; the third fails and is tried again."""
    first, second, third, _ = tour["stops"]
    first["window"] = {"start": at(0), "end": at(60)}
    first["parcels"] = [
        {"barcode": "A", "description": "x", "quantity": 2},
        {"barcode": "B", "description": "y", "quantity": 1},
    ]
    second["cash_on_delivery"] = {"amount": 85_000, "currency": "COP"}
    for stop in (second, third):
        stop.pop("window", None)
    for minute, stop in zip((20, 40, 60, 80), tour["stops"], strict=True):
        stop["planned_arrival"] = at(minute)
        stop["proof"] = []
    await client.delete("/v1/routes/tour-1", headers=account.headers)
    await put_route(client, account.key, "tour-2")
    first["window"] = {"start": at(60), "end": at(120)}
    put = await put_route(client, account.key, "tour-2")
    phone.stops = [stop["id"] for stop in put["stops"]]
    parcels = [{"barcode": "A", "outcome": "delivered"}, {"barcode": "B", "outcome": "refused"}]
    said = await phone.say(
        event("route_started", 5, more={"route_id": "tour-2"}),
        event("arrived", 90, phone.stops[0]),
        event("partially_completed", 92, phone.stops[0], parcels=parcels),
        event("arrived", 100, phone.stops[1]),
        event("completed", 105, phone.stops[1], cash={"amount": 80_000, "method": "cash"}),
        event("arrived", 110, phone.stops[2]),
        event("failed", 112, phone.stops[2], reason="nobody_home"),
    )
    assert [one["result"] for one in said] == ["applied"] * 7
    reopened = await client.post(
        f"/v1/stops/{phone.stops[2]}/reopen", json={"occurred_at": at(120)}, headers=account.headers
    )
    assert reopened.status == 200, await reopened.text()
    await phone.say(event("arrived", 150, phone.stops[2]), event("completed", 152, phone.stops[2]))

    kept = await totals(phone, "punctuality")
    assert (kept["first_late"], kept["first_late_mean_s"], kept["last_on_time"]) == (1, 30 * 60, 1)
    assert (kept["no_promise"], kept["otif"], kept["otif_n"]) == (3, 0, 1)
    assert (kept["items_n"], kept["items_planned"], kept["items_handed"]) == (1, 3, 2)
    cash = await totals(phone, "cash")
    assert [(row["currency"], row["due"], row["taken"], row["difference"]) for row in cash] == [
        ("COP", 85_000, 80_000, -5_000)
    ]
    became = await totals(phone, "reasons")
    assert (became["completed"], became["partially_completed"], became["failed"]) == (2, 1, 0)
    assert (became["first_attempts"], became["first_attempts_done"]) == (2, 2)
    plan = await totals(phone, "plan-vs-actual")
    assert (plan["tours"], plan["stops"], plan["done"], plan["still_open"]) == (1, 4, 3, 1)
    assert plan["arrivals_n"] == 3
    assert plan["late_mean_s"] == (70 + 60 + 90) / 3 * 60


async def test_how_a_driver_is_not_forgotten_by_a_report(phone: Phone, client: Any, account: Any) -> None:
    """Deleted through the API after the day was said."""
    pool = client.app[POOL]
    await pool.execute(
        """INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, departed_at, source)
           SELECT 0, gen_random_uuid(), $1, account_id, route_id, id, $3, $4, 'auto' FROM stop WHERE id = $2""",
        *(number(phone.driver), number(phone.stops[0]), BASE, BASE + timedelta(minutes=5)),
    )
    response = await client.delete("/v1/drivers/ana", headers=account.headers)
    assert response.status == 204
    response = await client.get("/v1/reports/service-times?driver=ana", headers=account.headers)
    told = await response.json()
    assert told["totals"]["mean_s"] == 300
    assert [row["name"] for row in told["rows"] if row["by"] == "driver"] == ["Ana"]
