"""API keys: made, used, listed, ended; what each role may do."""

from datetime import UTC, datetime, timedelta

import pytest

from api.http.auth import hash_of


async def test_a_new_key_works_and_its_secret_is_shown_once(client, account, bearer, pool):
    made = await (await client.post("/v1/keys", json={"role": "viewer", "label": "tv"}, headers=account.headers)).json()
    assert made["key"].startswith("rpk_")
    assert made["role"] == "viewer"

    assert (await client.get("/v1/drivers", headers=bearer(made["key"]))).status == 200
    listed = await (await client.get("/v1/keys", headers=account.headers)).json()
    assert made["id"] in {key["id"] for key in listed["keys"]}
    assert not any("key" in key for key in listed["keys"])
    kept = await pool.fetchval("SELECT secret_hash FROM api_key WHERE label = 'tv'")
    assert kept == hash_of(made["key"])


async def test_an_ended_key_stops_working_at_once(client, account, bearer, refused):
    made = await (await client.post("/v1/keys", json={"role": "viewer"}, headers=account.headers)).json()
    assert (await client.delete(f"/v1/keys/{made['id']}", headers=account.headers)).status == 204
    await refused(await client.get("/v1/drivers", headers=bearer(made["key"])), 401)
    await refused(await client.delete(f"/v1/keys/{made['id']}", headers=account.headers), 404)


async def test_another_accounts_key_is_not_there(client, account, other_account, refused):
    made = await (await client.post("/v1/keys", json={"role": "viewer"}, headers=account.headers)).json()
    await refused(await client.delete(f"/v1/keys/{made['id']}", headers=other_account.headers), 404)


@pytest.mark.parametrize("key_id", ["ky_0", "ky_", "7", "dr_1", "ky_99999999999999999999", "ky_٣"])
async def test_what_is_no_key_id_is_not_found(client, account, refused, key_id):
    await refused(await client.delete(f"/v1/keys/{key_id}", headers=account.headers), 404)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic Zm9v"}, {"Authorization": "Bearer"}, {"Authorization": "Bearer rpk_nobody"}],
)
async def test_without_a_known_key_nothing_is_answered(client, refused, headers):
    response = await client.get("/v1/drivers", headers=headers)
    await refused(response, 401)
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_each_role_may_do_what_the_ones_below_may(client, account, bearer, refused):
    driver = {"external_id": "ana", "name": "Ana"}
    await refused(await client.post("/v1/drivers", json=driver, headers=bearer(account.viewer_key)), 403)
    assert (await client.post("/v1/drivers", json=driver, headers=bearer(account.dispatcher_key))).status == 201
    for key in (account.viewer_key, account.dispatcher_key):
        await refused(await client.get("/v1/keys", headers=bearer(key)), 403)
        await refused(await client.post("/v1/keys", json={"role": "admin"}, headers=bearer(key)), 403)


BAD_BODIES = [
    ({}, "/role"),
    ({"role": "king"}, "/role"),
    ({"role": "admin", "label": ""}, "/label"),
    ({"role": "admin", "label": "a\0b"}, "/label"),
    ({"role": "admin", "rule": 1}, "/rule"),
    ([], ""),
    (7, ""),
]


async def test_a_bad_body_names_the_field(client, account, refused):
    for body, at in BAD_BODIES:
        await refused(await client.post("/v1/keys", json=body, headers=account.headers), 422, at)


async def test_a_key_works_until_its_end_and_is_listed_by_it(client, account, bearer, pool, refused):
    soon = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
    body = {"role": "viewer", "expires_at": soon.isoformat()}
    made = await (await client.post("/v1/keys", json=body, headers=account.headers)).json()
    assert datetime.fromisoformat(made["expires_at"]) == soon
    assert (await client.get("/v1/drivers", headers=bearer(made["key"]))).status == 200

    async def listed(**query: str) -> set[str]:
        answer = await (await client.get("/v1/keys", params=query, headers=account.headers)).json()
        return {key["id"] for key in answer["keys"]}

    assert await listed(expires_before=(soon + timedelta(days=1)).isoformat()) == {made["id"]}
    assert await listed(expires_before=soon.isoformat()) == set()
    await pool.execute("UPDATE api_key SET expires_at = now() - interval '1 s' WHERE expires_at IS NOT NULL")
    await refused(await client.get("/v1/drivers", headers=bearer(made["key"])), 401)
    assert made["id"] in await listed()


async def test_the_use_of_a_key_is_noted_once_an_hour(client, account, bearer, pool):
    made = await (await client.post("/v1/keys", json={"role": "viewer"}, headers=account.headers)).json()

    async def used(age: timedelta) -> datetime:
        then = datetime.now(UTC) - age
        await pool.execute("UPDATE api_key SET last_used_at = $2 WHERE id = $1", int(made["id"][3:]), then)
        assert (await client.get("/v1/drivers", headers=bearer(made["key"]))).status == 200
        return await pool.fetchval("SELECT last_used_at FROM api_key WHERE id = $1", int(made["id"][3:])) - then

    assert made["last_used_at"] is None
    assert await used(timedelta(minutes=59)) == timedelta(0)
    assert await used(timedelta(minutes=61)) > timedelta(minutes=60)
    for since, is_unused in ((timedelta(hours=1), False), (timedelta(0), True)):
        query = {"unused_since": (datetime.now(UTC) - since).isoformat()}
        answer = await (await client.get("/v1/keys", params=query, headers=account.headers)).json()
        assert (made["id"] in {key["id"] for key in answer["keys"]}) is is_unused


@pytest.mark.parametrize(
    "text", ["2020-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "2030-01-01T00:00:00", "soon", 7]
)
async def test_an_end_that_cannot_be_meant_is_refused(client, account, refused, text):
    body = {"role": "viewer", "expires_at": text}
    await refused(await client.post("/v1/keys", json=body, headers=account.headers), 422, "/expires_at")
