"""ETAs of recorded tours as they would have been given: each rests on the tracker's own answer and on what was over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from geo.eta.estimate import estimate
from geo.eta.model import Model, Observation, delays, learn, observe, passed
from geo.eta.window import Given, adapt
from geo.fold.fold import advance, fresh
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Pings, Rows, in_order
from geo.plan.facts import FactType
from geo.plan.plans import Plan, Timeline
from reparto.evaluate.answers.live import timely

EVERY_MS = 300_000
"""How often a tour is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class EtaAnswer:
    """ETAs of one tour at one moment.

    Attributes:
        tour: row in the timelines.
        at_ms: the moment.
        as_of_ms: the ping they rest on.
        row: (k,) stops ahead, their places in the tour.
        expected_ms, low_ms, high_ms, spread_s, delay_s, waits, start_s, service_s: (k,) as in `geo.eta.estimate.Eta`.
        on_route: whether the van was on its path.
    """

    tour: int
    at_ms: int
    as_of_ms: int
    row: Ints
    expected_ms: Ints
    low_ms: Ints
    high_ms: Ints
    spread_s: Floats
    delay_s: Floats
    waits: Bools
    start_s: Floats
    service_s: Floats
    on_route: bool

    def only(self, which: Bools) -> Self:
        """Keep some of the stops."""
        columns = ("row", "expected_ms", "low_ms", "high_ms", "spread_s", "delay_s", "waits", "start_s", "service_s")
        return replace(self, **{name: getattr(self, name)[which] for name in columns})


@dataclass(slots=True, eq=False)
class FoldedTour:
    """What came of a tour, as it became known.

    Attributes:
        first_ms: its first ping.
        ms, along_m: of its believed places on the path.
        visits: when each arrival and departure was known, the stop's place in the tour, which of both, when it was.
        off: when the van left the path (False) and came back (True), and when that was.
        learned, open: what was learned from it; what was told of stops that it has not reached.
    """

    plan: Plan
    first_ms: int
    ms: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    along_m: Floats = field(default_factory=lambda: np.zeros(0))
    visits: list[tuple[int, int, FactType, int]] = field(default_factory=list)
    off: list[tuple[bool, int]] = field(default_factory=list)
    learned: set[tuple[str, int]] = field(default_factory=set)
    open: list[EtaAnswer] = field(default_factory=list)


def replay(pings: Pings, timelines: Sequence[Timeline]) -> Iterator[EtaAnswer]:
    """Ask every tour every EVERY_MS of its recording, all tours in the order of time, learning on the way.

    The tours are those of one account. A tour's closed visits and driven stretches are learned from when it is next
    asked; what it is told rests on everything that was learned until then, from other tours under way too.

    Args:
        pings: in the order of their arrival.
        timelines: of the drivers, one plan each, driver_id ascending and unique.
    """
    yield from ask(*fold(pings, timelines), timelines)


def ask(
    tours: Sequence[FoldedTour], states: Sequence[tuple[int, int, Rows]], timelines: Sequence[Timeline]
) -> Iterator[EtaAnswer]:
    """Replay what was folded.

    Args:
        tours, states: of `fold`; once, for what was learned is noted in the tours.
    """
    model = Model()
    for at_ms, which, track in sorted(states, key=lambda state: state[:2]):
        tour = tours[which]
        model = _learn(model, tour, at_ms)
        eta = estimate(track, [timelines[which]], [model])
        if not len(eta.track):
            continue
        row_of = {stop_id: row for row, stop_id in enumerate(tour.plan.stop_ids.tolist())}
        rows = np.array([row_of[stop_id] for stop_id in eta.stop_id.tolist()], np.int64)
        as_of_ms, on_route = int(track["recorded_ms"][0]), bool(track["on_route"][0])
        answer = EtaAnswer(
            which, at_ms, as_of_ms, rows, eta.expected_ms, eta.low_ms, eta.high_ms, eta.spread_s, eta.delay_s,
            eta.waits, eta.start_s, eta.service_s, on_route,
        )  # fmt: skip
        tour.open.append(answer)
        yield answer


def fold(pings: Pings, timelines: Sequence[Timeline]) -> tuple[list[FoldedTour], list[tuple[int, int, Rows]]]:
    """Fold all tours, and keep every track as it was whenever it is asked: (at_ms, tour, track)."""
    known = pings.rows_at(timely(pings.rows))
    known = known.rows_at(in_order(known.rows))
    ids = np.array([timeline.driver_id for timeline in timelines], np.int64)
    driver = np.searchsorted(ids, known.rows["driver_id"])
    ms = known.rows["recorded_ms"]
    first_ms = np.array([ms[driver == i].min(initial=np.iinfo(np.int64).max) for i in range(len(ids))])
    tours = [FoldedTour(timeline.plans[0], int(at_ms)) for timeline, at_ms in zip(timelines, first_ms, strict=True)]
    step = -(-(ms - first_ms[driver]) // EVERY_MS)  # the first moment at which it is known
    tracks = fresh(ids)
    states: list[tuple[int, int, Rows]] = []
    for k in range(int(step.max(initial=0)) + 1):
        mine = np.flatnonzero(step == k)
        tracks, facts = advance(tracks, known.rows_at(mine), timelines)
        for i in np.unique(driver[mine]).tolist():
            states.append((int(first_ms[i]) + k * EVERY_MS, i, tracks[i : i + 1].copy()))
            judged = facts.judged[driver[mine] == i]
            believed = judged["on_route"] & ~np.isnan(judged["along_m"])
            tour = tours[i]
            tour.ms = np.concatenate((tour.ms, ms[mine][driver[mine] == i][believed]))
            tour.along_m = np.concatenate((tour.along_m, judged["along_m"][believed]))
        for fact in facts.happened[np.isin(facts.happened["type"], (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED))]:
            tour = tours[int(fact["track"])]
            row = int(np.flatnonzero(tour.plan.stop_ids == fact["stop_id"])[0])
            told = (int(fact["folded_ms"]), row, FactType(int(fact["type"])), int(fact["occurred_ms"]))
            tour.visits.append(told)
        for fact in facts.happened[np.isin(facts.happened["type"], (FactType.ROUTE_OFF, FactType.ROUTE_BACK))]:
            tours[int(fact["track"])].off.append((fact["type"] == FactType.ROUTE_BACK, int(fact["occurred_ms"])))
    return tours, states


def _learn(model: Model, tour: FoldedTour, now_ms: int) -> Model:
    """Learn from what is over of a tour."""
    count = len(tour.plan.stop_ids)
    arrived_ms, departed_ms = np.full(count, UNKNOWN_MS), np.full(count, UNKNOWN_MS)
    for known_ms, row, what, at_ms in tour.visits:
        if known_ms <= now_ms:
            if what is FactType.STOP_ARRIVED and arrived_ms[row] == UNKNOWN_MS:
                arrived_ms[row] = at_ms
            if what is FactType.STOP_DEPARTED and departed_ms[row] == UNKNOWN_MS:
                departed_ms[row] = at_ms
    past = tour.ms <= now_ms
    passed_ms = passed(tour.plan, tour.ms[past], tour.along_m[past])
    seen = [
        one for one in observe(tour.plan, arrived_ms, departed_ms, passed_ms) if (one.what, one.row) not in tour.learned
    ]
    tour.learned |= {(one.what, one.row) for one in seen}
    reached_ms = np.where((arrived_ms != UNKNOWN_MS) & (tour.plan.stops[:, 4] > 0), arrived_ms, passed_ms)
    given, kept, tour.open = _come_true(tour.plan, tour.open, reached_ms, now_ms)
    if not seen and not len(given.error_s):
        return model
    rows = {**model.rows, **learn(model.rows, seen + kept)}
    return Model(version=model.version + 1, rows=rows, bands=adapt(model.bands, given))


def _come_true(
    plan: Plan, answers: Sequence[EtaAnswer], reached_ms: Ints, now_ms: int
) -> tuple[Given, list[Observation], list[EtaAnswer]]:
    """Take the ETAs of stops that were reached, and whose windows are over, out of those that wait: among windows that
    still last only those who come early would be heard."""
    given, left = [np.zeros((0, 7))], []
    for answer in answers:
        known = (reached_ms[answer.row] != UNKNOWN_MS) & (answer.high_ms < now_ms)
        counts = known & (reached_ms[answer.row] > answer.at_ms) & answer.on_route
        lead_ms = (answer.expected_ms - answer.as_of_ms)[counts]
        error_ms = (reached_ms[answer.row] - answer.expected_ms)[counts]
        late_ms = (reached_ms - plan.stop_due_ms)[answer.row][counts]
        columns = (
            lead_ms / 1000,
            answer.spread_s[counts],
            error_ms / 1000,
            np.full(len(lead_ms), answer.tour),
            answer.delay_s[counts],
            late_ms / 1000,
            answer.waits[counts],
        )
        given.append(np.column_stack(columns))
        if not known.all():
            left.append(answer.only(~known))
    lead_s, spread_s, error_s, tour, delay_s, late_s, waits = np.concatenate(given).T
    gone = waits == 0
    kept = delays(lead_s[gone], delay_s[gone], late_s[gone], spread_s[gone], now_ms)
    return Given(lead_s, spread_s, error_s, waits > 0, tour.astype(np.int64)), kept, left
