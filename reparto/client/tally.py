"""What senders count: pings, by what became of them, how long acknowledgements took, events and photos."""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

_SMALLEST_S = 1e-5
_STEP = 1.02
_LOG_STEP = math.log(_STEP)
_BUCKETS = 1_000  # up to 1e-5 s × 1.02^1000, an hour


class Latencies:
    """Durations in a fixed number of buckets of 2 % width, so that a day of load takes no more memory than a minute."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, np.int64)

    def add(self, seconds: float) -> None:
        """Count one."""
        bucket = int(math.log(max(seconds, _SMALLEST_S) / _SMALLEST_S) / _LOG_STEP)
        self._counts[min(bucket, _BUCKETS - 1)] += 1

    def quantile_s(self, share: float) -> float:
        """Give the duration that `share` (0 to 1) of the counted stay below, seconds; NaN when none was counted."""
        total = int(self._counts.sum())
        if not total:
            return float("nan")
        bucket = int(np.searchsorted(np.cumsum(self._counts), share * total))
        return float(_SMALLEST_S * _STEP ** (min(bucket, _BUCKETS - 1) + 0.5))


@dataclass(slots=True)
class Tally:
    """Counts of one run.

    Attributes:
        sent: pings handed to the network, each repetition counted again.
        acknowledged: pings of batches that were answered 2xx, each batch once; refused ones included.
        refused: pings named in the answers' "rejected", by reason.
        batches: batches that were answered 2xx.
        retried: batches sent again, by what became of the try before: an HTTP status or "no answer".
        latencies: from the request to its 2xx.
        events: what drivers said, by what the answer said of each; repetitions count again.
        photos: that arrived whole.
    """

    sent: int = 0
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    retried: Counter[str] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)
    events: Counter[str] = field(default_factory=Counter)
    photos: int = 0

    @property
    def accepted(self) -> int:
        """Pings that are on disk."""
        return self.acknowledged - self.refused.total()

    def lines(self) -> list[str]:
        """Say it in a few lines of text."""
        p50_ms, p99_ms = (self.latencies.quantile_s(share) * 1000 for share in (0.5, 0.99))
        said = [
            f"{self.acknowledged:,} pings acknowledged in {self.batches:,} requests ({self.sent:,} sent)",
            f"acknowledged after {p50_ms:.1f} ms at the median, {p99_ms:.1f} ms at p99",
        ]
        if self.events:
            results = ", ".join(f"{result} {n:,}" for result, n in self.events.most_common())
            said.append(f"events: {results}; photos: {self.photos:,}")
        for what, counts in (("refused", self.refused), ("sent again", self.retried)):
            reasons = ", ".join(f"{why} {n:,}" for why, n in counts.most_common())
            said.append(f"{what}: {reasons or 'none'}")
        return said
