"""kill -9 of everything while messages leave: none is lost whose cause is committed, and no SMS is sent twice.

`KILLS=100` makes it a long evening; `make kill-messages` does that.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from reparto.child import Child, free_port
from reparto.client.client import Client
from reparto.postgres import dsn_of
from tests.providers import watched
from tests.providers.gateway import http_provider, mail_server

Start = Callable[..., Child]

KILLS = int(os.environ.get("KILLS", "3"))
STOPS = 150
KINDS = (
    "booked",
    "departed_depot",
    "approaching",
    "arrived",
    "delivered",
    "failed",
    "delayed",
    "changed",
    "pin",
    "rating",
)


async def set_up(client: Client, sms_url: str, mail_port: int) -> None:
    """Let an account send bookings at any hour: by SMS, by e-mail to those without a number."""
    for kind in KINDS:
        body = {
            "enabled": kind == "booked",
            "channels": ["sms", "email"],
            "quiet_hours": None,
            "wait_for_workday": False,
        }
        await client.ask("PUT", f"/v1/account/messages/{kind}", body=body)
    body = {"gateway": "custom", "url": f"{sms_url}/send", "body": '{"to": {{ to|tojson }}, "text": {{ text|tojson }}}',
            "id_path": "data.id", "at_once": 8}  # fmt: skip
    await client.ask("PUT", "/v1/account/channels/sms", body=body)
    body = {"host": "127.0.0.1", "port": mail_port, "tls": "none", "from": "envios@tienda.example"}
    await client.ask("PUT", "/v1/account/channels/email", body=body)


def route(number: int) -> dict[str, Any]:
    """A route of tomorrow whose recipients have a number, or an e-mail address, of their own."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    stops = []
    for place in range(STOPS):
        of = number * STOPS + place
        contact = {"phone": f"+57300{1_000_000 + of}"} if place % 3 else {"email": f"r{of}@correo.example"}
        stops.append({"external_id": f"{place}", "kind": "delivery", "name": "Ana Ruiz", "lat": 6.2 + place * 1e-4,
                      "lon": -75.5, **contact})  # fmt: skip
    return {"driver": None, "date": start.date().isoformat(), "timezone": "America/Bogota",
            "start_at": start.isoformat(), "end_at": (start + timedelta(hours=9)).isoformat(),
            "depot": {"name": "d", "lat": 6.2, "lon": -75.5}, "stops": stops}  # fmt: skip


def badly(chance: random.Random) -> Callable[[int, str], str]:
    """Be a gateway that takes most, refuses some for now, and hangs up on some that it took."""
    return lambda n, to: chance.choices(("good", "429", "503", "lost"), (80, 8, 4, 8))[0]


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
                await client.ask("PUT", f"/v1/routes/kill-{put}", body=route(put))
                put += 1
            await asyncio.sleep(chance.uniform(0.0, 2.5))
            product.kill()
            product = start("up", **settings)
            await product.ready(url)
        db = await asyncpg.connect(dsn_of(tmp_path / "data" / "postgres"))
        try:
            await over(db)
            rows = await db.fetch("SELECT channel, address, state, why, attempts, provider_id FROM message")
        finally:
            await db.close()
        taken, mails = Counter(to for to, _ in sms.taken), Counter(to for _, to, _ in mail.taken)
    print(Counter((row["channel"], row["state"], row["why"]) for row in rows), mails.total(), taken.total())
    assert Counter(row["channel"] for row in rows) == {"sms": put * STOPS * 2 // 3, "email": put * STOPS // 3}
    assert max(taken.values()) == 1, "an SMS was sent twice"
    assert max(mails.values()) <= 2
    for row in rows:
        if row["channel"] == "email":
            assert (row["state"], mails[row["address"]] >= 1) == ("sent", True), dict(row)
        elif row["state"] == "sent":
            assert taken[row["address"]] == 1
        else:
            assert (row["state"], row["why"]) == ("failed", "unknown"), dict(row)
    never = [row for row in rows if row["channel"] == "sms" and not taken[row["address"]]]
    assert len(never) <= KILLS * 8, "only what was under way at a kill may be unknown and never sent"
    assert watched.beyond == []


async def over(db: asyncpg.Connection) -> None:
    """Wait until nothing waits; leases of the dead and waits between tries are over at once, not after minutes."""
    async with asyncio.timeout(180 + 20 * KILLS):
        while await db.fetchval(
            "SELECT EXISTS (SELECT FROM notice) OR EXISTS (SELECT FROM message WHERE state IN ('held', 'queued'))"
        ):
            await asyncio.sleep(1)
            await db.execute(
                "UPDATE message SET next_try_at = now() WHERE state = 'queued' AND next_try_at > now() + interval '1 s'"
                " AND (leased_until IS NULL OR left_at < now() - interval '25 s')"
            )
