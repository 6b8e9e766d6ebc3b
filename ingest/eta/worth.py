"""Of whom somebody may have to hear: all vans of a take at once; mostly there is nobody, and nothing else is done."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.estimate import Eta
from geo.pings import UNKNOWN_MS, Bools, Ints
from geo.plan.plans import FOREVER_MS, Plan
from ingest.drivers.shown import Alerts
from ingest.eta.moved import rows_of
from ingest.eta.vans import Vans
from sql.account.settings import EtaRules

YOUNG_MS = 300_000
"""An alert rests on a ping that is younger by our clock."""


def worth_a_look(
    vans: Vans, said: Sequence[Alerts | None], found: Eta, begin: Ints, rules: Sequence[EtaRules], now_ms: int
) -> list[int]:
    """Find those of whom there may be something to tell or to take back.

    Args:
        said: (m) what the feed says of each van; None: it is not asked about.
        found: of the tracks of `vans`.
        begin: as `ingest.eta.moved.begins_of` gives it.
        rules: (m) of each van's account.
        now_ms: our clock.
    """
    worth = {i for i, alerts in enumerate(said) if alerts is not None and _may_be_taken_back(alerts)}
    young = (now_ms - vans.tracks["recorded_ms"] < YOUNG_MS) & (np.diff(begin) > 0)
    plans = {i: plan for i in np.flatnonzero(young).tolist() if said[i] and (plan := vans.plans[i]) is not None}
    if plans:
        some = np.array(list(plans))
        rows, first = rows_of(begin, some)
        which = np.repeat(np.arange(len(some)), np.diff(np.append(first, len(rows))))
        asked = _Asked(found, rows, which, list(plans.values()), [rules[i] for i in plans])
        worth.update(some[np.maximum.reduceat(_late_ms(asked), first) > 0].tolist())
        near = np.flatnonzero(_is_near(asked, now_ms))
        told = zip(some[which[near]].tolist(), found.stop_id[rows[near]].tolist(), strict=True)
        worth.update(i for i, stop_id in told if _is_untold(said[i], stop_id))
    return sorted(worth)


def room_ms(
    found: Eta, begin: Ints, some: Ints, plans: Sequence[Plan], rules: Sequence[EtaRules], now_ms: int
) -> tuple[Ints, Ints]:
    """Tell of vans of whom all is told how much arrivals may move, and our clock go on, until that may not be so.

    Args:
        some: (n,) which vans, all with stops ahead.
        plans, rules: (n) of each.
        now_ms: our clock.

    Returns:
        (n,) ms until a stop is late or is not any more; and (n,) our clock when the next stop may be near.
    """
    rows, first = rows_of(begin, some)
    which = np.repeat(np.arange(len(some)), np.diff(np.append(first, len(rows))))
    asked = _Asked(found, rows, which, plans, rules)
    near_ms = found.expected_ms[rows] - _within_ms(asked)
    near_ms = np.where(near_ms > now_ms, near_ms, FOREVER_MS)
    return np.minimum.reduceat(np.abs(_late_ms(asked)), first), np.minimum.reduceat(near_ms, first)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The stops of some vans.

    Attributes:
        rows: (k,) of `found`.
        which: (k,) whose, place in the next two.
        plans, rules: (n) of each van.
    """

    found: Eta
    rows: Ints
    which: Ints
    plans: Sequence[Plan]
    rules: Sequence[EtaRules]


def _is_untold(alerts: Alerts | None, stop_id: int) -> bool:
    return alerts is not None and stop_id not in alerts.approaching


def _may_be_taken_back(alerts: Alerts) -> bool:
    return any(fact.state != "retracted" for fact in alerts.late.values())


def _late_ms(asked: _Asked) -> Ints:
    """Tell by how much stops are expected later than their window allows; far below 0 without a window."""
    found, rows, which = asked.found, asked.rows, asked.which
    counts = np.array([len(plan.stop_window_ms) for plan in asked.plans])
    end_ms = np.concatenate([plan.stop_window_ms[:, 1] for plan in asked.plans])
    end_ms = end_ms[(np.cumsum(counts) - counts)[which] + found.place[rows]]
    allowed_ms = np.array([round(one.late_after_minutes * 60_000) for one in asked.rules])[which]
    return np.where(end_ms == UNKNOWN_MS, -FOREVER_MS, found.expected_ms[rows] - end_ms - allowed_ms)


def _within_ms(asked: _Asked) -> Ints:
    """Tell how long before a van comes to stops somebody wants to hear that it is near; far below 0: never."""
    each = [one.approaching.minutes for one in asked.rules]
    return np.array([-FOREVER_MS // 2 if minutes is None else minutes * 60_000 for minutes in each])[asked.which]


def _is_near(asked: _Asked, now_ms: int) -> Bools:
    """Tell which stops may be told that the van is near.

    Stops where nobody waits do not count; here it is enough that there are no more of them than in the whole tour.
    """
    found, rows, which = asked.found, asked.rows, asked.which
    asks = [one.approaching for one in asked.rules]
    most = [
        -1 if ask.stops is None else ask.stops + len(plan.owed) - np.count_nonzero(plan.owed)
        for ask, plan in zip(asks, asked.plans, strict=True)
    ]
    soon = found.expected_ms[rows] - now_ms <= _within_ms(asked)
    near: Bools = soon | (found.stops_before[rows] <= np.array(most)[which])
    return near
