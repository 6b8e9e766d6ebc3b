"""A provider that hangs for ever: thousands wait for it, and a steady stream of others goes by another provider.

Both belong to one account and one kind of message: numbers of Chile go by WhatsApp, others by SMS, whose gateway never
answers.
"""

import asyncio
import statistics
import time

import msgspec

from reparto.bench.notify.messages import BOOKED, gateway
from reparto.bench.notify.stage import TAKEN_UP_S, Stage
from reparto.process.usage import resident_mb
from sql.queries import load

_SQL = load(__name__)

HANGING = 2_000
_BEATS_PER_S = 10
_BACKLOG_S = 5.0  # until the messages that hang are made and the gateway's places are taken
_PATIENCE_S = 30.0  # for what has not left when the stream is over


class HangingOut(msgspec.Struct, frozen=True, kw_only=True):
    """What the others gave.

    Attributes:
        waiting: for the provider that hangs, at the end.
        wanted: of the others; sent: of them.
        p50_s, p95_s: from the cause until the provider had answered, of those that were sent.
        before_mb, after_mb: memory of the worker when the stream began, and when it was over.
    """

    waiting: int
    per_s: int
    wanted: int
    sent: int
    p50_s: float
    p95_s: float
    before_mb: float
    after_mb: float


async def measure_hanging(stage: Stage, per_s: int, seconds: int) -> HangingOut:
    """Let one provider hang and the other be told of `per_s` causes a second."""
    wanted = per_s * seconds
    await _set_up(stage, wanted)
    await stage.tell_of_bookings("hang", 0, HANGING)
    await asyncio.sleep(_BACKLOG_S)
    before_mb, began_s = resident_mb(stage.product.work.pid), time.perf_counter()
    beats = seconds * _BEATS_PER_S
    for beat in range(beats):
        first, after = (wanted * place // beats for place in (beat, beat + 1))
        await stage.tell_of_bookings("stream", first, after - first)
        await asyncio.sleep(max(0.0, began_s + (beat + 1) / _BEATS_PER_S - time.perf_counter()))
    waits_s = await _waits_s(stage, wanted)
    account_id = await stage.account_id()
    cuts = statistics.quantiles(waits_s, n=100) if len(waits_s) > 1 else [float("nan")] * 99
    return HangingOut(
        waiting=await stage.db.fetchval(_SQL["still_waiting"], account_id),
        per_s=per_s,
        wanted=wanted,
        sent=len(waits_s),
        p50_s=cuts[49],
        p95_s=cuts[94],
        before_mb=before_mb,
        after_mb=resident_mb(stage.product.work.pid),
    )


async def _set_up(stage: Stage, wanted: int) -> None:
    await stage.put_recipients("hang", HANGING, calling_code="57301")
    await stage.put_recipients("stream", wanted, calling_code="5695")
    await stage.client.ask("PUT", "/v1/account/messages/booked", body=BOOKED | {"channels": ["whatsapp", "sms"]})
    await stage.client.ask("PUT", "/v1/account/channels/sms", body=gateway(f"{stage.url}/hang"))
    meta = {
        "phone_number_id": "1",
        "token": "t",
        "app_secret": "s",
        "countries": ["CL"],
        "url": f"{stage.url}/good",
        "templates": {"booked": {"name": "booked", "language": "es", "parameters": ["brand", "window", "link"]}},
    }
    await stage.client.ask("PUT", "/v1/account/channels/whatsapp", body=meta)
    await asyncio.sleep(TAKEN_UP_S)


async def _waits_s(stage: Stage, wanted: int) -> list[float]:
    """Wait until so many were sent, or for a while; say how long each took."""
    until_s = time.monotonic() + _PATIENCE_S
    account_id = await stage.account_id()
    while True:
        waits_s = [row["wait_s"] for row in await stage.db.fetch(_SQL["waits"], account_id)]
        if len(waits_s) >= wanted or time.monotonic() >= until_s:
            return waits_s
        await asyncio.sleep(0.2)
