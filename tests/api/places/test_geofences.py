"""Geofences: put, read, replaced, ended."""

import asyncio
import copy
from dataclasses import replace

import msgspec
import pytest

from sql.account.geofences import fence_rows_of_accounts
from sql.track.lanes import lock_lanes

CIRCLE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [-75.5678, 6.2480]},
    "properties": {"radius_m": 150, "name": "Parque Berrío", "dwell_s": 300, "stroke": "#ff0000"},
}
POLYGON = {
    "type": "Feature",
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[-75.57, 6.24], [-75.56, 6.24], [-75.56, 6.25], [-75.57, 6.25], [-75.57, 6.24]]],
    },
    "properties": {},
}
CORRIDOR = {
    "type": "Feature",
    "geometry": {"type": "LineString", "coordinates": [[-75.57, 6.24], [-75.56, 6.25], [-75.55, 6.25]]},
    "properties": {"buffer_m": 40},
}


@pytest.fixture
def put(client, account):
    async def do(feature, name="centro", **headers):
        return await client.put(f"/v1/geofences/{name}", json=feature, headers={**account.headers, **headers})

    return do


@pytest.mark.parametrize("feature", [CIRCLE, POLYGON, CORRIDOR])
async def test_a_geofence_is_put_and_read(client, account, put, feature):
    response = await put(feature)
    made = await response.json()
    assert (response.status, response.headers["ETag"]) == (201, '"1"')
    assert (made["type"], made["external_id"], made["version"]) == ("Feature", "centro", 1)
    assert (made["geometry"], made["properties"]) == (feature["geometry"], feature["properties"])
    for name in ("centro", made["id"]):
        read = await client.get(f"/v1/geofences/{name}", headers=account.headers)
        assert (await read.json(), read.headers["ETag"]) == (made, '"1"')


async def test_what_is_only_to_be_made_replaces_nothing(put):
    new = {"If-None-Match": "*"}
    assert (await put(CIRCLE, **new)).status == 201
    again = await put(POLYGON, **new)
    assert again.status == 412
    assert (await (await put(CIRCLE)).json())["version"] == 1


async def test_the_same_body_again_changes_nothing(account, put, pool):
    first = await (await put(CIRCLE)).json()
    version = await pool.fetchval("SELECT fences_version FROM account WHERE id = $1", account.id)
    again = await put(CIRCLE)
    assert (again.status, await again.json()) == (200, first)
    assert await pool.fetchval("SELECT fences_version FROM account WHERE id = $1", account.id) == version


async def test_a_new_version_ends_the_one_before(account, put, pool):
    made = await (await put(CIRCLE)).json()
    response = await put(POLYGON)
    assert (response.status, response.headers["ETag"]) == (200, '"2"')
    assert (await response.json())["id"] == made["id"]
    first, second = await fence_rows_of_accounts(pool, [account.id])
    assert first.ended_at == second.effective_at > first.effective_at
    assert (first.dwell_s, second.dwell_s, second.ended_at) == (300, None, None)
    assert second.feature["geometry"] == POLYGON["geometry"]
    assert await pool.fetchval("SELECT fences_version FROM account WHERE id = $1", account.id) == 2


async def test_a_deleted_geofence_has_ended_and_its_name_is_free(client, account, put, pool, refused):
    made = await (await put(CIRCLE)).json()
    assert (await client.delete("/v1/geofences/centro", headers=account.headers)).status == 204
    for name in ("centro", made["id"]):
        await refused(await client.get(f"/v1/geofences/{name}", headers=account.headers), 404)
        await refused(await client.delete(f"/v1/geofences/{name}", headers=account.headers), 404)
    (fence,) = await fence_rows_of_accounts(pool, [account.id])
    assert fence.ended_at is not None
    assert (await (await put(CIRCLE)).json())["id"] != made["id"]


async def test_drivers_folded_past_the_change_are_folded_again(
    account, other_account, client, put, make_driver, put_route, pool
):
    for owner in (account, other_account):
        await make_driver(client, owner.key, "ana")
        await put_route(client, owner.key, driver="ana")
    await pool.execute("UPDATE track SET folded_until = now() + interval '1 hour'")
    await put(CIRCLE)
    rows = await pool.fetch("SELECT rerun_from IS NOT NULL AS again FROM track ORDER BY account_id")
    assert [row["again"] for row in rows] == [True, False]


async def test_of_many_at_once_each_gives_one_version(put, pool):
    features = [copy.deepcopy(CIRCLE) for _ in range(5)]
    for radius_m, feature in enumerate(features, start=100):
        feature["properties"]["radius_m"] = radius_m
    answers = await asyncio.gather(*map(put, features))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 200, 201]
    rows = await pool.fetch("SELECT version, effective_at, ended_at FROM geofence_version ORDER BY version")
    assert [row["version"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["ended_at"] for row in rows] == [*(row["effective_at"] for row in rows[1:]), None]


class TestWhileALaneIsHeld:
    @pytest.fixture
    def database(self, database):
        return replace(database, lock_timeout_s=0.1)

    async def test_a_change_waits_for_the_lanes_of_the_account_s_drivers(
        self, client, account, put, pool, refused, make_driver
    ):
        await make_driver(client, account.key, "ana")
        lane = await pool.fetchval("SELECT lane FROM driver")
        async with pool.acquire() as tracker, tracker.transaction():
            await lock_lanes(tracker, [lane])
            await refused(await put(CIRCLE), 503)
        assert (await put(CIRCLE)).status == 201

    async def test_a_change_waits_for_nobody_else_s_lanes(self, client, account, put, pool, make_driver):
        await make_driver(client, account.key, "ana")
        lane = await pool.fetchval("SELECT lane FROM driver")
        async with pool.acquire() as tracker, tracker.transaction():
            await lock_lanes(tracker, {*range(64)} - {lane})
            assert (await put(CIRCLE)).status == 201
            settings = {"location_policy": "always"}
            assert (await client.patch("/v1/account", json=settings, headers=account.headers)).status == 200


class TestALoop:
    @pytest.fixture
    def api_config(self, api_config):
        return replace(api_config, account_writes_per_minute=3)

    async def test_one_account_s_loop_is_held_to_a_rate_and_another_account_is_not(
        self, client, account, other_account, put, refused
    ):
        for radius_m in (10, 20, 30):
            assert (await put({**CIRCLE, "properties": {"radius_m": radius_m}})).ok
        response = await put(POLYGON)
        assert int(response.headers["Retry-After"]) > 0
        await refused(response, 429)
        await refused(await client.delete("/v1/geofences/centro", headers=account.headers), 429)
        await refused(await client.patch("/v1/account", json={}, headers=account.headers), 429)
        theirs = await client.put("/v1/geofences/x", json=CIRCLE, headers=other_account.headers)
        assert theirs.status == 201


async def test_if_match_guards_an_edit(put, client, account, refused):
    await refused(await put(CIRCLE, **{"If-Match": '"1"'}), 412)
    await put(CIRCLE)
    assert (await put(POLYGON, **{"If-Match": '"1"'})).status == 200
    await refused(await put(CORRIDOR, **{"If-Match": '"1"'}), 412)
    headers = {**account.headers, "If-Match": '"1"'}
    await refused(await client.delete("/v1/geofences/centro", headers=headers), 412)


async def test_pages_are_feature_collections_that_show_each_once(client, account, put):
    names = [f"zona-{number}" for number in range(5)]
    for name in names:
        await put(POLYGON, name)
    seen, cursor = [], ""
    while cursor is not None:
        response = await client.get(f"/v1/geofences?limit=2&cursor={cursor}", headers=account.headers)
        page = await response.json()
        assert page["type"] == "FeatureCollection"
        seen += [feature["external_id"] for feature in page["features"]]
        cursor = page["next"]
    assert seen == names


async def test_another_accounts_geofence_is_not_there(client, account, other_account, put, bearer, refused):
    made = await (await put(CIRCLE)).json()
    theirs = other_account.headers
    for name in ("centro", made["id"], "gf_999", "a%00b", "%2F"):
        await refused(await client.get(f"/v1/geofences/{name}", headers=theirs), 404)
        await refused(await client.delete(f"/v1/geofences/{name}", headers=theirs), 404)
    await refused(await client.put(f"/v1/geofences/{made['id']}", json=CIRCLE, headers=theirs), 404)
    assert (await (await client.get("/v1/geofences", headers=theirs)).json())["features"] == []
    viewer = bearer(account.viewer_key)
    await refused(await client.put("/v1/geofences/centro", json=CIRCLE, headers=viewer), 403)
    await refused(await client.delete("/v1/geofences/centro", headers=viewer), 403)


def of(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(*coordinates):
    return {"type": "Point", "coordinates": [*coordinates]}


def polygon(*rings):
    return {"type": "Polygon", "coordinates": [*rings]}


BOW = [[-75.57, 6.24], [-75.56, 6.25], [-75.56, 6.24], [-75.57, 6.25], [-75.57, 6.24]]
BAD = [
    ({}, "/type"),
    ([], ""),
    ({"type": "Polygon", "coordinates": []}, "/type"),
    ({"type": "Feature"}, "/geometry"),
    ({"type": "Feature", "geometry": None}, "/geometry"),
    ({**CIRCLE, "properties": []}, "/properties"),
    (of({}), "/geometry"),
    (of({"type": "Circle", "coordinates": [1, 2]}, radius_m=5), "/geometry"),
    (of(point(-75.5, 6.2)), "/geometry"),
    (of(point(-75.5, 6.2), radius_m=0), "/geometry"),
    (of(point(-75.5, 6.2), radius_m=1e9), "/geometry"),
    (of(point(-75.5, 6.2), radius_m="wide"), "/geometry"),
    (of(point(-75.5, 6.2), radius_m=True), "/geometry"),
    (of(point(-75.5), radius_m=50), "/geometry"),
    (of(point("x", "y"), radius_m=50), "/geometry"),
    (of(point([1], [2]), radius_m=50), "/geometry"),
    (of({"type": "Point", "coordinates": None}, radius_m=50), "/geometry"),
    (of({"type": "Point", "coordinates": {"lat": 1}}, radius_m=50), "/geometry"),
    (of(point(-75.5, 91), radius_m=50), "/geometry"),
    (of(point(-181, 6.2), radius_m=50), "/geometry"),
    (of(polygon()), "/geometry"),
    (of(polygon([])), "/geometry"),
    (of(polygon(7)), "/geometry"),
    (of(polygon([7, 7, 7, 7])), "/geometry"),
    (of(polygon([[], [], [], []])), "/geometry"),
    (of(polygon(BOW)), "/geometry"),
    (of(polygon(BOW[:3])), "/geometry"),
    (of(polygon([[-75.57, 6.24]] * 4)), "/geometry"),
    (of(polygon([[-75, 6], [-60, 6], [-60, 20], [-75, 6]])), "/geometry"),
    (of({"type": "MultiPolygon", "coordinates": [[BOW]]}), "/geometry"),
    (of({"type": "MultiPolygon", "coordinates": [BOW]}), "/geometry"),
    (of({"type": "MultiPolygon", "coordinates": []}), "/geometry"),
    (of({"type": "LineString", "coordinates": [[-75.5, 6.2]]}, buffer_m=5), "/geometry"),
    (of({"type": "LineString", "coordinates": [[-75.5, 6.2], [-75.5, 6.2]]}, buffer_m=5), "/geometry"),
    (of({"type": "LineString", "coordinates": [[-75.5, 6.2], [-75.5, 6.3]]}), "/geometry"),
    (of({"type": "LineString", "coordinates": "abc"}, buffer_m=5), "/geometry"),
    (of(point(-75.5, 6.2), radius_m=50, dwell_s=-1), "/geometry"),
    (of(point(-75.5, 6.2), radius_m=50, dwell_s="long"), "/properties/dwell_s"),
    (of(point(-75.5, 6.2), radius_m=50, name=7), "/properties/name"),
    (of(point(-75.5, 6.2), radius_m=50, name="a\0b"), "/properties/name"),
    (of(point(-75.5, 6.2), radius_m=50, **{"a\0b": 1}), "/properties"),
    (of(point(-75.5, 6.2), radius_m=50, big=10**30), "/properties/big"),
]


async def test_what_can_be_no_geofence_is_refused_by_field(put, refused, pool):
    for feature, at in BAD:
        await refused(await put(feature), 422, at)
    assert await pool.fetchval("SELECT count(*) FROM geofence") == 0


async def test_numbers_that_json_cannot_say_are_refused_in_messagepack(client, account, refused):
    headers = {**account.headers, "Content-Type": "application/msgpack"}
    for value in (float("nan"), float("inf"), b"x", msgspec.msgpack.Ext(7, b"x")):
        body = msgspec.msgpack.encode(of(point(-75.5, 6.2), radius_m=50, extra=value))
        await refused(await client.put("/v1/geofences/x", data=body, headers=headers), 422, "/properties/extra")
