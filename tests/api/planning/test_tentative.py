"""What can be promised follows the orders that come, before there is a plan and after."""

from datetime import date

import pytest

from api.offers import slots as offered
from sql.pool import Pool
from tests.api.planning.conftest import DAY, DEPOT, some_orders
from work.planning.tentative import AskedVisit, days_of, promised

TEN = {"start": "2036-03-03T10:00:00-05:00", "end": "2036-03-03T12:00:00-05:00"}
EVENING = {"start": "2036-03-03T20:00:00-05:00", "end": "2036-03-03T22:00:00-05:00"}
YARD = {"name": "Patio", "lat": DEPOT["lat"], "lon": DEPOT["lon"]}
SHIFT = {
    "date": "2036-03-03",
    "vehicle": "van-1",
    "depot": "centro",
    "start_at": "2036-03-03T08:00:00-05:00",
    "end_at": "2036-03-03T16:00:00-05:00",
}
NEXT_DAY = {"start": "2036-03-04T10:00:00-05:00", "end": "2036-03-04T12:00:00-05:00"}


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, offered.operations.add_to]


@pytest.fixture
async def later(call, day):
    """One van on a day that is not over, and three slots: in its shift, after it, and on a day without vans."""
    await call("PUT", "/v1/shifts/turno-1", SHIFT)
    for slot in (TEN, EVENING, NEXT_DAY):
        await call("POST", "/v1/slots", {"zone": "all", **slot, "capacity": {"stops": 10}}, status=201)


async def test_a_shop_is_offered_what_can_be_driven(call, client, account, later, refused):
    path = "/v1/slots?place=6.25,-75.57&service_s=600"
    listed = (await call("GET", path))["slots"]
    assert [one["start"][:16] for one in listed] == ["2036-03-03T15:00", "2036-03-04T15:00"]
    first, unknown = listed
    assert first["start"] <= first["expected"] <= first["end"]
    assert first["extra_minutes"] > 0
    assert (unknown["expected"], unknown["extra_km"]) == (None, None)
    assert len((await call("GET", "/v1/slots"))["slots"]) == 3
    assert len((await call("GET", f"{path}&load=500"))["slots"]) == 1
    for wrong in ("6.25", "north,1", "91,0", "nan,0", "1,2,3"):
        response = await client.get("/v1/slots", params={"place": wrong}, headers=account.headers)
        await refused(response, 422, "place")


async def test_every_order_that_comes_takes_its_time(call, later):
    path = "/v1/slots?place=6.25,-75.57&load=5"
    assert len((await call("GET", path))["slots"]) == 2
    (order,) = some_orders(1, load={"kg": 100}, windows=[TEN], earliest="2036-03-03", latest="2036-03-03")
    await call("POST", "/v1/orders", {"orders": [order]})
    (left,) = (await call("GET", path))["slots"]
    assert left["start"].startswith("2036-03-04")
    await call("DELETE", f"/v1/orders/{order['external_id']}", status=204)
    assert len((await call("GET", path))["slots"]) == 2


async def test_days_go_on_from_the_plan_and_are_kept(call, day, planned, pool: Pool, account):
    await call("POST", "/v1/orders", {"orders": some_orders(4)})
    plan = await planned()
    ask = {"account_id": account.id, "on": date.fromisoformat(DAY), "depot": "centro"}
    first = await days_of(pool).day(pool, **ask)
    assert first is not None
    assert (first.begins.plan_id is not None, dict(first.added)) == (True, {})
    assert first is await days_of(pool).day(pool, **ask)
    late = some_orders(6)[4:]
    await call("POST", "/v1/orders", {"orders": late})
    more = await days_of(pool).day(pool, **ask)
    assert more is not None
    assert set(more.added) == {one["external_id"] for one in late}
    assert sorted(job for one in more.every for job in one.tour.jobs) == list(range(6))
    moved = AskedVisit(lon=0, lat=0, service_s=0, order=plan["tours"][0]["stops"][0]["order"])
    (there,) = promised(more, moved, [(0, 86_400)])
    assert there is not None
    assert there.extra_m < 20_000


def given(day, service_s, **more):
    """A route from the depot that a company gives by hand, with one stop."""
    stop = {"external_id": "1", "kind": "delivery", "name": "Ana", "lat": 6.25, "lon": -75.565, "service_s": service_s}
    hours = {"start_at": f"{day}T08:00:00-05:00", "end_at": f"{day}T16:00:00-05:00"}
    return {"date": day, "timezone": DEPOT["timezone"], "depot": YARD, "stops": [stop], **hours, **more}


async def test_a_route_that_was_given_has_a_van_of_its_own(call, later):
    path = "/v1/slots?place=6.25,-75.57&load=5"
    assert [one["expected"] is None for one in (await call("GET", path))["slots"]] == [False, True]
    await call("PUT", "/v1/routes/R", given("2036-03-04", 600))
    first, second = (await call("GET", path))["slots"]
    assert second["start"] <= second["expected"] <= second["end"]
    assert 0 < second["extra_minutes"] < 30
    await call("PUT", "/v1/routes/R", given("2036-03-04", 8 * 3600))
    assert (await call("GET", path))["slots"] == [first], "it has no minute left"
    await call("PUT", "/v1/routes/R", given("2036-03-04", 8 * 3600, depot={"lat": 6.3, "lon": -75.57}))
    assert [one["expected"] is None for one in (await call("GET", path))["slots"]] == [False, True], "of another depot"


async def test_who_drives_a_route_that_was_given_cannot_drive_a_shift_besides(call, later, planned):
    path = "/v1/slots?place=6.25,-75.57&load=5"
    await call("PUT", "/v1/shifts/turno-1", SHIFT | {"driver": "ana"})
    days = [one["start"][:10] for one in (await call("GET", path))["slots"]]
    assert days == ["2036-03-03", "2036-03-04"]
    await call("PUT", "/v1/routes/R", given("2036-03-03", 8 * 3600, driver="ana"))
    assert [one["start"][:10] for one in (await call("GET", path))["slots"]] == ["2036-03-04"]
    order = {"earliest": "2036-03-03", "latest": "2036-03-03"}
    await call("POST", "/v1/orders", {"orders": some_orders(1, **order)})
    plan = await planned(date="2036-03-03")
    assert plan["tours"], "the plan knows nothing of the route"
    assert [one["start"][:10] for one in (await call("GET", path))["slots"]] == ["2036-03-04"]
    await call("POST", f"/v1/plans/{plan['id']}/publish")
    assert [one["start"][:10] for one in (await call("GET", path))["slots"]] == ["2036-03-04"]
    await call("DELETE", "/v1/routes/R", status=204)
    assert [one["start"][:10] for one in (await call("GET", path))["slots"]] == days
