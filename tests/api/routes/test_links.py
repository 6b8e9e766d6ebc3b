"""Tracking links: derived, hashed, rotated, revoked."""

import pytest

from api.http.auth import hash_of
from api.recipient import stream as tracking
from api.routes.links import token_of
from sql.account.accounts import read_instance
from tests.api.driver.driver_day import hours


def token(stop):
    return stop["tracking_url"].removeprefix("https://reparto.example/t/")


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, tracking.operations.add_to]


@pytest.fixture
async def stop(client, account, put_route):
    return (await put_route(client, account.key))["stops"][0]


async def test_only_the_hash_of_a_token_is_kept(stop, pool):
    assert len(token(stop)) == 24
    assert await pool.fetchval("SELECT link_hash FROM stop WHERE external_id = 'ped-1'") == hash_of(token(stop))


async def test_a_token_follows_from_secret_stop_and_generation(stop, pool):
    secret = (await read_instance(pool)).secret
    stop_id = int(stop["id"].removeprefix("st_"))
    assert token_of(secret, stop_id, 0) == token(stop)
    others = {token_of(secret, stop_id, 1), token_of(secret, stop_id + 1, 0), token_of(secret + b"x", stop_id, 0)}
    assert len(others | {token(stop)}) == 4
    assert token_of(secret, 11, 1) != token_of(secret, 1, 11)


async def test_a_rotated_link_is_another_one_and_stays_so(client, account, stop, put_route, pool):
    response = await client.post(f"/v1/stops/{stop['id']}/tracking-link/rotate", headers=account.headers)
    rotated = await response.json()
    assert rotated["stop_id"] == stop["id"]
    assert token(rotated) != token(stop)
    assert await pool.fetchval("SELECT link_hash FROM stop WHERE external_id = 'ped-1'") == hash_of(token(rotated))
    again = (await put_route(client, account.key))["stops"][0]
    assert again["tracking_url"] == rotated["tracking_url"]
    edited = (await put_route(client, account.key, timezone="America/Lima"))["stops"][0]
    assert edited["tracking_url"] == rotated["tracking_url"]


async def test_a_revoked_link_is_gone_until_it_is_rotated(client, account, stop, put_route, pool):
    path = f"/v1/stops/{stop['id']}/tracking-link"
    for _ in range(2):
        revoked = await (await client.post(f"{path}/revoke", headers=account.headers)).json()
        assert revoked == {"stop_id": stop["id"], "tracking_url": None}
    assert await pool.fetchval("SELECT link_revoked_at IS NOT NULL FROM stop WHERE external_id = 'ped-1'")
    edited = (await put_route(client, account.key, timezone="America/Lima"))["stops"]
    assert [one["tracking_url"] is None for one in edited] == [True, False, False, False]
    rotated = await (await client.post(f"{path}/rotate", headers=account.headers)).json()
    assert token(rotated) != token(stop)
    assert (await put_route(client, account.key, timezone="America/Lima"))["stops"][0] == {
        **stop,
        "tracking_url": rotated["tracking_url"],
    }


async def test_the_link_of_a_cancelled_route_stays_ended(client, account, stop, pool, refused):
    await pool.execute("UPDATE route SET status = 'started'")
    await client.delete("/v1/routes/tour-1", headers=account.headers)
    response = await client.post(f"/v1/stops/{stop['id']}/tracking-link/rotate", headers=account.headers)
    await refused(response, 409)


@pytest.mark.parametrize("what", ["rotate", "revoke"])
async def test_another_accounts_stop_is_not_there(client, account, other_account, stop, bearer, refused, what):
    for stop_id in (stop["id"], "st_999", "ped-1", "st_0"):
        response = await client.post(f"/v1/stops/{stop_id}/tracking-link/{what}", headers=other_account.headers)
        await refused(response, 404)
    viewer = bearer(account.viewer_key)
    await refused(await client.post(f"/v1/stops/{stop['id']}/tracking-link/{what}", headers=viewer), 403)


async def follow(client, stop):
    response = await client.get(f"/v1/track/{token(stop)}")
    return response.status, (await response.json()).get("stop", {}).get("name")


async def test_an_order_moved_to_another_van_keeps_its_link(client, account, stop, put_route, tour):
    """The link in the recipient's message leads to the van that comes, also when the order moves on or goes back."""
    tour |= hours()
    first, *others = tour["stops"]
    far = {**others[0], "external_id": "far"}
    await put_route(client, account.key, "tour-2", stops=[far, first])
    await put_route(client, account.key, stops=others)
    assert await follow(client, stop) == (200, first["name"])
    await put_route(client, account.key, "tour-3", stops=[far, first])
    await put_route(client, account.key, "tour-2", stops=[far])
    assert await follow(client, stop) == (200, first["name"])
    await put_route(client, account.key, stops=[first, *others])
    await put_route(client, account.key, "tour-3", stops=[far])
    assert await follow(client, stop) == (200, first["name"])


async def test_an_order_that_only_has_the_same_name_is_another_one(client, account, stop, put_route, tour):
    tour |= hours()
    first, *others = tour["stops"]
    stranger = {**first, "name": "Somebody else", "phone": None, "lat": first["lat"] + 0.002}
    await put_route(client, account.key, "tour-2", stops=[stranger])
    await put_route(client, account.key)
    assert (await follow(client, stop))[0] == 200
    await put_route(client, account.key, stops=others)
    assert (await follow(client, stop))[0] == 410
