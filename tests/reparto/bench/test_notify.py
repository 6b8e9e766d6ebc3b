"""How the bench of what leaves looks for the greatest rate; never how fast anything is."""

import sys
from subprocess import PIPE, Popen
from typing import Any

import pytest

from reparto.bench.notify import webhooks
from reparto.bench.notify.webhooks import WebhooksOut, find_greatest
from reparto.process.usage import is_measured, resident_mb


def gave(rate: int, *, holds: int) -> WebhooksOut:
    p95_s = 0.5 if rate <= holds else 5.0
    return WebhooksOut(
        facts_per_s=rate, wanted=rate, came=rate, per_s=1.0, p50_s=0.1, p95_s=p95_s, worker_us=1.0, postgres_us=1.0
    )


@pytest.mark.parametrize(
    ("holds", "tried", "greatest"),
    [(700, [500, 750, 625, 687], 687), (0, [500, 250, 125, 62], None), (999, [500, 750, 875, 937], 937)],
)
async def test_the_greatest_rate_is_found_by_halving(
    monkeypatch: pytest.MonkeyPatch, holds: int, tried: list[int], greatest: int | None
) -> None:
    asked = []

    async def measure(stage: Any, rate: int, seconds: int) -> WebhooksOut:
        asked.append(rate)
        return gave(rate, holds=holds)

    monkeypatch.setattr(webhooks, "measure_webhooks", measure)
    stage: Any = None
    found = await find_greatest(stage, gave(1_000, holds=holds), 1, lambda _: None)
    assert asked == tried
    assert (found and found.facts_per_s) == greatest


@pytest.mark.skipif(not is_measured(), reason="only Linux has /proc")
def test_memory_is_told_in_megabytes() -> None:
    held = "held = b'x' * 50_000_000; print(len(held), flush=True); input()"
    with Popen([sys.executable, "-S", "-c", held], stdin=PIPE, stdout=PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"50000000\n"
        assert 50 < resident_mb(child.pid) < 80
        child.communicate(b"\n")
