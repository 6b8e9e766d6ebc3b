"""One that is sent to, while this process does: how much it may be sent now, and what is under way to it."""

from dataclasses import dataclass, field

from work.outgoing.breaker import Breaker, Rate

MOST_AT_A_TIME = 64
"""Taken for one outlet in one transaction, so that no other waits long for its turn."""

UNWRITTEN = 4
"""So many times what is under way at once may have come back and wait to be written down: then nothing more is sent."""

REST_S = 30.0
"""After a failure of ours with what is for one outlet: the others go on."""


@dataclass(slots=True, kw_only=True)
class Outlet:
    """A provider, or an endpoint.

    Attributes:
        at_once: sent to it at once at most; > 0.
        under_way: sent, and nothing has come back.
        unwritten: came back, and is not written down.
        rests_until_s: monotonic time before which nothing is sent.
    """

    at_once: int
    breaker: Breaker = field(default_factory=Breaker)
    rate: Rate = field(default_factory=lambda: Rate(None))
    under_way: int = 0
    unwritten: int = 0
    rests_until_s: float = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether anything of it is not over."""
        return self.under_way + self.unwritten > 0

    def room(self, now_s: float) -> int:
        """Say how many more may be sent now."""
        if now_s < self.rests_until_s:
            return 0
        free = min(self.at_once - self.under_way, UNWRITTEN * self.at_once - self.under_way - self.unwritten)
        return max(0, min(free, MOST_AT_A_TIME, self.breaker.may_send(now_s), self.rate.may_send(now_s)))

    def began(self) -> None:
        """Something is sent."""
        self.under_way += 1
        self.breaker.began()
        self.rate.began()

    def came(self) -> None:
        """Something came back."""
        self.under_way -= 1
        self.unwritten += 1
