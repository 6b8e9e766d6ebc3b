"""Who holds how much of something that all share: one rule for bytes, sockets, streams and uploads.

Each party may hold at most so many times what is still free (`TIMES`). So nobody can take everything, whoever comes
next finds room, and a limit for all is the only number to choose. Source: dynamic thresholds for shared buffers,
Choudhury and Hahne, IEEE/ACM Transactions on Networking 6 (1998).
"""

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from prometheus_client import Counter as Metric
from prometheus_client import Gauge

from api.http.problem import TooManyRequests, Unavailable
from api.http.who import Party

TIMES = MappingProxyType({"device": 1 / 8, "link": 1 / 32, "address": 1.0, "account": 4.0})
"""Of what is free a party may hold so many times as much. Alone, a device comes to a ninth of everything, an account to
four fifths; an address stands for all behind a proxy whom we do not know yet, and comes to half."""

REFUSED = Metric(
    "reparto_shares_refused_total",
    "Refused because too much was under way: of everybody together (all), or of one party (its kind)",
    ("of", "whose"),
)
HELD = Gauge("reparto_shares_held", "What is held now of what all share: bytes, or how many", ("of",))

_OWN_WAIT_S = 10
_ALL_WAIT_S = 5


class Ledger:
    """Counts what is held of one thing, by whom.

    Attributes:
        total: what all hold.
        most: what all may hold.
    """

    def __init__(self, of: str, most: int, *, caps: Mapping[str, int] = MappingProxyType({})) -> None:
        """Open it.

        Args:
            of: the word for the thing, in metrics and in words to clients.
            most: what all may hold.
            caps: by kind, what one party may hold however much is free.
        """
        self.of = of
        self.most = most
        self._caps = caps
        self.total = 0
        self._quiet = most // 16
        """Up to here nobody is held to a share: there is room enough."""
        self._held: dict[Party, int] = {}
        ledger = weakref.ref(self)
        HELD.labels(of).set_function(lambda: 0 if (one := ledger()) is None else one.total)

    def held_by(self, party: Party) -> int:
        """Give what a party holds."""
        return self._held.get(party, 0)

    def take(self, parties: Sequence[Party], amount: int = 1) -> None:
        """Note that somebody holds so much more.

        Who holds nothing yet gets what there is room for: the rule is against taking more and more.

        Args:
            parties: all whom it counts for: a device and its account.

        Raises:
            Unavailable: all together hold too much. What nobody else takes part in passes whatever its size.
            TooManyRequests: one of the parties does.
        """
        free = self.most - self.total - amount
        if free < 0 and self.total:
            REFUSED.labels(self.of, "all").inc()
            raise Unavailable(f"Too many {self.of} at once. Please try again later.", retry_after_s=_ALL_WAIT_S)
        for party in parties:
            kind, held = party[0], self._held.get(party, 0)
            is_more = held > 0 and held + amount > TIMES[kind] * free and self.total + amount > self._quiet
            if is_more or (kind in self._caps and held + amount > self._caps[kind]):
                REFUSED.labels(self.of, kind).inc()
                raise TooManyRequests(
                    f"Too many {self.of} of one {kind} at once. Please try again later.", retry_after_s=_OWN_WAIT_S
                )
        self._change(parties, amount)

    def give_back(self, parties: Sequence[Party], amount: int = 1) -> None:
        """Note that it is free again."""
        self._change(parties, -amount)

    @contextmanager
    def held(self, parties: Sequence[Party], amount: int = 1) -> Iterator[None]:
        """Hold so much during the block.

        Raises:
            Unavailable, TooManyRequests: as `take`.
        """
        self.take(parties, amount)
        try:
            yield
        finally:
            self.give_back(parties, amount)

    def _change(self, parties: Sequence[Party], amount: int) -> None:
        self.total += amount
        for party in parties:
            held = self._held.get(party, 0) + amount
            if held:
                self._held[party] = held
            else:
                self._held.pop(party, None)
