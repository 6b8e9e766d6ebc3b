"""`reparto up` and the roles as real processes: started, stopped in order, killed, started again."""

import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from ingest.mqtt.packets import Kind
from reparto.child import Child, free_port
from reparto.postgres import dsn_of
from sql.config import DatabaseConfig
from sql.pool import Pool
from tests.ingest.mqtt.client import MqttPhone, publish

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent at once")

Start = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("api", REPARTO_LISTEN=…)`: a process that is gone when the test is."""
    started: list[Child] = []

    def new(role: str, **settings: str) -> Child:
        started.append(Child(role, settings=settings, log=tmp_path / f"{role}-{len(started)}.log"))
        return started[-1]

    yield new
    for child in started:
        if child.exit_code is None:
            child.kill()


class Up:
    """A running `reparto up` in a directory of the test's own."""

    def __init__(self, start: Start, data_dir: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.bare = f"127.0.0.1:{free_port()}"
        self.mqtt = free_port()
        self.data_dir = data_dir
        self._start = start
        self.child = self._new()

    def _new(self) -> Child:
        return self._start(
            "up",
            REPARTO_LISTEN=f"127.0.0.1:{self.port}",
            REPARTO_OSMAND_LISTEN=self.bare,
            REPARTO_MQTT_LISTEN=f"127.0.0.1:{self.mqtt}",
            REPARTO_DATA_DIR=str(self.data_dir),
        )

    async def again(self) -> None:
        self.child = self._new()
        await self.child.ready(self.url)

    async def ask(self, statement: str) -> Any:
        connection = await asyncpg.connect(dsn_of(self.data_dir / "postgres"))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def tracker_backends(self) -> int:
        said: int = await self.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'reparto track'")
        return said


@pytest.fixture
async def up(start: Start, tmp_path: Path) -> AsyncIterator[Up]:
    running = Up(start, tmp_path / "data")
    await running.child.ready(running.url)
    yield running
    if running.child.exit_code is None:
        running.child.stop()


async def eventually(what: Callable[[], Any]) -> None:
    """Wait until it is true; a generous bound, not a measure."""
    async with asyncio.timeout(60):
        while True:
            try:
                if await what():
                    return
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, aiohttp.ClientError):
                pass  # on its way
            await asyncio.sleep(0.05)


def processes_of(text: str) -> list[int]:
    """The processes with this text in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if text.encode() in said and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


async def test_everything_runs_and_the_admin_key_opens_it(up: Up) -> None:
    key = up.data_dir / "admin.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    headers = {"Authorization": f"Bearer {key.read_text().strip()}"}
    async with aiohttp.ClientSession(up.url) as client:
        for path in ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"):
            async with client.get(path) as response:
                assert response.status == 200, path
        async with client.get("/v1/account", headers=headers) as response:
            assert (await response.json())["name"] == "default"
    await eventually(lambda: _is_one(up.tracker_backends()))
    assert "admin key" in up.child.last_words()


async def test_a_phone_of_every_app_moves_its_driver_on_the_map(up: Up) -> None:
    """Set up as it is told to be; and by the doors that know no path, and no HTTP."""
    now = datetime.now(UTC) - timedelta(seconds=5)
    at, here = int(now.timestamp()), {"latitude": 19.4, "longitude": -99.1}
    feature = {"geometry": {"coordinates": [-99.1, 19.4]}, "properties": {"timestamp": now.isoformat()}}
    said: dict[str, dict[str, Any]] = {
        "traccar": {"data": {"id": "x", "lat": "19.4", "lon": "-99.1", "timestamp": str(at)}},
        "osmand": {},
        "owntracks": {"json": {"_type": "location", "lat": 19.4, "lon": -99.1, "tst": at, "tid": "an"}},
        "overland": {"json": {"locations": [feature]}},
        "gpslogger": {},
        "bggeo": {"json": {"location": {"coords": here, "timestamp": now.isoformat()}}},
    }
    filled = {"%LAT": "19.4", "%LON": "-99.1", "%TIME": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
    filled |= {"{0}": "19.4", "{1}": "-99.1", "{2}": str(at * 1000)}
    headers = {"Authorization": f"Bearer {(up.data_dir / 'admin.key').read_text().strip()}"}
    async with aiohttp.ClientSession(up.url) as client:
        for app, message in [*said.items(), ("bare", {}), ("mqtt", {})]:
            await client.post("/v1/drivers", json={"external_id": app, "name": app}, headers=headers)
            named = {"app": {"bare": "traccar", "mqtt": "owntracks"}.get(app, app)}
            async with client.post(f"/v1/drivers/{app}/devices", json=named, headers=headers) as response:
                made = await response.json()
            url: str = made["setup"]["url"]
            for name, value in filled.items():
                url = url.replace(name, value)
            if app == "mqtt":
                async with MqttPhone(up.mqtt) as phone:
                    assert await phone.comes_in(made["ingest_token"]) == 0
                    phone.send(publish(json.dumps(said["owntracks"]["json"]).encode(), 1))
                    assert await phone.hears() == (Kind.PUBACK, b"\0\1")
                continue
            if app == "bare":
                url = f"http://{up.bare}/?id={made['ingest_token']}&lat=19.4&lon=-99.1&timestamp={at}"
            async with client.request("POST" if message else "GET", url, **message) as response:
                assert response.status == 200, app

        async def all_move() -> bool:
            async with client.get("/v1/positions", headers=headers) as response:
                shown = await response.json()
            assert all(one["geometry"]["coordinates"] == [-99.1, 19.4] for one in shown["features"])
            return len(shown["features"]) == len(said) + 2

        await eventually(all_move)
    up.child.stop()
    assert made["ingest_token"] not in up.child.last_words()


async def _is_one(count: Any) -> bool:
    return bool(await count >= 1)


@needs_linux
async def test_it_stops_in_order_leaves_nothing_and_starts_again_with_the_same_key(up: Up) -> None:
    key = (up.data_dir / "admin.key").read_text()
    assert up.child.stop() == 0
    assert not processes_of(str(up.data_dir))
    said = up.child.last_words()
    assert "error" not in said
    assert "Traceback" not in said
    await up.again()
    assert (up.data_dir / "admin.key").read_text() == key
    assert await up.ask("SELECT count(*) FROM api_key") == 1


@needs_linux
async def test_killed_it_leaves_nothing_running_and_starts_again_at_once(up: Up) -> None:
    await eventually(lambda: _is_one(up.tracker_backends()))
    up.child.kill()

    async def nothing_runs() -> bool:
        return not processes_of(str(up.data_dir))

    await eventually(nothing_runs)
    await up.again()
    await eventually(lambda: _is_one(up.tracker_backends()))


@needs_linux
async def test_a_tracker_that_dies_is_started_again(up: Up) -> None:
    def trackers() -> list[int]:
        return [
            pid for pid in processes_of(str(up.data_dir)) if b"\0track\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    await eventually(lambda: _is_one(up.tracker_backends()))
    [first] = trackers()
    os.kill(first, signal.SIGKILL)

    async def another() -> bool:
        return "is started again" in up.child.last_words() and bool(trackers()) and first not in trackers()

    await eventually(another)
    await eventually(lambda: _is_one(up.tracker_backends()))


@needs_linux
async def test_a_postgres_that_dies_is_started_again(up: Up) -> None:
    server = int((up.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    os.kill(server, signal.SIGKILL)

    async def another() -> bool:
        return int((up.data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0]) != server

    await eventually(another)
    await up.child.ready(up.url)
    await eventually(lambda: _is_one(up.tracker_backends()))
    assert up.child.stop() == 0


@needs_linux
async def test_a_postgres_that_does_not_start_is_tried_on_until_it_does(up: Up) -> None:
    """As while it recovers, is killed in that, or has no room on its disk: here a file of it is away for a while."""
    cluster = up.data_dir / "postgres" / "cluster"
    server = int((cluster / "postmaster.pid").read_text().split()[0])
    (cluster / "PG_VERSION").rename(cluster / "PG_VERSION.away")
    os.kill(server, signal.SIGKILL)

    async def tried_twice() -> bool:
        return up.child._log.read_text().count("Postgres does not start and is tried again") >= 2

    await eventually(tried_twice)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{up.url}/health/live") as response:
            assert response.status == 200
        async with session.get(f"{up.url}/health/ready") as response:
            assert (response.status, "Retry-After" in response.headers) == (503, True)
    assert up.child.exit_code is None
    (cluster / "PG_VERSION.away").rename(cluster / "PG_VERSION")
    await up.child.ready(up.url)
    await eventually(lambda: _is_one(up.tracker_backends()))
    assert up.child.stop() == 0


async def test_a_second_one_on_the_same_data_says_whose_it_is(up: Up, start: Start) -> None:
    other = start("up", REPARTO_LISTEN=f"127.0.0.1:{free_port()}", REPARTO_DATA_DIR=str(up.data_dir))

    async def ended() -> bool:
        return other.exit_code is not None

    await eventually(ended)
    assert other.exit_code == 1
    assert f"(process {up.child.pid}) already runs the Postgres" in other.last_words()
    assert "Traceback" not in other.last_words()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_each_role_runs_alone_on_a_shared_database_and_stops_in_order(
    database: DatabaseConfig, pool: Pool, start: Start, sign: signal.Signals
) -> None:
    running: dict[str, Child] = {}
    for role, where in (
        ("ingest", "REPARTO_LISTEN"),
        ("api", "REPARTO_LISTEN"),
        ("track", "REPARTO_HEALTH_LISTEN"),
        ("work", "REPARTO_HEALTH_LISTEN"),
    ):
        port = free_port()
        running[role] = start(role, REPARTO_DATABASE_URL=database.database_url, **{where: f"127.0.0.1:{port}"})
        await running[role].ready(f"http://127.0.0.1:{port}")
    names = await pool.fetch(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database()"
    )
    assert {f"reparto {role}" for role in running} <= {row["name"] for row in names}
    for child in running.values():
        os.kill(child.pid, sign)

    async def ended() -> bool:
        return all(child.exit_code is not None for child in running.values())

    await eventually(ended)
    for role, child in running.items():
        assert child.exit_code == 0, role
        assert "Traceback" not in child.last_words()


async def test_doors_and_questions_are_apart_when_the_roles_are(database: DatabaseConfig, start: Start) -> None:
    ports = {role: free_port() for role in ("ingest", "api")}
    for role, port in ports.items():
        child = start(role, REPARTO_DATABASE_URL=database.database_url, REPARTO_LISTEN=f"127.0.0.1:{port}")
        await child.ready(f"http://127.0.0.1:{port}")
    statuses = {}
    async with aiohttp.ClientSession() as client:
        for role, port in ports.items():
            async with client.post(f"http://127.0.0.1:{port}/v1/pings", json=[]) as response:
                statuses[role, "pings"] = response.status
            async with client.get(f"http://127.0.0.1:{port}/v1/account") as response:
                statuses[role, "account"] = response.status
    assert statuses == {
        ("ingest", "pings"): 401,
        ("ingest", "account"): 404,
        ("api", "pings"): 404,
        ("api", "account"): 401,
    }


@needs_linux
async def test_two_of_a_role_share_an_address_but_not_two_roles(database: DatabaseConfig, start: Start) -> None:
    port = free_port()
    settings = {"REPARTO_DATABASE_URL": database.database_url, "REPARTO_LISTEN": f"127.0.0.1:{port}"}
    settings["REPARTO_OSMAND_LISTEN"] = f"127.0.0.1:{free_port()}"
    first = start("ingest", **settings)
    await first.ready(f"http://127.0.0.1:{port}")
    other = start("api", **settings)

    async def ended() -> bool:
        return other.exit_code is not None

    await eventually(ended)
    assert "`reparto ingest` already listens on" in other.last_words()
    second = start("ingest", **settings)

    async def listens() -> bool:
        return "listens on" in second.last_words()

    await eventually(listens)
    first.kill()
    await second.ready(f"http://127.0.0.1:{port}")
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://{settings['REPARTO_OSMAND_LISTEN']}/") as response,
    ):
        assert response.status == 401
    assert second.stop() == 0


@needs_linux
async def test_the_role_for_mqtt_lets_phones_in_and_tells_how_it_is(database: DatabaseConfig, start: Start) -> None:
    port, health = free_port(), free_port()
    settings = {"REPARTO_DATABASE_URL": database.database_url, "REPARTO_MQTT_LISTEN": f"127.0.0.1:{port}"}
    role = start("mqtt", **settings, REPARTO_HEALTH_LISTEN=f"127.0.0.1:{health}")
    await role.ready(f"http://127.0.0.1:{health}")
    second = start("mqtt", **settings)

    async def listens() -> bool:
        return f"reparto mqtt listens on 127.0.0.1:{port}" in second.last_words()

    await eventually(listens)
    assert role.stop() == 0
    async with MqttPhone(port) as phone:
        assert await phone.comes_in("rpi_wrong") == 4
    assert second.stop() == 0


async def test_logs_are_lines_of_json_without_secrets(up: Up, tmp_path: Path) -> None:
    async with aiohttp.ClientSession(up.url) as client:
        for path in ("/t/GEHEIM", "/v1/track/GEHEIM", "/ingest/GEHEIM/osmand?lat=4.6097100&lon=-74.0817500", "/GEHEIM"):
            async with client.get(path) as response:
                assert response.status < 500
    up.child.stop()
    said = (tmp_path / "up-0.log").read_text()
    assert "GEHEIM" not in said
    assert "74.08" not in said
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    access = [line["message"].split()[1] for line in lines if line["logger"] == "reparto.access"]
    assert access == ["/t/{token}", "/v1/track/{token}", "/ingest/{token}/osmand", "-"]


@needs_linux
async def test_a_second_ctrl_c_ends_it_at_once_and_nothing_is_left(up: Up) -> None:
    async with aiohttp.ClientSession(up.url) as client:
        key = (up.data_dir / "admin.key").read_text().strip()
        async with client.get("/v1/positions/stream", headers={"Authorization": f"Bearer {key}"}) as stream:
            assert stream.status == 200
            os.kill(up.child.pid, signal.SIGINT)
            os.kill(up.child.pid, signal.SIGINT)

            async def ended() -> bool:
                return up.child.exit_code is not None and not processes_of(str(up.data_dir))

            await eventually(ended)


async def test_with_a_database_of_ones_own_no_other_is_made(
    database: DatabaseConfig, start: Start, tmp_path: Path
) -> None:
    port, data_dir = free_port(), tmp_path / "data"
    child = start(
        "up",
        REPARTO_DATABASE_URL=database.database_url,
        REPARTO_LISTEN=f"127.0.0.1:{port}",
        REPARTO_DATA_DIR=str(data_dir),
    )
    await child.ready(f"http://127.0.0.1:{port}")
    assert sorted(entry.name for entry in data_dir.iterdir()) == ["admin.key", "blobs", "secrets.key"]
    assert child.stop() == 0
