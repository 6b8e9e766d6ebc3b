"""Leaving a receiver alone that does not answer: a circuit breaker, and a limit on the rate. They ask no clock."""

from dataclasses import dataclass

FAILURES = 5
"""In a row, after which a receiver is left alone."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0


@dataclass(slots=True)
class Breaker:
    """Counts failures of one receiver. After a pause one try goes through, and what comes of it decides."""

    failures: int = 0
    closed_until_s: float = 0.0
    tries: int = 0

    def may_send(self, now_s: float) -> int:
        """Say how many may be sent now at most: none in a pause, one after it, else a million."""
        if self.failures < FAILURES:
            return 1_000_000
        return 1 if now_s >= self.closed_until_s and not self.tries else 0

    def began(self) -> None:
        """Something is sent."""
        if self.failures >= FAILURES:
            self.tries += 1

    def worked(self) -> None:
        """It answered."""
        self.failures, self.tries = 0, 0

    def failed(self, now_s: float) -> None:
        """It did not."""
        self.failures += 1
        self.tries = 0
        if self.failures >= FAILURES:
            self.closed_until_s = now_s + min(FIRST_PAUSE_S * 2 ** (self.failures - FAILURES), LONGEST_PAUSE_S)


@dataclass(slots=True)
class Rate:
    """So many a second, and as many at once: a bucket that fills with time. `per_s` None: no limit."""

    per_s: float | None
    tokens: float = -1.0
    filled_s: float = 0.0

    def may_send(self, now_s: float) -> int:
        """Say how many may be sent now."""
        if self.per_s is None:
            return 1_000_000
        most = max(self.per_s, 1.0)
        if self.tokens < 0:
            self.tokens = most
        else:
            self.tokens = min(most, self.tokens + (now_s - self.filled_s) * self.per_s)
        self.filled_s = now_s
        return int(self.tokens)

    def began(self) -> None:
        """One is sent."""
        self.tokens -= 1
