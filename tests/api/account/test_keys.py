"""API keys: made, used, listed, ended; what each role may do."""

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
