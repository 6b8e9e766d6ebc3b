"""Another place: applied near the planned one, else a proposal; pick-up points, the nearest first."""

import asyncio
from typing import Any

import pytest

from sql.pool import Pool
from tests.api.portal.conftest import Recipient

NEAR = {"address": "Cra. 46 # 52-80", "lat": 6.2492, "lon": -75.5675}
KIOSK = {
    "name": "Kiosco",
    "address": "Cl. 52 # 44-10",
    "lat": 6.2487,
    "lon": -75.5655,
    "opening_hours": "Mo-Fr 08:00-20:00",
}
FAR_KIOSK = {"name": "Terminal", "address": "Cra. 64C # 78", "lat": 6.2790, "lon": -75.5690}


async def test_an_address_nearby_moves_the_stop_and_stands(
    recipient: Recipient, account: Any, client: Any, put_route: Any, pool: Any
) -> None:
    version = (await recipient.manifest())["version"]
    code = await recipient.code(recipient.ana)
    accepted = await recipient.say(recipient.ana, "address", NEAR, **code)
    assert accepted["state"] == "applied"
    assert accepted["distance_m"] == pytest.approx(133, abs=5)
    for _ in range(2):
        route = await recipient.route()
        first = route["stops"][0]
        assert route["version"] == 2
        assert (first["lat"], first["lon"], first["address"]) == (NEAR["lat"], NEAR["lon"], NEAR["address"])
        along = [stop["along_m"] for stop in route["stops"]]
        assert along == sorted(along)
        await put_route(client, account.key)
    (changed,) = [one for one in (await recipient.manifest(version))["changed"] if one["id"] == first["id"]]
    assert (changed["address"], changed["recipient"]["last_change"]) == (NEAR["address"], "address")
    (fact,) = await recipient.facts("stop.redirected")
    assert (fact["data"]["state"], fact["data"]["distance_m"]) == ("applied", accepted["distance_m"])
    assert "Cra." not in str(fact)
    assert await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'changed'") == 1
    (change,) = await recipient.changes(first["id"])
    assert (change["was"], change["is_now"]["address"]) == ({"lat": 6.24805, "lon": -75.56785}, NEAR["address"])


async def test_an_address_farther_away_is_a_proposal(recipient: Recipient, refused: Any, pool: Any) -> None:
    code = await recipient.code(recipient.ana)
    far = NEAR | {"lat": 6.30}
    for body in (far, {"address": "Donde mi tía"}):
        accepted = await recipient.say(recipient.ana, "address", body, **code)
        assert (accepted["state"], accepted["driver_told"]) == ("proposed", False)
    route = await recipient.route()
    assert (route["version"], route["stops"][0]["lat"]) == (1, 6.24805)
    assert [fact["data"]["state"] for fact in await recipient.facts("stop.redirected")] == ["proposed"] * 2
    assert await pool.fetchval("SELECT count(*) FROM notice WHERE kind = 'changed'") == 2
    await refused(await recipient.post(recipient.ana, "address", NEAR | {"lat": 7.5}, **code), 422, "/lat", "/lon")
    await refused(await recipient.post(recipient.ana, "address", {"address": "x", "lat": 6.2}, **code), 422, "/lon")
    settings = {"redirect_within_m": 0}
    patched = await recipient.client.patch("/v1/account", json=settings, headers=recipient.account.headers)
    assert patched.status == 200
    assert (await recipient.say(recipient.ana, "address", NEAR, **code))["state"] == "proposed"


async def test_points_are_offered_nearest_first_and_one_is_chosen(
    recipient: Recipient, client: Any, account: Any, other_account: Any, refused: Any
) -> None:
    imported = await client.put("/v1/pickup-points", json={"points": [FAR_KIOSK, KIOSK]}, headers=account.headers)
    assert imported.status == 200
    foreign = await (await client.post("/v1/pickup-points", json=KIOSK, headers=other_account.headers)).json()
    offered = (await recipient.options(recipient.ana))["pickup-point"]["points"]
    assert [one["name"] for one in offered] == ["Kiosco", "Terminal"]
    assert offered[0]["opening_hours"] == KIOSK["opening_hours"]
    assert offered[0]["distance_m"] == pytest.approx(270, abs=20)
    code = await recipient.code(recipient.ana)
    for wrong in (foreign["id"], "pp_999", "x"):
        chosen = await recipient.post(recipient.ana, "pickup-point", {"pickup_point_id": wrong}, **code)
        await refused(chosen, 422, "/pickup_point_id")
    accepted = await recipient.say(recipient.ana, "pickup-point", {"pickup_point_id": offered[0]["id"]}, **code)
    assert accepted["state"] == "applied"
    first = (await recipient.route())["stops"][0]
    assert (first["lat"], first["address"]) == (KIOSK["lat"], "Kiosco, Cl. 52 # 44-10")
    (fact,) = await recipient.facts("stop.redirected")
    assert fact["data"]["pickup_point_id"] == offered[0]["id"]


async def test_points_are_imported_once_and_switched_off(
    recipient: Recipient, client: Any, account: Any, refused: Any
) -> None:
    for _ in range(2):
        await client.put("/v1/pickup-points", json={"points": [KIOSK, FAR_KIOSK]}, headers=account.headers)
    listed = await (await client.get("/v1/pickup-points", headers=account.headers)).json()
    assert [one["external_id"] for one in listed["points"]] == ["Kiosco", "Terminal"]
    path = f"/v1/pickup-points/{listed['points'][0]['id']}"
    assert (await client.patch(path, json={"enabled": False}, headers=account.headers)).status == 200
    assert [one["name"] for one in (await recipient.options(recipient.ana))["pickup-point"]["points"]] == ["Terminal"]
    twice = await client.put("/v1/pickup-points", json={"points": [KIOSK, KIOSK]}, headers=account.headers)
    await refused(twice, 422, "/points/1/external_id")
    bad = await client.post("/v1/pickup-points", json=KIOSK | {"external_id": "pp_1"}, headers=account.headers)
    await refused(bad, 422, "/external_id")
    await refused(await client.patch("/v1/pickup-points/pp_99", json={}, headers=account.headers), 404)


async def test_what_two_change_of_a_point_at_once_is_both_changed(client: Any, account: Any, pool: Pool) -> None:
    made = await (await client.post("/v1/pickup-points", json=KIOSK, headers=account.headers)).json()
    path, changes = f"/v1/pickup-points/{made['id']}", [{"name": "Kiosco nuevo"}, {"enabled": False}]
    async with pool.acquire() as db, db.transaction():
        await db.fetch("SELECT FROM pickup_point FOR UPDATE")
        asked = [asyncio.create_task(client.patch(path, json=one, headers=account.headers)) for one in changes]
        await asyncio.sleep(0.5)
    assert {(await one).status for one in asked} == {200}
    (now,) = (await (await client.get("/v1/pickup-points", headers=account.headers)).json())["points"]
    assert (now["name"], now["enabled"]) == ("Kiosco nuevo", False)
