"""Messages: bookings, all due at once, by a gateway for SMS that answers after 50 ms."""

import asyncio
from typing import Any

import msgspec

from reparto.bench.notify.stage import TAKEN_UP_S, Stage

BOOKED = {"quiet_hours": None, "wait_for_workday": False}
"""DriveSecond at any hour."""


class MessagesOut(msgspec.Struct, frozen=True, kw_only=True):
    """What messages gave; CPU in microseconds a message."""

    messages: int
    per_s: float
    worker_us: float
    postgres_us: float


def gateway(url: str) -> dict[str, Any]:
    """Describe a gateway at an address."""
    body = '{"to": {{ to|tojson }}, "text": {{ text|tojson }}, "id": {{ id|tojson }}}'
    return {"gateway": "custom", "url": url, "body": body, "id_path": "data.id"}


async def measure_messages(stage: Stage, count: int) -> MessagesOut:
    """Have every stop told that it is booked, all at once."""
    await stage.put_recipients("all", count, calling_code="57300")
    await stage.client.ask("PUT", "/v1/account/messages/booked", body=BOOKED | {"channels": ["sms"]})
    await stage.client.ask("PUT", "/v1/account/channels/sms", body=gateway(f"{stage.url}/slow"))
    await asyncio.sleep(TAKEN_UP_S)
    before = stage.cpu_s
    await stage.tell_of_bookings("all", 0, count)
    heard = await stage.listener.until(count)
    worker_s, postgres_s = (now - then for now, then in zip(stage.cpu_s, before, strict=True))
    return MessagesOut(
        messages=len(heard.times),
        per_s=heard.per_s,
        worker_us=worker_s / len(heard.times) * 1e6,
        postgres_us=postgres_s / len(heard.times) * 1e6,
    )
