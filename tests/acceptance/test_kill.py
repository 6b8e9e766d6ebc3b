"""kill -9 in the middle of a load: nothing acknowledged is lost, nothing is stored twice, tracking catches up."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from reparto.child import Child, free_port
from reparto.client.client import Client
from reparto.client.tally import Tally
from reparto.postgres import dsn_of
from reparto.simulate.simulate import Options, drive_fleet, make_vans
from reparto.simulate.van import SimulatedVan
from sql.account.accounts import ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.pool import Pool

Start = Callable[..., Child]
Proof = Callable[[str, list[SimulatedVan]], Awaitable[None]]

LOAD = Options(drivers=30, minutes=3, speed=15, every_s=1, batch=4, keep=True, name="kill")
"""About 5,400 pings in 12 s."""


async def test_the_product_killed_in_the_middle_of_a_load(
    start: Start, everything_is_kept: Proof, tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {"REPARTO_LISTEN": f"127.0.0.1:{port}", "REPARTO_DATA_DIR": str(tmp_path / "data")}
    product = start("up", **settings)
    await product.ready(url)
    vans, tally = make_vans(LOAD), Tally()
    key = (tmp_path / "data" / "admin.key").read_text().strip()
    async with Client(url, key) as client:
        driving = asyncio.create_task(drive_fleet(client, LOAD, vans, tally))
        for share in (0.25, 0.6):
            await acknowledged(share, vans, tally, driving)
            product.kill()
            product = start("up", **settings)
            await product.ready(url)
        await driving
    assert tally.retried.total() > 0
    await everything_is_kept(dsn_of(tmp_path / "data" / "postgres"), vans)


async def test_one_of_two_trackers_killed_in_the_middle_of_a_load(
    start: Start, everything_is_kept: Proof, database: DatabaseConfig, pool: Pool
) -> None:
    key = new_secret(KEY_PREFIX)
    account_id = await ensure_account(pool, "kill")
    await create_key(pool, account_id=account_id, role="admin", label="test", secret_hash=hash_of(key))
    doors, asking = (f"127.0.0.1:{free_port()}" for _ in range(2))
    start("work", REPARTO_DATABASE_URL=database.database_url)
    trackers = [start("track", REPARTO_DATABASE_URL=database.database_url) for _ in range(2)]
    ingest = start("ingest", REPARTO_DATABASE_URL=database.database_url, REPARTO_LISTEN=doors)
    api = start("api", REPARTO_DATABASE_URL=database.database_url, REPARTO_LISTEN=asking)
    await ingest.ready(f"http://{doors}")
    await api.ready(f"http://{asking}")

    vans, tally = make_vans(LOAD), Tally()
    async with Client(f"http://{asking}", key) as client:
        driving = asyncio.create_task(drive_fleet(client, LOAD, vans, tally, doors=f"http://{doors}"))
        await acknowledged(0.3, vans, tally, driving)
        trackers[0].kill()
        await acknowledged(0.6, vans, tally, driving)
        ingest.kill()
        ingest = start("ingest", REPARTO_DATABASE_URL=database.database_url, REPARTO_LISTEN=doors)
        await driving
    assert trackers[1].exit_code is None
    await everything_is_kept(database.database_url, vans)


async def acknowledged(share: float, vans: list[SimulatedVan], tally: Tally, driving: asyncio.Task[None]) -> None:
    """Wait until so much of the load is acknowledged."""
    wanted = share * sum(len(van.told) for van in vans)
    async with asyncio.timeout(120):
        while tally.acknowledged < wanted and not driving.done():
            await asyncio.sleep(0.02)
    assert not driving.done(), "the load was over too soon"
