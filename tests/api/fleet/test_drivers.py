"""Drivers: made, read, changed, taken out."""

import asyncio

import pytest


async def test_a_driver_is_read_by_either_id(client, account, make_driver):
    made = await make_driver(client, account.key, "ana", phone="+57 300 111 2233", locale="es-CO")
    for name in ("ana", made["id"]):
        read = await client.get(f"/v1/drivers/{name}", headers=account.headers)
        assert await read.json() == made
    assert made["id"].startswith("dr_")


async def test_the_lane_is_the_id_modulo_the_lanes_of_the_database(client, account, make_driver, pool):
    for name in ("ana", "beto", "caro"):
        await make_driver(client, account.key, name)
    rows = await pool.fetch("SELECT driver.lane, driver.id % instance.lanes AS expected FROM driver, instance")
    assert all(row["lane"] == row["expected"] for row in rows)


async def test_an_external_id_is_taken_once(client, account, other_account, make_driver, refused):
    await make_driver(client, account.key, "ana")
    again = {"external_id": "ana", "name": "Ana María"}
    await refused(await client.post("/v1/drivers", json=again, headers=account.headers), 409)
    await make_driver(client, other_account.key, "ana")  # theirs is another one


async def test_of_many_at_once_one_makes_the_driver(client, account):
    body = {"external_id": "ana", "name": "Ana"}
    answers = await asyncio.gather(*(client.post("/v1/drivers", json=body, headers=account.headers) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409, 409]


async def test_pages_show_everybody_once_in_order(client, account, make_driver):
    names = [f"d{number}" for number in range(7)]
    for name in names:
        await make_driver(client, account.key, name)
    seen, cursor = [], ""
    while cursor is not None:
        page = await (await client.get(f"/v1/drivers?limit=3&cursor={cursor}", headers=account.headers)).json()
        seen += [driver["external_id"] for driver in page["drivers"]]
        cursor = page["next"]
    assert seen == names


BAD_PAGES = [
    ("cursor=nonsense!", "cursor"),
    ("cursor=kQ", "cursor"),
    ("cursor=gqFh", "cursor"),
    ("cursor=%C3%A9", "cursor"),
    ("cursor=kf8", "cursor"),
    ("limit=0", "limit"),
    ("limit=1001", "limit"),
    ("limit=-1", "limit"),
    ("limit=ten", "limit"),
    ("limit=%D9%A3", "limit"),
]


async def test_a_bad_page_is_named(client, account, refused):
    for query, at in BAD_PAGES:
        await refused(await client.get(f"/v1/drivers?{query}", headers=account.headers), 422, at)


async def test_a_change_leaves_out_what_stays(client, account, make_driver):
    made = await make_driver(client, account.key, "ana", phone="300", locale="es")
    await client.patch("/v1/drivers/ana", json={"name": "Ana María"}, headers=account.headers)
    changed = await client.patch("/v1/drivers/ana", json={"phone": None}, headers=account.headers)
    assert await changed.json() == {**made, "name": "Ana María", "phone": None}


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
async def test_another_accounts_driver_is_not_there(client, account, other_account, make_driver, refused, method):
    made = await make_driver(client, account.key, "ana")
    for name in ("ana", made["id"], "dr_999", "dr_0", "a%00b", "%2F", "%20"):
        body = {"json": {}} if method == "patch" else {}
        await refused(await getattr(client, method)(f"/v1/drivers/{name}", headers=other_account.headers, **body), 404)


async def test_a_deleted_driver_is_shut_out_and_loses_the_routes_to_drive(
    client, account, make_driver, make_device, put_route, pool, refused
):
    ana = await make_driver(client, account.key, "ana")
    await make_device(client, account.key, ana["id"])
    planned = await put_route(client, account.key, "planned", driver="ana")
    finished = await put_route(client, account.key, "finished", driver="ana")
    await pool.execute("UPDATE route SET status = 'finished' WHERE external_id = 'finished'")

    assert (await client.delete("/v1/drivers/ana", headers=account.headers)).status == 204

    await refused(await client.get("/v1/drivers/ana", headers=account.headers), 404)
    assert await pool.fetchval("SELECT count(*) FROM device WHERE revoked_at IS NULL") == 0
    for route, driver, version in ((planned, None, 2), (finished, "ana", 1)):
        shown = await (await client.get(f"/v1/routes/{route['id']}", headers=account.headers)).json()
        assert (shown["driver"], shown["version"]) == (driver, version)
    reborn = await make_driver(client, account.key, "ana")
    assert reborn["id"] != ana["id"]


BAD_BODIES = [
    ({"name": "Ana"}, "/external_id"),
    ({"external_id": "ana"}, "/name"),
    ({"external_id": "ana", "name": ""}, "/name"),
    ({"external_id": "ana", "name": "A" * 201}, "/name"),
    ({"external_id": "", "name": "Ana"}, "/external_id"),
    ({"external_id": "dr_7", "name": "Ana"}, "/external_id"),
    ({"external_id": "a/b", "name": "Ana"}, "/external_id"),
    ({"external_id": " ana", "name": "Ana"}, "/external_id"),
    ({"external_id": "a\0", "name": "Ana"}, "/external_id"),
    ({"external_id": 7, "name": "Ana"}, "/external_id"),
    ({"external_id": 10**30, "name": "Ana"}, "/external_id"),
    ({"external_id": "ana", "name": "Ana", "locale": "español"}, "/locale"),
    ({"external_id": "ana", "name": "Ana", "phone": "1" * 41}, "/phone"),
    ({"external_id": "ana", "name": "Ana", "fone": "300"}, "/fone"),
]


async def test_a_bad_driver_is_refused_by_field(client, account, refused):
    for body, at in BAD_BODIES:
        await refused(await client.post("/v1/drivers", json=body, headers=account.headers), 422, at)


async def test_every_mistake_is_named_at_once(client, account, refused):
    body = {"name": 7, "locale": 8, "shoe": 42}
    response = await client.post("/v1/drivers", json=body, headers=account.headers)
    await refused(response, 422, "/external_id", "/name", "/locale", "/shoe")
