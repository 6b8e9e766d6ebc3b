"""Webhooks: facts at a steady rate to ten endpoints, of which five are bad; how long the good ones wait.

Three never answer, one redirects into a private network, one answers 410.
"""

import asyncio
import statistics
import time
from collections.abc import Callable

import msgspec

from reparto.bench.notify.stage import TAKEN_UP_S, Stage
from sql.queries import load

_SQL = load(__name__)

GOOD = 5
BAD = ("hang-1", "hang-2", "hang-3", "away", "gone")
PROMISED_S = 2.0
"""95 of 100 facts are at a good endpoint in less than this, or the rate is too much."""

_BEATS_PER_S = 10
_HALVINGS = 4


class WebhooksOut(msgspec.Struct, frozen=True, kw_only=True):
    """What webhooks gave; CPU in microseconds a request of a good endpoint.

    Attributes:
        wanted: requests that good endpoints should get: each fact by each of them.
        p50_s, p95_s: from knowing a fact until a good endpoint has it, of those that came.
    """

    facts_per_s: int
    wanted: int
    came: int
    per_s: float
    p50_s: float
    p95_s: float
    worker_us: float
    postgres_us: float

    @property
    def holds(self) -> bool:
        """Whether good endpoints get everything, and in time."""
        return self.came >= self.wanted and self.p95_s < PROMISED_S


async def make_webhooks(stage: Stage) -> None:
    """Make all ten."""
    for path in (*BAD, *(f"good-{nth}" for nth in range(GOOD))):
        body = {"url": f"{stage.url}/{path}", "types": ["stop.arrived"]}
        await stage.client.ask("POST", "/v1/webhooks", body=body)
    await asyncio.sleep(TAKEN_UP_S)


async def measure_webhooks(stage: Stage, facts_per_s: int, seconds: int) -> WebhooksOut:
    """Let facts happen at a steady rate; wait for what the good ones have not got, but not for ever."""
    await stage.listener.take()
    account_id = await stage.account_id()
    before, began_s = stage.cpu_s, time.perf_counter()
    beats = seconds * _BEATS_PER_S
    for beat in range(beats):
        count = facts_per_s * seconds * (beat + 1) // beats - facts_per_s * seconds * beat // beats
        await stage.db.execute(_SQL["let_happen"], account_id, count)
        await asyncio.sleep(max(0.0, began_s + (beat + 1) / _BEATS_PER_S - time.perf_counter()))
    wanted = facts_per_s * seconds * GOOD
    heard = await stage.listener.until(wanted)
    worker_s, postgres_s = (now - then for now, then in zip(stage.cpu_s, before, strict=True))
    came, cuts = len(heard.times), statistics.quantiles(heard.waits_s, n=100)
    return WebhooksOut(
        facts_per_s=facts_per_s,
        wanted=wanted,
        came=came,
        per_s=heard.per_s,
        p50_s=cuts[49],
        p95_s=cuts[94],
        worker_us=worker_s / came * 1e6,
        postgres_us=postgres_s / came * 1e6,
    )


async def find_greatest(
    stage: Stage, too_much: WebhooksOut, seconds: int, say: Callable[[str], None]
) -> WebhooksOut | None:
    """Halve the way between a rate that is too much and none, a few times; give the greatest that held, None: none."""
    greatest: WebhooksOut | None = None
    low, high = 0, too_much.facts_per_s
    for _ in range(_HALVINGS):
        rate = (low + high) // 2
        say(f"{rate} facts a second for {seconds} s …")
        tried = await measure_webhooks(stage, rate, seconds)
        if tried.came < tried.wanted:
            await stage.listener.until(tried.wanted - tried.came)  # nothing of it must come into the next
        low, high = (rate, high) if tried.holds else (low, rate)
        greatest = tried if tried.holds else greatest
    return greatest
