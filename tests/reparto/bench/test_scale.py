"""What the bench of sizes makes behind the API's back."""

import hashlib

import pytest

from reparto.bench.ingest.crowds import make_drivers, size, store_history
from reparto.cli import main
from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.pool import Pool, connect

NOON_MS = 1_760_011_200_000


async def test_drivers_have_phones_and_a_past(database: DatabaseConfig, pool: Pool) -> None:
    await ensure_account(pool, "bench")
    db = await connect(database)
    try:
        some = await make_drivers(db, 1, 3, starts_ms=NOON_MS)
        more = await make_drivers(db, 4, 5, starts_ms=NOON_MS)
        hashes = [row["token_hash"] for row in await db.fetch("SELECT token_hash FROM device ORDER BY id")]
        assert hashes == [hashlib.sha256(one.phone.token.encode()).digest() for one in (*some, *more)]
        assert await db.fetchval("SELECT bool_and(lane = driver.id % lanes) FROM driver, instance")
        await store_history(db, [*some, *more], 600, until_ms=NOON_MS)
        span = await db.fetchrow("SELECT count(*), to_ms(min(recorded_at)), to_ms(max(recorded_at)) FROM ping")
        assert tuple(span) == (600, NOON_MS - 120_000, NOON_MS - 1_000)
        pings, row_bytes, key_bytes = await size(db)
    finally:
        await db.close()
    assert pings == 600
    assert row_bytes > 64
    assert key_bytes > 32


@pytest.mark.parametrize("sizes", ["0", "10,5", "x"])
def test_sizes_ascend(sizes: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "scale", "--drivers", sizes])
    assert "--drivers" in capsys.readouterr().err
