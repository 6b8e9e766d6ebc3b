"""kill -9 of everything while messages leave: none is lost whose cause is committed, and no SMS is sent twice.

`KILLS=100` makes it a long evening; `make kill-messages` does that.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg

from reparto.child import Child, free_port
from reparto.client.client import Client
from reparto.postgres import dsn_of
from tests.acceptance.chaos.messages import badly, over, route_of_strangers, set_up, what_is_wrong
from tests.providers import watched
from tests.providers.gateway import http_provider, mail_server

Start = Callable[..., Child]

KILLS = int(os.environ.get("KILLS", "2"))
STOPS = 150


async def test_killed_again_and_again_while_messages_leave(start: Start, tmp_path: Path) -> None:
    watched.watch()
    watched.beyond.clear()
    chance = random.Random(7)
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {
        "REPARTO_LISTEN": f"127.0.0.1:{port}",
        "REPARTO_DATA_DIR": str(tmp_path / "data"),
        "REPARTO_OUTGOING_ALLOW": "127.0.0.0/8",
    }
    product = start("up", **settings)
    await product.ready(url)
    key = (tmp_path / "data" / "admin.key").read_text().strip()
    put = 0
    async with http_provider(behave=badly(chance), slow_s=0.05) as sms, mail_server() as mail:
        async with Client(url, key) as client:
            await set_up(client, sms.url, mail.port)
        for _ in range(KILLS):
            async with Client(url, key) as client:
                await client.ask("PUT", f"/v1/routes/kill-{put}", body=route_of_strangers(put, STOPS))
                put += 1
            await asyncio.sleep(chance.uniform(0.0, 2.5))
            product.kill()
            product = start("up", **settings)
            await product.ready(url)
        db = await asyncpg.connect(dsn_of(tmp_path / "data" / "postgres"))
        try:
            await over(db, patience_s=180 + 20 * KILLS)
            rows = await db.fetch("SELECT channel, address, state, why, attempts, provider_id FROM message")
        finally:
            await db.close()
        taken = {to for to, _ in sms.taken}
        wrong = what_is_wrong(rows, sms, mail)
    print(Counter((row["channel"], row["state"], row["why"]) for row in rows), len(mail.taken), len(taken))
    assert Counter(row["channel"] for row in rows) == {"sms": put * STOPS * 2 // 3, "email": put * STOPS // 3}
    assert wrong == []
    never = [row for row in rows if row["channel"] == "sms" and row["address"] not in taken]
    assert len(never) <= KILLS * 8, "only what was under way at a kill may be unknown and never sent"
    assert watched.beyond == []
