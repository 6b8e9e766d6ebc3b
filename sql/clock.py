"""The server's clock, as it goes on since it was asked: what the clock of this machine is held against."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

TELLS_S = 1.0
"""Clocks that differ by less agree, and an answer that took longer says too little."""


class ServerClock:
    """What the server's clock says now, without asking it again.

    Between two answers it goes by the clock of this machine that nobody can set.
    """

    def __init__(
        self, *, ours_s: Callable[[], float] = time.time, steady_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._ours_s, self.steady_s = ours_s, steady_s
        self._ahead_s: float | None = None

    def hear(self, said: datetime, asked_s: float) -> None:
        """Note an answer.

        What is known already moves only as far as the answer contradicts it: time does not jump about with how long
        answers take.

        Args:
            asked_s: when the question left, by `steady_s`.
        """
        heard_s = self.steady_s()
        if heard_s - asked_s > TELLS_S:
            return
        least_s, most_s = said.timestamp() - heard_s, said.timestamp() - asked_s
        known_s = (least_s + most_s) / 2 if self._ahead_s is None else self._ahead_s
        self._ahead_s = min(max(known_s, least_s), most_s)

    def now(self) -> datetime:
        """Give the time by the server's clock, which all processes share; by ours, while nothing was heard of it."""
        if self._ahead_s is None:
            return datetime.fromtimestamp(self._ours_s(), UTC)
        return datetime.fromtimestamp(self.steady_s() + self._ahead_s, UTC)

    def now_ms(self) -> int:
        """Give the epoch millisecond in which `now` lies, at less cost: it is asked for every request with a ping."""
        now_s = self._ours_s() if self._ahead_s is None else self.steady_s() + self._ahead_s
        return round(now_s * 1e6) // 1000

    @property
    def doubt_ms(self) -> int:
        """How far this machine's clock is from the server's; 0: they agree, or nothing is known.

        One of the two is wrong. Nobody else's clock is judged by a difference that is no larger.
        """
        if self._ahead_s is None:
            return 0
        off_s = abs(self._ours_s() - (self.steady_s() + self._ahead_s))
        return round(off_s * 1000) if off_s > TELLS_S else 0
