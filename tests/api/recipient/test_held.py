"""Answers from memory are those of the database: after every kind of write, told of or not, and within a second."""

import asyncio
import copy
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api.driver.manifest import endpoints as manifest
from api.driver.manifest.held import HeldManifests
from api.fleet import positions
from api.fleet.held_positions import HeldPositions
from api.http.auth import hash_of
from api.recipient import held as held_module
from api.recipient import stream as tracking
from api.recipient.held import HeldRoutes
from api.recipient.looks import look_at, seen_in
from api.recipient.view import TrackingView
from api.stream import look as look_module
from api.stream.hub import HUB, Hub
from sql.delivery.tracking import find_tracked_routes
from sql.pool import Pool
from sql.track.live import live_of_account
from tests.api.conftest import say_events
from tests.api.driver.driver_day import Phone, bearer, event, number
from tests.api.tour_rows import PATH_ALONG_M, Tour, e6, place_at


@pytest.fixture
def remembers() -> bool:
    return True


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, say_events, tracking.operations.add_to, manifest.operations.add_to, positions.operations.add_to]


SAID = (
    *("arrived", "departed", "completed", "completed", "failed", "skipped", "route_started"),
    *("break_started", "break_ended", "shift_started", "shift_ended"),
)


@dataclass(kw_only=True)
class World:
    """A tour of today, two drivers for it, and everybody who may write something of it."""

    client: Any
    account: Any
    pool: Pool
    phone: Phone
    body: dict[str, Any]
    chance: random.Random
    routes: int = 1
    tokens: set[str] = field(default_factory=set)

    @property
    def hub(self) -> Hub:
        return self.client.app[HUB]  # type: ignore[no-any-return]

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.client.request(method, path, json=body, headers=self.account.headers)
        assert response.status < 500, await response.text()
        return response

    async def put(self) -> None:
        """Plan the tour otherwise: other stops, another order, another driver, other words."""
        body = copy.deepcopy(self.body)
        body["stops"] = self.chance.sample(body["stops"], self.chance.randint(2, len(body["stops"])))
        body["stops"][0] |= {"name": f"Nombre {self.chance.random()}", "proof": self.chance.choice([[], ["pin"]])}
        body["driver"] = self.chance.choice(["ana", "ana", "luis", None])
        response = await self.ask("PUT", f"/v1/routes/tour-{self.routes}", body)
        if response.status in (200, 201):
            self.note_links(await response.json())
        elif response.status == 409:
            self.routes += 1  # the tour was cancelled: another one

    def note_links(self, put: Any) -> None:
        urls = [stop["tracking_url"] for stop in put["stops"]]
        self.tokens |= {url.rpartition("/")[2] for url in urls if url}

    async def stop(self) -> str:
        ids = [row["id"] for row in await self.pool.fetch("SELECT id FROM stop ORDER BY id")]
        return f"st_{self.chance.choice(ids)}"

    async def say(self) -> None:
        kind = self.chance.choice(SAID)
        about = await self.stop() if kind in ("arrived", "departed", "completed", "failed", "skipped") else None
        data = {"reason": "absent"} if kind in ("failed", "skipped") else {}
        if kind == "completed":
            data = {"recipient": {"name": self.chance.choice(["Luz Marina Peña", "Portería"])}}
        await self.phone.post({"events": [event(kind, self.chance.uniform(1, 359), about, **data)]})

    async def reopen(self) -> None:
        await self.ask("POST", f"/v1/stops/{await self.stop()}/reopen")

    async def rotate(self) -> None:
        response = await self.ask("POST", f"/v1/stops/{await self.stop()}/tracking-link/rotate")
        if response.status == 200:
            self.tokens.add((await response.json())["tracking_url"].rpartition("/")[2])

    async def revoke(self) -> None:
        await self.ask("POST", f"/v1/stops/{await self.stop()}/tracking-link/revoke")

    async def change_settings(self) -> None:
        rule = {"max_stops_before": self.chance.randint(0, 3), "max_minutes": self.chance.randint(1, 120)}
        contact = self.chance.choice(["always", "on_route", "never"])
        await self.ask("PATCH", "/v1/account", {"visibility": rule, "driver_contact": contact})

    async def rotate_pin(self) -> None:
        await self.ask("POST", f"/v1/stops/{await self.stop()}/pin/rotate")

    async def rename_driver(self) -> None:
        name = self.chance.choice(["Ana María", "Anabel"])
        await self.ask("PATCH", f"/v1/drivers/{self.phone.driver}", {"name": name})

    async def take_away(self) -> None:
        if self.chance.random() < 0.3:
            await self.ask("DELETE", f"/v1/routes/tour-{self.routes}")

    async def begin(self) -> None:
        """What a tracker writes when the van leaves."""
        await self.pool.execute("UPDATE route SET status = 'started', started_at = now() WHERE status = 'planned'")

    async def move(self) -> None:
        """What a tracker writes of a ping: place, ETA, and at times a visit; told of or not."""
        route = await self.pool.fetchrow(
            "SELECT route.id, route.account_id, version, driver_id, lane"
            " FROM route JOIN driver ON driver.id = driver_id"
            " WHERE route.deleted_at IS NULL ORDER BY route.id DESC LIMIT 1"
        )
        if route is None:
            return
        stop_ids = [row["id"] for row in await self.pool.fetch("SELECT id FROM stop WHERE route_id = $1", route["id"])]
        tour = Tour(
            pool=self.pool, account_id=route["account_id"], driver_id=route["driver_id"], lane=route["lane"],
            device_id=1, route_id=route["id"], stop_ids=stop_ids, tokens=[], stop_along_m=[0.0] * len(stop_ids),
            start_at=datetime.now(UTC), end_at=datetime.now(UTC), external_id="", version=route["version"],
        )  # fmt: skip
        now = datetime.now(UTC)
        if self.chance.random() < 0.7:
            along_m = self.chance.uniform(0, PATH_ALONG_M[-1])
            seen = now + timedelta(seconds=self.chance.uniform(-90, 5))
            await tour.see_van(along_m, at=seen, on_route=self.chance.random() < 0.9)
        if self.chance.random() < 0.7:
            arrivals = {place: now + timedelta(minutes=self.chance.uniform(-5, 90)) for place in range(len(stop_ids))}
            await tour.expect(arrivals, as_of=now - timedelta(seconds=self.chance.uniform(0, 90)))
        if self.chance.random() < 0.3:
            left_at = self.chance.choice([None, now])
            await tour.change_stop(0, status="arrived", arrived_at=now, departed_at=left_at)
        if self.chance.random() < 0.5:
            await tour.tell()

    async def check(self, now: datetime) -> None:
        """Compare memory and database, of every link that ever was, of both phones, of all positions."""
        held = self.hub.part(HeldRoutes)
        for token in sorted(self.tokens):
            kept, fresh = await held.shown(hash_of(token), now), await self.fresh(token, now)
            said = None if kept is None else kept.ended.why if kept.ended else kept.body
            assert said == fresh, (said, fresh)
        kept = await self.phone_reads()
        self.hub.part(HeldManifests).forget(number(self.phone.driver))
        assert await self.phone_reads() == kept
        of_account = await self.hub.part(HeldPositions).of_account(self.account.id)
        assert of_account == await live_of_account(self.pool, self.account.id)

    async def fresh(self, token: str, now: datetime) -> bytes | str | None:
        found = await find_tracked_routes(self.pool, [hash_of(token)])
        if not found:
            return None
        seen = seen_in(await look_at(self.pool, found[hash_of(token)]), hash_of(token), now)
        assert seen is not None
        return msgspec.json.encode(seen.view) if isinstance(seen.view, TrackingView) else seen.view.why

    async def phone_reads(self) -> tuple[str, Any]:
        response = await self.client.get("/v1/driver/manifest", headers=bearer(self.phone.token))
        assert response.status == 200
        return response.headers["ETag"], await response.json()


@pytest.fixture
async def make_world(
    client: Any, account: Any, pool: Pool, phone: Phone, tour: dict[str, Any], make_driver: Any, put_route: Any
) -> Callable[[int], Awaitable[World]]:
    async def make(seed: int) -> World:
        await make_driver(client, account.key, "luis")
        world = World(
            client=client, account=account, pool=pool, phone=phone, body=tour, chance=random.Random(seed)
        )  # fmt: skip
        world.note_links(await put_route(client, account.key))
        await world.begin()
        return world

    return make


@pytest.mark.parametrize("seed", range(6))
async def test_memory_and_database_say_the_same_after_every_kind_of_write(
    make_world: Callable[[int], Awaitable[World]], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make_world(seed)
    if seed % 2:
        monkeypatch.setattr(Hub, "_on_live", lambda *_: None)  # deaf from now on
    now = datetime.now(UTC)
    writes = [
        *(World.put, World.say, World.say, World.reopen, World.rotate, World.revoke, World.change_settings),
        *(World.rotate_pin, World.rename_driver, World.take_away, World.begin, World.move, World.move, World.move),
    ]
    await world.check(now)
    for _ in range(40):
        write = world.chance.choice(writes)
        await write(world)
        if write in (World.begin, World.move):
            world.hub.looks.distrust()  # other processes' writes: the next look finds them
        now += timedelta(seconds=world.chance.choice([0.1, 1, 20, 200]))
        await world.check(now)


async def poll(client: Any, token: str) -> Any:
    response = await client.get(f"/v1/track/{token}")
    return await response.json() if response.status == 200 else response.status


async def test_without_a_listener_nothing_is_older_than_a_second(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'LISTEN%' AND datname = current_database()"
    )
    monkeypatch.setattr(Hub, "_listen_once", lambda _: asyncio.sleep(3600))
    now = datetime.now(UTC)
    tour = await Tour.put(pool, account.id, start_at=now)
    await tour.see_van(100, at=now)
    await tour.expect({0: now + timedelta(minutes=5)}, as_of=now)
    first = await poll(client, tour.tokens[0])
    viewer = bearer(account.viewer_key)
    assert len((await (await client.get("/v1/positions", headers=viewer)).json())["features"]) == 1
    for write, differs in (
        (lambda: tour.see_van(150, at=now), lambda view: view["position"]["lat"] != first["position"]["lat"]),
        (lambda: tour.expect({0: now + timedelta(minutes=9)}, as_of=now), lambda view: view["eta"] != first["eta"]),
        (lambda: tour.change_stop(0, name="Otra"), lambda view: view["stop"]["name"] == "Otra"),
        (lambda: tour.change_route(timezone="America/Lima"), lambda view: view["timezone"] == "America/Lima"),
        (
            lambda: pool.execute("UPDATE driver SET name = 'Otra Persona'"),
            lambda view: view["driver"]["first_name"] == "Otra",
        ),
        (
            lambda: pool.execute('UPDATE account SET settings = \'{"visibility": {"max_stops_before": 0,'
                                 ' "max_minutes": 1}}\''),
            lambda view: view["position"] is None,
        ),
        (lambda: tour.change_stop(0, link_revoked_at=now), lambda view: view == 410),
    ):  # fmt: skip
        assert not differs(await poll(client, tour.tokens[0]))
        await write()
        await asyncio.sleep(1)
        assert differs(await poll(client, tour.tokens[0]))
    await pool.execute("UPDATE live SET lat_e6 = $1", e6(place_at(0)[1]))
    await asyncio.sleep(1)
    [feature] = (await (await client.get("/v1/positions", headers=viewer)).json())["features"]
    assert feature["geometry"]["coordinates"][1] == pytest.approx(place_at(0)[1], abs=1e-6)


async def test_a_write_that_is_not_over_when_others_are_is_found_when_it_is(
    client: Any, account: Any, pool: Pool
) -> None:
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))
    await poll(client, tour.tokens[0])
    async with pool.acquire() as slow:
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("UPDATE stop SET name = 'Lenta' WHERE id = $1", tour.stop_ids[0])
        await tour.change_stop(1, name="Rápida")  # begun later, over before
        await asyncio.sleep(1)
        assert (await poll(client, tour.tokens[1]))["stop"]["name"] == "Rápida"
        await transaction.commit()
    await asyncio.sleep(1)
    assert (await poll(client, tour.tokens[0]))["stop"]["name"] == "Lenta"


async def test_looks_that_take_longer_than_an_answer_may_be_old_keep_nobody_waiting_for_ever(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = look_module.changes_since

    async def slow(*args: Any) -> Any:
        changes = await look(*args)
        await asyncio.sleep(1.5 * look_module.OLDEST_S)
        return changes

    monkeypatch.setattr(look_module, "changes_since", slow)
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))
    async with asyncio.timeout(30):
        for n in range(2):
            await tour.change_stop(0, name=f"Nombre {n}")
            await asyncio.sleep(1)
            assert (await poll(client, tour.tokens[0]))["stop"]["name"] == f"Nombre {n}"


async def test_a_database_that_is_away_is_not_covered_up(client: Any, account: Any, pool: Pool) -> None:
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))
    assert (await poll(client, tour.tokens[0]))["stop"]["name"]
    await pool.close()
    await asyncio.sleep(1)
    assert await poll(client, tour.tokens[0]) == 503


async def test_a_quiet_route_is_read_once_and_a_changed_one_once_for_all(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = held_module.look_at

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        await asyncio.sleep(0.05)  # so that others ask meanwhile
        return await read(*args)

    monkeypatch.setattr(held_module, "look_at", counted)
    tour = await Tour.put(pool, account.id, start_at=datetime.now(UTC))

    async def ask_all() -> None:
        await asyncio.gather(*(poll(client, token) for token in tour.tokens * 5))

    await ask_all()
    await asyncio.sleep(1)
    await ask_all()
    assert reads <= 2  # what was written before the first look may be told by the second
    before = reads
    await tour.change_stop(0, name="Otra")
    client.app[HUB].looks.wrote()
    await ask_all()
    assert reads == before + 1


async def test_strangers_cost_one_question_at_a_time(client: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    held = client.app[HUB].part(HeldRoutes)
    find = held._find._ask

    async def counted(hashes: Any) -> Any:
        asked.append(len(hashes))
        return await find(hashes)

    monkeypatch.setattr(held._find, "_ask", counted)
    answers = await asyncio.gather(*(poll(client, f"unknown-token-{n:06}") for n in range(300)))
    assert set(answers) == {404}
    assert sum(asked) == 300
    assert len(asked) < 30
    asked.clear()
    assert [await poll(client, "unknown-token-000007") for _ in range(20)] == [404] * 20
    assert len(asked) <= 2  # a second may have gone by


async def test_what_is_kept_is_bounded_and_forgotten(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_module, "MOST_STOPS", 12)
    monkeypatch.setattr(held_module, "LINGERS_S", 0.5)
    now = datetime.now(UTC)
    tours = [await Tour.put(pool, account.id, start_at=now, external_id=f"tour-{n}") for n in range(5)]
    held = client.app[HUB].part(HeldRoutes)
    for tour in tours:
        assert (await poll(client, tour.tokens[0]))["stop"]["name"]
    assert len(held._routes) == 2  # of four stops each
    assert (await poll(client, tours[0].tokens[0]))["stop"]["name"]
    async with asyncio.timeout(60):
        while held._routes:
            await asyncio.sleep(look_module.LOOK_EVERY_S)
