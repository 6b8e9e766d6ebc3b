"""When a webhook is tried again, and what an answer means. Pure."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

WAITS_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 50_400, 50_400, 54_000)
"""After the first try: Svix's 5 s, 5 and 30 min, 2, 5, 10 and 10 h, and on to three days."""

JITTER = 0.1
_LONGEST_RETRY_AFTER_S = 86_400.0


@dataclass(frozen=True, slots=True)
class AfterTry:
    """What follows from a try: the delivery's state, when it is tried again, whether the webhook is switched off."""

    state: str
    next_try_at: datetime
    is_gone: bool = False


def verdict(
    status: int | None, attempts: int, now: datetime, *, retry_after_s: float | None = None, chance: float | None = None
) -> AfterTry:
    """Judge one try.

    Args:
        status: of the answer; None: there was none.
        attempts: tries so far, with this one.
        retry_after_s: what a 429 or 503 asks for.
        chance: from 0 to 1, in place of a random number.
    """
    if status is not None and 200 <= status < 300:
        return AfterTry("delivered", now)
    if status == 410:
        return AfterTry("failed", now, is_gone=True)
    if attempts > len(WAITS_S):
        return AfterTry("failed", now)
    spread = 1 + JITTER * (2 * (random.random() if chance is None else chance) - 1)
    wait_s = WAITS_S[attempts - 1] * spread
    if status in (429, 503) and retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, _LONGEST_RETRY_AFTER_S))
    return AfterTry("pending", now + timedelta(seconds=wait_s))
