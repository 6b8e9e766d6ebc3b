"""Of whom somebody may have to hear: all vans of a take at once; mostly there is nobody, and nothing else is done."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.estimate import Eta
from geo.pings import UNKNOWN_MS, Bools, Ints
from geo.plan.plans import Plan
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
        worth.update(some[np.logical_or.reduceat(_is_late(asked), first)].tolist())
        near = np.flatnonzero(_is_near(asked, now_ms))
        told = zip(some[which[near]].tolist(), found.stop_id[rows[near]].tolist(), strict=True)
        worth.update(i for i, stop_id in told if _is_untold(said[i], stop_id))
    return sorted(worth)


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


def _is_late(asked: _Asked) -> Bools:
    """Tell which stops are expected later than their window allows."""
    found, rows, which = asked.found, asked.rows, asked.which
    counts = np.array([len(plan.stop_window_ms) for plan in asked.plans])
    end_ms = np.concatenate([plan.stop_window_ms[:, 1] for plan in asked.plans])
    end_ms = end_ms[(np.cumsum(counts) - counts)[which] + found.place[rows]]
    late_ms = np.array([one.late_after_minutes * 60_000 for one in asked.rules])[which]
    late: Bools = (end_ms != UNKNOWN_MS) & (found.expected_ms[rows] - end_ms > late_ms)
    return late


def _is_near(asked: _Asked, now_ms: int) -> Bools:
    """Tell which stops may be told that the van is near.

    Stops where nobody waits do not count; here it is enough that there are no more of them than in the whole tour.
    """
    found, rows, which = asked.found, asked.rows, asked.which
    asks = [one.approaching for one in asked.rules]
    within_ms = np.array([-np.inf if ask.minutes is None else ask.minutes * 60_000 for ask in asks])[which]
    most = [
        -1 if ask.stops is None else ask.stops + len(plan.owed) - np.count_nonzero(plan.owed)
        for ask, plan in zip(asks, asked.plans, strict=True)
    ]
    near: Bools = (found.expected_ms[rows] - now_ms <= within_ms) | (found.stops_before[rows] <= np.array(most)[which])
    return near
