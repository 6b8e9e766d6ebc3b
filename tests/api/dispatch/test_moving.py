"""Stops go from one tour to another: what it costs both is told before, and parcels are fetched where they are."""

import copy

import pytest

from api.dispatch import moving

DAY = {"date": "2099-03-02", "start_at": "2099-03-02T08:00:00-05:00", "end_at": "2099-03-02T14:00:00-05:00"}


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, moving.operations.add_to]


@pytest.fixture
async def two(client, account, make_driver, put_route, tour):
    """Two tours that are planned; the second has one stop. Gives the ids of the first one's stops."""
    for name in ("ana", "luis"):
        await make_driver(client, account.key, name)
    other = {**copy.deepcopy(tour["stops"][0]), "external_id": "ped-9", "lat": 6.2520, "lon": -75.5700}
    first = await put_route(client, account.key, **DAY, driver="ana")
    await put_route(client, account.key, "tour-2", **DAY, driver="luis", path=None, stops=[other])
    return [stop["id"] for stop in first["stops"]]


async def test_stops_move_for_who_saw_both_tours_as_they_are(client, account, other_account, two, pool, refused):
    path, headers = "/v1/routes/tour-1/moves", account.headers
    links = dict(await pool.fetch("SELECT external_id, link_hash FROM stop"))
    asked = {"stops": f"{two[1]},{two[2]}", "to": "tour-2"}
    response = await client.get(path, params=asked, headers=headers)
    cost = await response.json()
    assert (response.status, response.headers["ETag"]) == (200, '"1"')
    assert cost["leaves"]["extra_s"] < 0 < cost["comes_to"]["extra_s"]
    assert [(one["external_id"], one["held_by"]) for one in cost["stops"]] == [("ped-2", None), ("rec-3", None)]
    assert cost["fetches"] == []  # both load at their depot before they leave
    assert await pool.fetchval("SELECT max(version) FROM route") == 1
    body = {"stops": two[1:3], "to": "tour-2", "to_version": 1}
    for wrong in ({"to": "tour-1"}, {"stops": ["st_999"]}, {"stops": [two[1], two[1]]}, {"stops": []}):
        await refused(await client.post(path, json={**body, **wrong}, headers=headers), 422)
    await refused(await client.post(path, json={**body, "to": "tour-3"}, headers=headers), 404)
    await refused(await client.post(path, json=body, headers=other_account.headers), 404)
    await refused(await client.post(path, json=body, headers={**headers, "If-Match": '"7"'}), 412)
    await refused(await client.post(path, json={**body, "to_version": 7}, headers=headers), 412)
    assert await pool.fetchval("SELECT max(version) FROM route") == 1
    response = await client.post(path, json=body, headers={**headers, "If-Match": '"1"'})
    moved = await response.json()
    assert (response.status, moved["leaves"]["version"], moved["comes_to"]["version"]) == (200, 2, 2)
    there = {one: await (await client.get(f"/v1/routes/{one}", headers=headers)).json() for one in ("tour-1", "tour-2")}
    assert [stop["external_id"] for stop in there["tour-1"]["stops"] if not stop["removed"]] == ["ped-1", "ped-4"]
    assert {stop["external_id"] for stop in there["tour-2"]["stops"]} == {"ped-9", "ped-2", "rec-3"}
    moved_to = dict(
        await pool.fetch(
            "SELECT stop.external_id, moved_link.link_hash FROM moved_link JOIN stop ON stop.id = moved_link.stop_id"
        )
    )
    assert moved_to == {name: links[name] for name in ("ped-2", "rec-3")}  # the recipients' old links lead on
    entry = await pool.fetchrow("SELECT operation, before FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert (entry["operation"], entry["before"]["to_version"]) == ("POST /v1/routes/{route}/moves", 1)


async def test_a_van_fetches_what_another_one_has_aboard_and_gives_it_back(client, account, two, pool):
    await pool.execute("UPDATE route SET status = 'started', started_at = now() WHERE external_id = 'tour-1'")
    headers = account.headers
    move = {"stops": two[:2], "to": "tour-2"}
    moved = await (await client.post("/v1/routes/tour-1/moves", json=move, headers=headers)).json()
    assert [one["held_by"] for one in moved["stops"]] == ["Ana · tour-1"] * 2
    assert [one["stops"] for one in moved["fetches"]] == [two[:2]]

    async def ahead():
        found = await (await client.get("/v1/routes/tour-2", headers=headers)).json()
        return [stop for stop in found["stops"] if not stop["removed"]]

    stops = await ahead()
    fetch = next(stop for stop in stops if stop["kind"] == "depot")
    assert (fetch["name"], [one["description"] for one in fetch["parcels"]]) == ("Ana · tour-1", ["ped-1", "ped-2"])
    places = {stop["external_id"]: n for n, stop in enumerate(stops)}
    assert places[fetch["external_id"]] < min(places["ped-1"], places["ped-2"])
    one = next(stop["id"] for stop in stops if stop["external_id"] == "ped-1")
    more = {"stops": [two[3]], "to": "tour-2"}
    assert (await client.post("/v1/routes/tour-1/moves", json=more, headers=headers)).status == 200
    back = {"stops": [one], "to": "tour-1"}
    assert (await (await client.post("/v1/routes/tour-2/moves", json=back, headers=headers)).json())["fetches"] == []
    loads = [stop for stop in await ahead() if stop["kind"] == "depot"]
    assert [one["description"] for stop in loads for one in stop["parcels"]] == ["ped-2", "ped-4"]
    first = await (await client.get("/v1/routes/tour-1", headers=headers)).json()
    assert {stop["external_id"] for stop in first["stops"] if not stop["removed"]} == {"ped-1", "rec-3"}


async def test_a_tour_that_keeps_nothing_is_taken_away(client, account, two, pool, refused):
    move = {"stops": two, "to": "tour-2"}
    assert (await client.post("/v1/routes/tour-1/moves", json=move, headers=account.headers)).status == 200
    await refused(await client.get("/v1/routes/tour-1", headers=account.headers), 404)
    assert await pool.fetchval("SELECT count(*) FROM moved_link") == 4
    await pool.execute("UPDATE route SET status = 'finished'")
    await refused(await client.post("/v1/routes/tour-2/moves", json=move, headers=account.headers), 409)
