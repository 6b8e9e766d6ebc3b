"""How wrong a phone's clock is, as what it sends shows.

Nothing is recorded after it was received. A phone that says when it sends shows its clock outright, fast or slow; of
one that does not, the newest item is at least as old as it is not ahead.
"""

from dataclasses import dataclass

import numpy as np

from geo.pings import Ints
from geo.trust.numbers import (
    CLOCK_OFF_MS,
    CLOCK_STILL_MS,
    MOST_AHEAD_MS,
    ONE_RUN_MS,
    SINCE_2001_MS,
    WEEKS_LOST_MS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClock:
    """What a phone's clock was found to be.

    Attributes:
        ahead_ms: of ours; negative: behind.
        noted_ms: when, by our clock.
    """

    ahead_ms: int
    noted_ms: int


def shown_ahead_ms(
    times_ms: Ints, now_ms: int, *, sent_ms: int | None = None, in_one_run: bool = False, doubt_ms: int = 0
) -> int:
    """Tell how far a phone's clock is ahead, as a batch shows; negative: behind; 0: as far as it shows it is right.

    Args:
        times_ms: (n,) of its items, by the phone's clock.
        now_ms: when it came, by ours.
        sent_ms: when it was sent, by the phone's clock; None: it does not say.
        in_one_run: items were recorded one after the other, so that one far ahead of all others is odd, not the clock.
        doubt_ms: how far our own clock may be wrong, >= 0; what a right one could show is no fault of the phone's.
    """
    off_ms = CLOCK_OFF_MS + doubt_ms
    if sent_ms is not None:
        return sent_ms - now_ms if abs(sent_ms - now_ms) > off_ms else 0
    if max(times_ms.tolist(), default=now_ms) <= now_ms + off_ms:  # mostly one: numpy would take twice as long
        return 0
    times_ms = np.sort(times_ms[times_ms <= now_ms + MOST_AHEAD_MS + doubt_ms])
    if not len(times_ms):
        return 0
    if in_one_run:
        past = int(np.searchsorted(times_ms, now_ms + off_ms, "right"))
        gaps = np.flatnonzero(np.diff(times_ms) > ONE_RUN_MS)
        last = int(gaps[gaps >= max(past - 1, 0)].min(initial=len(times_ms) - 1))
        times_ms = times_ms[: last + 1]
    return max(int(times_ms[-1]) - now_ms, 0) if times_ms[-1] > now_ms + off_ms else 0


def lost_ms(times_ms: Ints, oldest_ms: int, newest_ms: int) -> Ints:
    """Tell what times lack that were counted from another beginning: 1024 GPS weeks ago, or 2001.

    Args:
        times_ms: (n,) by the phone's clock; UNKNOWN_MS: none.
        oldest_ms, newest_ms: what may be meant; a time in between lacks nothing, nor one that would not come there.

    Returns:
        (n,) `WEEKS_LOST_MS`, `SINCE_2001_MS` or 0.
    """
    lost = np.zeros(len(times_ms), np.int64)
    if (times_ms >= oldest_ms).all():
        return lost
    for one_ms in (WEEKS_LOST_MS, SINCE_2001_MS):
        lost[(times_ms >= oldest_ms - one_ms) & (times_ms <= newest_ms - one_ms) & (times_ms < oldest_ms)] = one_ms
    return lost


def settled_ahead_ms(shown_ms: int, known: KnownClock | None, now_ms: int, *, is_said: bool) -> int:
    """Tell by how much to correct: the same for a batch that is sent again, and for what was kept for a while.

    Args:
        shown_ms: not 0.
        known: of the phone; None: nothing is known.
        is_said: the phone said when it sent; else its clock may be farther ahead than it showed.
    """
    if known is None or now_ms - known.noted_ms > CLOCK_STILL_MS:
        return shown_ms
    if is_said:
        return known.ahead_ms if abs(known.ahead_ms - shown_ms) <= CLOCK_OFF_MS else shown_ms
    return max(known.ahead_ms, shown_ms)
