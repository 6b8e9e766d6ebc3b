"""More visits put into the tour of a van under way, whatever that makes late: it is told, and people decide.

Unlike `geo.tours.insertion`, which offers only what holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geo.pings import Floats
from geo.tours.numbers import TRIED
from geo.tours.problem import Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """Visits by their rows; row 0 is where the van sets out, at second 0.

    Attributes:
        drive_s: seconds of driving from each to each.
        service_s: (n,) how long each takes.
        opens_s: (n,) before which none begins; -inf: any time.
        closes_s: (n,) after which it is late; inf: never.
    """

    drive_s: Matrix
    service_s: Floats
    opens_s: Floats
    closes_s: Floats


def joined(visits: Visits, tour: Sequence[int], more: Sequence[int], fetch: int | None = None) -> list[int]:
    """Put visits into a tour one after the other, each where least becomes late, and then where it ends soonest.

    Args:
        tour: rows, in the order in which the van comes to them; that stays.
        more: rows that are not on it yet.
        fetch: the row where what is brought to all of `more` is taken aboard first, on the tour already or not; None:
            nothing has to be.

    Returns:
        The rows of all of them, in their new order.
    """
    if fetch is None:
        return _with(visits, list(tour), more, 0)
    if fetch in tour:
        return _with(visits, list(tour), more, list(tour).index(fetch) + 1)
    tries = ([*tour[:at], fetch, *tour[at:]] for at in sorted({0, *_gaps(visits, tour, fetch, 0)[: TRIED // 2]}))
    return min((_with(visits, one, more, one.index(fetch) + 1) for one in tries), key=lambda one: _badness(visits, one))


def _with(visits: Visits, tour: list[int], more: Sequence[int], first: int) -> list[int]:
    for row in more:
        tries = ([*tour[:at], row, *tour[at:]] for at in _gaps(visits, tour, row, first)[:TRIED])
        tour = min(tries, key=lambda one: _badness(visits, one))
    return tour


def _gaps(visits: Visits, tour: Sequence[int], row: int, first: int) -> list[int]:
    """Give the gaps from one on, those first where a visit is the shortest way round."""
    drive_s = visits.drive_s

    def around(at: int) -> int:
        before = tour[at - 1] if at else 0
        if at == len(tour):
            return int(drive_s[before, row])
        return int(drive_s[before, row] + drive_s[row, tour[at]] - drive_s[before, tour[at]])

    return sorted(range(first, len(tour) + 1), key=lambda at: (around(at), at))


def _badness(visits: Visits, tour: Sequence[int]) -> tuple[float, float]:
    late_s, end_s = 0.0, 0.0
    for row, (arrive_s, depart_s) in zip(tour, _times(visits, tour), strict=True):
        late_s += max(0.0, arrive_s - float(visits.closes_s[row]))
        end_s = depart_s
    return late_s, end_s


def _times(visits: Visits, tour: Sequence[int]) -> Iterator[tuple[float, float]]:
    """Tell when the van comes to each visit of a tour and leaves it, seconds."""
    at, now_s = 0, 0.0
    for row in tour:
        now_s += int(visits.drive_s[at, row])
        arrive_s = now_s
        now_s = max(now_s, float(visits.opens_s[row])) + float(visits.service_s[row])
        yield arrive_s, now_s
        at = row
