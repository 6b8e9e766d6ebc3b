"""The key of sealed secrets is rotated by one command, under a running product."""

import asyncio
import os
from pathlib import Path

import pytest

from reparto.cli import main
from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.messages.setup import channels_of, put_channel
from sql.pool import Pool
from sql.webhooks.webhooks import create_webhook, find_webhook
from work.outgoing.sealed import Sealer, key_file, keys_in, new_key, open_sealer


async def filled(pool: Pool, sealer: Sealer) -> tuple[int, int]:
    account_id = await ensure_account(pool, "tienda")
    await put_channel(
        pool, account_id=account_id, channel="sms", enabled=True, settings={}, secrets=sealer.seal({"key": "k"})
    )
    webhook_id = await create_webhook(
        pool, account_id=account_id, url="https://a.example", types=None, form="json", enabled=True,
        secrets=sealer.seal({"secret": "whsec_x"}),
    )  # fmt: skip
    return account_id, webhook_id


async def opened(pool: Pool, sealer: Sealer, account_id: int, webhook_id: int) -> tuple[object, object]:
    row = await find_webhook(pool, account_id, webhook_id)
    assert row is not None
    return sealer.open((await channels_of(pool, account_id))["sms"].secrets), sealer.open(row.secrets)


@pytest.fixture
def at_hand(database: DatabaseConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("REPARTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REPARTO_DATABASE_URL", database.database_url)
    monkeypatch.setenv("REPARTO_DATA_DIR", str(tmp_path))
    return tmp_path


async def rotate() -> int:
    return await asyncio.to_thread(main, ["secrets", "rotate"])


async def test_a_key_in_a_file_is_rotated_under_a_running_product(pool: Pool, at_hand: Path) -> None:
    running = open_sealer("", at_hand)
    before = key_file(at_hand).read_text().split()
    names = await filled(pool, running)
    for _ in range(2):
        assert await rotate() == 0
        assert await opened(pool, running, *names) == ({"key": "k"}, {"secret": "whsec_x"})
    after = key_file(at_hand).read_text().split()
    assert before[0] not in after
    assert len(after) == 2
    sealed = running.seal({"a": 1})
    assert Sealer(keys_in(after[0])).open(sealed) == {"a": 1}


async def test_a_key_in_the_settings_is_rotated(pool: Pool, at_hand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    names = await filled(pool, Sealer(keys_in(old)))
    monkeypatch.setenv("REPARTO_SECRETS_KEY", new)
    assert await rotate() == 1
    monkeypatch.setenv("REPARTO_SECRETS_KEY", f"{new},{old}")
    assert await rotate() == 0
    assert await opened(pool, Sealer(keys_in(new)), *names) == ({"key": "k"}, {"secret": "whsec_x"})
