"""Messages that leave while everything dies: by SMS, by e-mail, through providers that behave badly."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from reparto.client.client import Client
from tests.providers.gateway import HttpProvider, MailServer
from work.messages.rules.kinds import KINDS


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


def route_of_strangers(number: int, stops: int) -> dict[str, Any]:
    """A route of tomorrow whose recipients have a number, or every third an e-mail address, of their own."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    made = []
    for place in range(stops):
        of = number * stops + place
        contact = {"phone": f"+57300{1_000_000 + of}"} if place % 3 else {"email": f"r{of}@correo.example"}
        made.append({"external_id": f"{place}", "kind": "delivery", "name": "Ana Ruiz", "lat": 6.2 + place * 1e-4,
                      "lon": -75.5, **contact})  # fmt: skip
    return {"driver": None, "date": start.date().isoformat(), "timezone": "America/Bogota",
            "start_at": start.isoformat(), "end_at": (start + timedelta(hours=9)).isoformat(),
            "depot": {"name": "d", "lat": 6.2, "lon": -75.5}, "stops": made}  # fmt: skip


def badly(chance: random.Random) -> Callable[[int, str], str]:
    """Be a gateway that takes most, refuses some for now, and hangs up on some that it took."""
    return lambda n, to: chance.choices(("good", "429", "503", "lost"), (80, 8, 4, 8))[0]


WAITS = "SELECT EXISTS (SELECT FROM notice) OR EXISTS (SELECT FROM message WHERE state IN ('held', 'queued'))"
"""Whether any message has to leave yet."""

HURRY = (
    "UPDATE message SET next_try_at = now() WHERE state = 'queued' AND next_try_at > now() + interval '1 s'"
    " AND (leased_until IS NULL OR left_at < now() - interval '25 s')"
)
"""Leases of the dead and waits between tries are over at once, not after minutes."""


async def over(db: asyncpg.Connection, *, patience_s: float) -> None:
    """Wait until nothing waits.

    Raises:
        TimeoutError: that takes longer.
    """
    async with asyncio.timeout(patience_s):
        while await db.fetchval(WAITS):
            await asyncio.sleep(1)
            await db.execute(HURRY)


def what_is_wrong(rows: Iterable[asyncpg.Record], sms: HttpProvider, mail: MailServer) -> list[str]:
    """Hold what the product says of its messages against the providers' logs; give a sentence for what differs.

    No SMS is ever sent twice, an e-mail twice at most; what is called sent was taken, and what is not is `unknown`. An
    e-mail of which that is said was taken all the same: it was handed over twice.
    """
    taken, mails = Counter(to for to, _ in sms.taken), Counter(to for _, to, _ in mail.taken)
    wrong = [f"{n} SMS to {to}" for to, n in taken.items() if n > 1]
    wrong += [f"{n} e-mails to {to}" for to, n in mails.items() if n > 2]
    for row in rows:
        log = mails if row["channel"] == "email" else taken
        told = f"{row['channel']} to {row['address']} is {row['state']} {row['why'] or ''}".rstrip()
        if row["state"] != "sent" and (row["state"], row["why"]) != ("failed", "unknown"):
            wrong.append(told)
        elif not log[row["address"]] and (row["state"] == "sent" or row["channel"] == "email"):
            wrong.append(f"{told}, and nobody took it")
    return wrong
