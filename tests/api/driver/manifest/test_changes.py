"""What a phone is told that knows an earlier version, and how versions are given."""

import asyncio
import copy
import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from api.driver.manifest import endpoints as manifest
from api.driver.manifest.version import TOLD_FOR_S
from api.http.config import ApiConfig
from api.http.ids import DRIVER, number_of
from sql.delivery.manifest import parts_of_manifest
from tests.api.driver.manifest.manifests import ManifestPhone, around_now

MAIN_ROAD = {"type": "LineString", "coordinates": [[-75.5691, 6.2441], [-75.5691, 6.4500]]}

TOUR_OF_200 = [
    {
        "external_id": f"ped-{n:04}",
        "kind": "delivery",
        "name": f"María de los Ángeles Restrepo {n}",
        "address": f"Carrera 46 # 52-{n}, apartamento 301, barrio La Candelaria",
        "lat": 6.2442 + 0.001 * n,
        "lon": -75.5690,
        "phone": "+57 300 111 2233",
        "email": f"maria.{n}@correo.example",
        "window": {"start": "2026-03-02T08:00:00-05:00", "end": "2026-03-02T10:00:00-05:00"},
        "planned_arrival": "2026-03-02T08:20:00-05:00",
        "instructions": "Tocar el timbre dos veces y esperar",
        "parcels": [{"barcode": f"MDE{n:07}", "description": "Caja pequeña", "quantity": 1}],
        "cash_on_delivery": {"amount": 85000, "currency": "COP"},
        "proof": ["photo", "signature"],
    }
    for n in range(200)
]


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, manifest.operations.add_to]


@pytest.fixture
def api_config() -> ApiConfig:
    return ApiConfig(public_url="https://reparto.example", max_stops=500)


@pytest.fixture
async def ana(client, account, make_driver, make_device) -> ManifestPhone:
    driver = await make_driver(client, account.key, "ana")
    device = await make_device(client, account.key, driver["id"])
    return ManifestPhone(client=client, token=device["token"], driver_id=number_of(DRIVER, driver["id"]) or 0)


@pytest.fixture
def put(client, account, put_route, tour):
    """`await put(stops)`: the dispatcher puts the tour that began an hour ago with these stops."""
    times = around_now()

    async def put_stops(stops=tour["stops"], route="tour-1", **changes):
        return await put_route(client, account.key, route, **{"driver": "ana", **times, "stops": stops, **changes})

    return put_stops


def ids_of(stops: list[Any]) -> list[str]:
    return [stop["external_id"] for stop in stops]


async def test_a_changed_stop(ana, put, tour):
    await put()
    before = await ana.poll()
    tour["stops"][1]["instructions"] = "Preguntar por Rosa"
    await put()
    told = await ana.poll()
    assert not told["full"]
    assert told["since"] == before["version"] < told["version"]
    assert [(stop["external_id"], stop["instructions"]) for stop in told["changed"]] == [
        ("ped-2", "Preguntar por Rosa")
    ]
    assert told["routes"] == told["added"] == told["removed"] == told["removed_routes"] == []
    await ana.check()


CHANGES: list[dict[str, Any]] = [
    {"name": "Otro"},
    {"address": "Cra. 1"},
    {"phone": "+571"},
    {"email": "a@b.example"},
    {"window": {"start": "2026-03-02T09:00:00Z", "end": "2026-03-02T10:00:00Z"}},
    {"planned_arrival": "2026-03-02T13:21:00Z"},
    {"service_s": 77},
    {"instructions": "Portón verde"},
    {"parcels": [{"barcode": "X", "quantity": 2}]},
    {"parcels": []},
    {"cash_on_delivery": {"amount": 0.5, "currency": "COP"}},
    {"proof": ["pin"]},
    {"kind": "pickup"},
    {"lat": 6.2481},
]


async def test_whatever_a_dispatcher_changes_of_a_stop_is_told(ana, put, tour):
    await put()
    await ana.poll()
    for change in CHANGES:
        tour["stops"][0].update(change)
        await put()
        assert ids_of((await ana.poll())["changed"]) == ["ped-1"], change
        await ana.check()


async def test_what_a_phone_is_not_shown_makes_no_version(client, account, ana, put, tour):
    first = await put()
    version = (await ana.poll())["version"]
    tour["stops"][0]["locale"] = "pt"
    await put()
    stop_id = first["stops"][0]["id"]
    await client.post(f"/v1/stops/{stop_id}/tracking-link/rotate", headers=account.headers)
    assert (await ana.poll())["version"] == version


async def test_one_more_stop_in_the_middle(ana, put, tour):
    await put()
    await ana.poll()
    new = {**tour["stops"][1], "external_id": "nuevo"}
    await put([*tour["stops"][:2], new, *tour["stops"][2:]])
    told = await ana.poll()
    assert (ids_of(told["added"]), told["changed"], told["removed"]) == (["nuevo"], [], [])
    assert ana.tour == ["ped-1", "ped-2", "nuevo", "rec-3", "ped-4"]
    await ana.check()


async def test_a_stop_that_was_taken_off_is_shown_as_removed_with_the_reason(ana, put, tour):
    kept = await put()
    await ana.poll()
    gone = kept["stops"][1]["id"]
    await put([tour["stops"][0], *tour["stops"][2:]])
    told = await ana.poll()
    assert (told["removed"], told["why"]) == ([gone], {gone: "taken_off"})
    assert told["added"] == told["changed"] == []
    [route] = (await ana.read())["routes"]
    last = route["stops"][-1]
    assert (last["id"], last["status"], last["why"], last["order"]) == (gone, "removed", "taken_off", None)
    await ana.check()
    await put()  # and it is back
    assert ids_of((await ana.poll())["changed"]) == ["ped-2"]
    assert ana.tour == ["ped-1", "ped-2", "rec-3", "ped-4"]
    await ana.check()


async def test_a_stop_that_was_taken_off_before_the_route_began_is_gone(ana, put, tour):
    kept = await put(**around_now(20))
    await ana.poll()
    gone = kept["stops"][1]["id"]
    await put([tour["stops"][0], *tour["stops"][2:]], **around_now(20))
    told = await ana.poll()
    assert gone in told["removed"]
    assert told["why"][gone] == "taken_off"
    [route] = (await ana.read())["routes"]
    assert ids_of(route["stops"]) == ["ped-1", "rec-3", "ped-4"]
    await ana.check()


async def test_another_order(ana, put, tour):
    await put()
    await ana.poll()
    await put([tour["stops"][3], *tour["stops"][:3]])
    told = await ana.poll()
    assert "ped-4" in ids_of(told["changed"])
    assert ana.tour == ["ped-4", "ped-1", "ped-2", "rec-3"]
    await ana.check()


async def test_what_happens_at_a_stop(ana, put, pool):
    kept = await put()
    await ana.poll()
    at = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    stop_id = int(kept["stops"][2]["id"].removeprefix("st_"))
    await pool.execute("UPDATE stop SET status = 'arrived', arrived_at = $2 WHERE id = $1", stop_id, at)
    [stop] = (await ana.poll())["changed"]
    assert (stop["external_id"], stop["status"], stop["arrived_at"]) == ("rec-3", "arrived", "2026-03-02T13:30:00Z")
    await ana.check()


async def test_another_path(ana, put, tour):
    await put()
    await ana.poll()
    line = tour["path"]["coordinates"]
    await put(path={"type": "LineString", "coordinates": [*line, [-75.5700, 6.2520]]})
    since = ana.version
    assert "path" not in next(iter((await ana.read(f"?since={since}&path=none"))["routes"]), {})
    [route] = (await ana.poll())["routes"]
    assert route["path"]["polyline"] == ana.routes[route["id"]]["path"]["polyline"]
    await ana.check()


async def test_a_route_that_is_given_to_another_driver_disappears(client, account, ana, put, make_driver):
    kept = await put()
    await ana.poll()
    await make_driver(client, account.key, "luz")
    await client.post("/v1/routes/tour-1/assign", json={"driver": "luz"}, headers=account.headers)
    told = await ana.poll()
    assert (told["removed_routes"], told["why"]) == ([kept["id"]], {kept["id"]: "reassigned"})
    assert set(told["removed"]) == {stop["id"] for stop in kept["stops"]}
    assert (await ana.read())["routes"] == []
    await client.post("/v1/routes/tour-1/assign", json={"driver": "ana"}, headers=account.headers)
    told = await ana.poll()
    assert ids_of(told["added"]) == ["ped-1", "ped-2", "rec-3", "ped-4"]
    assert [route["external_id"] for route in told["routes"]] == ["tour-1"]
    assert "path" in told["routes"][0]
    await ana.check()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE route SET status = 'finished'", "finished"),
        ("UPDATE route SET status = 'cancelled'", "cancelled"),
        ("UPDATE route SET deleted_at = now(), driver_id = NULL", "cancelled"),
        ("UPDATE route SET start_at = now() - interval '9 h', end_at = now() - interval '5 h'", "not_now"),
    ],
)
async def test_why_a_route_is_gone(ana, put, pool, change, why):
    kept = await put()
    await ana.poll()
    await pool.execute(change)
    assert (await ana.poll())["why"] == {kept["id"]: why}
    assert ana.stops == {}


@pytest.mark.parametrize("path", [MAIN_ROAD, None], ids=["given", "made"])
@pytest.mark.parametrize("what", ["change", "add", "take off", "move", "arrive"])
async def test_one_stop_of_two_hundred_is_told_in_less_than_a_kilobyte(ana, put, pool, what, path):
    stops = copy.deepcopy(TOUR_OF_200)
    kept = await put(stops, path=path)
    await ana.poll()
    if what == "change":
        stops[100]["instructions"] = "Dejar con el portero de la torre dos"
    elif what == "add":
        stops.insert(100, {**stops[100], "external_id": "nuevo"})
    elif what == "take off":
        del stops[100]
    elif what == "move":
        stops.insert(20, stops.pop(180))
    if what == "arrive":
        stop_id = int(kept["stops"][100]["id"].removeprefix("st_"))
        await pool.execute("UPDATE stop SET status = 'arrived', arrived_at = now() WHERE id = $1", stop_id)
    else:
        await put(stops, path=path)
    response = await ana.get(f"/v1/driver/manifest?since={ana.version}")
    told = await response.json()
    assert len(told["changed"]) + len(told["added"]) + len(told["removed"]) == 1
    if told["routes"]:  # another path was made through the stops, and has to be told as well
        assert (path, what in ("add", "take off", "move")) == (None, True)
        assert len(json.dumps({**told, "routes": [], "along_m": {}})) < 1_000
    elif what != "move":  # along the same road a stop that is out of order pushes the others
        assert len(await response.read()) < 1_000
    await ana.poll()
    assert ana.tour == [stop["external_id"] for stop in stops]
    await ana.check()


async def test_a_version_that_nobody_knows_any_more_gets_everything(ana, put, pool):
    await put()
    version = (await ana.poll())["version"]
    for unknown in (version - 1, version + 1, 0, -1, 10**17):
        told = await ana.read(f"?since={unknown}")
        assert (told["full"], told["version"]) == (True, version)
        assert "since" not in told
    longer = TOLD_FOR_S + 100
    await pool.execute("UPDATE manifest SET version = version - $1, oldest = oldest - $1", longer)
    await pool.execute("UPDATE manifest_part SET added_in = 1, changed_in = 1")
    await pool.execute("UPDATE stop SET status = 'arrived' WHERE external_id = 'ped-1'")
    told = await ana.read(f"?since={version - longer}")
    assert told["full"]
    assert told["version"] >= version


async def test_what_was_removed_long_ago_is_forgotten(ana, put, pool, tour):
    await put()
    await ana.poll()
    await pool.execute("UPDATE route SET driver_id = NULL")
    await ana.poll()
    assert len(await parts_of_manifest(pool, ana.driver_id)) == 6
    await pool.execute("UPDATE manifest_part SET removed_in = removed_in - $1", TOLD_FOR_S + 100)
    await put(route="tour-2")
    await ana.poll()
    assert {part.removed_in for part in await parts_of_manifest(pool, ana.driver_id)} == {None}


async def test_polls_at_once_make_one_version(ana, put, pool):
    await put()
    first = [await response.json() for response in await asyncio.gather(*(ana.get() for _ in range(12)))]
    assert len({told["version"] for told in first}) == 1
    assert all(told == first[0] for told in first)
    await pool.execute("UPDATE stop SET instructions = 'otra cosa' WHERE external_id = 'ped-1'")
    again = await asyncio.gather(*(ana.read(f"?since={first[0]['version']}") for _ in range(12)))
    assert len({told["version"] for told in again}) == 1
    assert all(ids_of(told["changed"]) == ["ped-1"] for told in again)


async def test_who_can_never_read_it_in_peace_is_asked_to_come_back(ana, put, pool, refused):
    await put()
    await pool.execute(
        """CREATE FUNCTION taken() RETURNS trigger LANGUAGE plpgsql AS
           $$BEGIN RAISE EXCEPTION 'somebody was faster' USING ERRCODE = '40001'; END$$;
           CREATE TRIGGER taken BEFORE INSERT ON manifest FOR EACH ROW EXECUTE FUNCTION taken()"""
    )
    response = await ana.get()
    await refused(response, 503)
    assert int(response.headers["Retry-After"]) > 0
    await pool.execute("DROP TRIGGER taken ON manifest")
    assert len((await ana.read())["routes"]) == 1


async def test_a_version_is_never_given_for_two_contents(client, account, ana, put, tour, pool):
    """Phones poll while dispatchers and trackers write, also there and back again."""
    await put()
    contents: dict[int, Any] = {}
    polls = 0
    writing = True

    async def poll() -> None:
        nonlocal polls
        newest = 0
        while writing or polls < 50:
            told = await ana.read("?path=none")
            assert told["version"] >= newest
            newest = told["version"]
            assert contents.setdefault(newest, told) == told
            since = await ana.read(f"?since={newest}")
            assert since["version"] >= newest
            polls += 1

    async def write(seed: int) -> None:
        nonlocal writing
        chance = random.Random(seed)
        stops = copy.deepcopy(tour["stops"])
        for _ in range(15):
            if chance.random() < 0.5:
                shown = chance.sample(stops, chance.randint(1, 4))
                await put([{**stop, "instructions": chance.choice(["a", "b"])} for stop in shown])
            else:
                status = chance.choice(["pending", "arrived"])
                await pool.execute("UPDATE stop SET status = $1 WHERE status <> 'removed'", status)
        writing = False

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(poll())
        tasks.create_task(write(7))
    assert len(contents) > 3
    await ana.poll()
    await ana.check()


async def test_deltas_lead_where_a_full_answer_leads(client, account, ana, put, tour, pool, make_driver):
    """A day of a dispatcher who changes their mind, seen by a phone that asks now and then."""
    await make_driver(client, account.key, "luz")
    chance = random.Random(11)
    stops = copy.deepcopy(tour["stops"])
    for n in range(40):
        what = chance.randrange(5)
        if what == 0 and len(stops) > 1:
            stops.pop(chance.randrange(len(stops)))
        elif what == 1 and len(stops) < 12:
            stops.insert(chance.randint(0, len(stops)), {**tour["stops"][n % 4], "external_id": f"n-{n}"})
        elif what == 2:
            chance.shuffle(stops)
        elif what == 3:
            chance.choice(stops)["instructions"] = str(n)
        else:
            driver = chance.choice(["ana", "luz"])
            await client.post("/v1/routes/tour-1/assign", json={"driver": driver}, headers=account.headers)
        await put(stops, route=chance.choice(["tour-1", "tour-2"]), path=None)
        if chance.random() < 0.4:
            told = await ana.poll()
            assert told["full"] is (told.get("since") is None)
            await ana.check()
    await ana.poll()
    await ana.check()
