"""A tour in another order: what it costs is told before, and only stops that the van has not come to move."""

import pytest

from api.dispatch import sequence


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, sequence.operations.add_to]


async def test_another_order_is_reckoned_then_counts_for_who_saw_the_tour_as_it_is(
    client, account, other_account, pool, put_route, refused
):
    later = {"start_at": "2099-03-02T08:00:00-05:00", "end_at": "2099-03-02T14:00:00-05:00", "date": "2099-03-02"}
    stops = [stop["id"] for stop in (await put_route(client, account.key, **later))["stops"]]
    path, headers = "/v1/routes/tour-1/sequence", account.headers
    other = [stops[3], stops[0], stops[2], stops[1]]
    response = await client.get(path, params={"stops": ",".join(other)}, headers=headers)
    cost = await response.json()
    assert response.headers["ETag"] == '"1"'
    assert cost["extra_s"] > 60  # there and back
    assert [stop["stop_id"] for stop in cost["stops"]] == other
    same = await (await client.get(path, headers=headers)).json()
    assert (same["extra_s"], [stop["stop_id"] for stop in same["stops"]]) == (0, stops)
    assert await pool.fetchval("SELECT version FROM route") == 1
    for wrong in (other[:3], [*other[:3], other[0]], [*other, "st_999"]):
        await refused(await client.put(path, json={"stops": wrong}, headers=headers), 422)
    stale = {**headers, "If-Match": '"7"'}
    await refused(await client.put(path, json={"stops": other}, headers=stale), 412)
    await refused(await client.put(path, json={"stops": other}, headers=other_account.headers), 404)
    response = await client.put(path, json={"stops": other}, headers={**headers, "If-Match": '"1"'})
    assert (response.status, response.headers["ETag"]) == (200, '"2"')
    route = await (await client.get("/v1/routes/tour-1", headers=headers)).json()
    assert [stop["id"] for stop in route["stops"]] == other
    arrivals = [stop["planned_arrival"] for stop in route["stops"]]
    assert arrivals == sorted(arrivals)
    assert arrivals[0] > "2099-03-02T13:00:00Z"
    assert route["stops"][1]["parcels"][0]["barcode"] == "MDE0001"


async def test_what_the_van_came_to_stays_before(client, account, pool, put_route, refused):
    stops = [stop["id"] for stop in (await put_route(client, account.key))["stops"]]
    await pool.execute("UPDATE stop SET arrived_at = now(), status = 'arrived' WHERE external_id = 'ped-2'")
    path, headers = "/v1/routes/tour-1/sequence", account.headers
    await refused(await client.put(path, json={"stops": stops[::-1]}, headers=headers), 422)
    ahead = [stops[3], stops[2], stops[0]]
    assert (await client.put(path, json={"stops": ahead}, headers=headers)).status == 200
    route = await (await client.get("/v1/routes/tour-1", headers=headers)).json()
    assert [stop["id"] for stop in route["stops"]] == [stops[1], *ahead]
    await pool.execute("UPDATE route SET status = 'finished'")
    await refused(await client.get(path, headers=headers), 409)
