"""Real processes: what they may lose is nothing, whatever happens to them."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from api.http.ids import DEVICE, number_of
from reparto.child import Child
from reparto.simulate.van import SimulatedVan
from tests.settling import settle

Start = Callable[..., Child]
Proof = Callable[[str, list[SimulatedVan]], Awaitable[None]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start("up", REPARTO_LISTEN=…)` runs a command of the product; nothing survives the test."""
    children: list[Child] = []

    def make(*command: str, **settings: str) -> Child:
        log = tmp_path / f"{len(children)}-{command[0]}.log"
        child = Child(*command, settings=settings, log=log)
        children.append(child)
        return child

    yield make
    for child in reversed(children):
        if child.exit_code is None:
            assert child.stop() == 0, child.last_words()


@pytest.fixture
def everything_is_kept() -> Proof:
    """`await everything_is_kept(dsn, vans)`: what was acknowledged is there once, and all of it was followed."""

    async def prove(dsn: str, vans: list[SimulatedVan]) -> None:
        db = await asyncpg.connect(dsn)
        try:
            await settle(db)
            acknowledged = {(number_of(DEVICE, van.device_id), *fix) for van in vans for fix in van.acknowledged}
            rows = await db.fetch(
                "SELECT device_id, (extract(epoch FROM recorded_at) * 1000)::bigint AS ms, lat_e6, lon_e6, believed"
                " FROM ping"
            )
            stored = Counter((row["device_id"], row["ms"], row["lat_e6"], row["lon_e6"]) for row in rows)
            assert acknowledged - stored.keys() == set(), "acknowledged, but not there"
            assert stored.keys() - acknowledged == set(), "there, but never acknowledged"
            assert set(stored.values()) == {1}
            assert all(row["believed"] is not None for row in rows)
            for account in await db.fetch("SELECT id, events_numbered FROM account"):
                seqs = await db.fetch("SELECT seq FROM event WHERE account_id = $1 ORDER BY seq", account["id"])
                assert [row["seq"] for row in seqs] == list(range(1, account["events_numbered"] + 1))
            assert await db.fetchval("SELECT count(*) FROM track") == len(vans)
            assert await db.fetchval("SELECT count(*) FROM live") == len(vans)
        finally:
            await db.close()

    return prove
