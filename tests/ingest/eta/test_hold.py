"""A van of whom nothing can be news is not estimated anew, and what others are told of it is true all the same."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from geo.eta.estimate import estimate
from geo.eta.model import Model
from geo.eta.numbers import DRIVE_NOISE_S, LEAST_REACH_S, SERVICE_NOISE
from geo.eta.rests import rests_on
from geo.eta.window import BUILT_IN
from geo.fold.fold import advance, fresh
from geo.pings import UNKNOWN_MS, Rows
from geo.plan.facts import FactType
from geo.plan.plans import Plan, Timeline
from ingest.config import IngestConfig
from ingest.drivers.models import AccountEta
from ingest.drivers.shown import Alerts, Shown
from ingest.eta import hold, worth
from ingest.eta.hold import HOLD, holding, holds_of
from ingest.eta.moved import begins_of, in_other_buckets, room_ms
from ingest.eta.tell import _carried, _eta_of
from ingest.eta.vans import Vans
from sql.account.settings import Approaching, EtaRules
from tests.geo.city import START_MS, town_day

CONFIG = IngestConfig()
ACCOUNT = AccountEta(model=Model(), rules=EtaRules())
SAID = Alerts(route_id=501, late={}, approaching=frozenset())


def vans_of(tracks: Rows, plans: Sequence[Plan | None], shown: Sequence[Shown], seen: Any = False) -> Vans:
    n = len(tracks)
    return Vans(
        lanes=np.zeros(n, np.int64), accounts=np.ones(n, np.int64), tracks=tracks,
        timelines=[Timeline(driver_id=i + 1, plans=() if plan is None else (plan,)) for i, plan in enumerate(plans)],
        plans=plans, caught_up=np.ones(n, np.bool_), seen=np.broadcast_to(seen, n).copy(), shown=shown,
    )  # fmt: skip


def told(vans: Vans, account: AccountEta = ACCOUNT, now_ms: int | None = None) -> list[Shown]:
    """What is shown when all vans are estimated and whatever is news is written."""
    tracks, accounts = vans.tracks, [account] * len(vans)
    found = estimate(tracks, vans.timelines, [account.model] * len(vans))
    begin = begins_of(found, len(vans))
    left_ms, whole_ms = room_ms(vans, found, begin, CONFIG)
    news = vans.seen | (left_ms < 0)
    shown = list(vans.shown)
    for i in np.flatnonzero(news & (np.diff(begin) > 0)).tolist():
        eta = _eta_of(tracks[i], found, slice(begin[i], begin[i + 1]))
        shown[i] = replace(shown[i], eta=eta, buckets=_carried(shown[i], eta))
    until_ms = np.full(len(vans), round(1000 * CONFIG.eta_holds_s))
    some = np.flatnonzero(np.diff(begin) > 0)
    until_ms[some] = np.minimum(until_ms[some], in_other_buckets(shown, tracks, some)[1])
    now_ms = int(tracks["recorded_ms"].max()) if now_ms is None else now_ms
    room = np.where(news, whole_ms, left_ms)
    holds = holds_of(vans, found, begin, room, tracks["recorded_ms"] + until_ms, accounts, now_ms)
    return [replace(one, hold=held) for one, held in zip(shown, holds, strict=True)]


def test_what_is_told_at_every_fix_is_told_though_few_are_estimated() -> None:
    days = [town_day(i, driver_id=i + 1, stops=8, every_s=2.0) for i in range(6)]
    plans = [plan for plan, _, _ in days]
    timelines = [Timeline(driver_id=i + 1, plans=(plan,)) for i, plan in enumerate(plans)]
    tracks, shown = fresh(np.arange(6) + 1), [Shown()] * 6
    fixes = estimated = 0
    beyond_ms: list[int] = []
    for at in range(0, min(len(day) for _, _, day in days), 1):
        pings = [day.rows_at(slice(at, at + 1)) for _, _, day in days]
        tracks, facts = advance(tracks, type(pings[0]).concat(pings), timelines)
        seen = np.isin(facts.happened["type"], (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED))
        vans = vans_of(tracks, plans, shown, np.isin(np.arange(6), facts.happened["track"][seen]))
        now_ms = int(tracks["recorded_ms"].max())
        due = np.flatnonzero(~holding(vans, [ACCOUNT] * 6, now_ms))
        for i, one in zip(due.tolist(), told(vans.rows_at(due), now_ms=now_ms) if len(due) else (), strict=True):
            shown[i] = one
        fixes, estimated = fixes + 6, estimated + len(due)
        found = estimate(tracks, timelines)
        left_ms, _ = room_ms(replace(vans, shown=shown), found, begins_of(found, 6), CONFIG)
        beyond_ms += (-left_ms[left_ms < 0]).tolist()
    assert estimated < fixes / 3
    assert len(beyond_ms) < fixes / 200
    assert max(beyond_ms, default=0) < 5_000


@pytest.fixture(scope="module")
def under_way() -> tuple[Rows, Plan]:
    """A van between two stops."""
    plan, truth, pings = town_day(3, stops=12, every_s=5.0)
    upto = pings.rows_at(pings.rows["recorded_ms"] < truth.departed_ms[4] + 40_000)
    tracks, _ = advance(fresh(np.array([1])), upto, [Timeline(driver_id=1, plans=(plan,))])
    assert tracks["on_route"][0]
    assert not tracks["standing"]["open"][0]
    return tracks, plan


def later(tracks: Rows, shown: Shown, second: float, **change: Any) -> Rows:
    """The van as it was expected to be so much later, but for what is changed."""
    assert shown.hold is not None
    was = np.frombuffer(shown.hold.record, HOLD)[0]
    tracks = tracks.copy()
    tracks["recorded_ms"] += round(1000 * second)
    tracks["along_m"] += second / was["s_per_m"]
    for name, value in change.items():
        tracks[name] = value
    return tracks


def is_held(tracks: Rows, plan: Plan | None, shown: Shown, *, account: AccountEta = ACCOUNT, **of_van: Any) -> bool:
    now_ms = of_van.pop("now_ms", int(tracks["recorded_ms"][0]))
    return bool(holding(vans_of(tracks, [plan], [shown], **of_van), [account], now_ms)[0])


def test_an_estimate_holds_while_the_van_drives_as_was_expected(under_way: tuple[Rows, Plan]) -> None:
    tracks, plan = under_way
    assert not is_held(tracks, plan, Shown(alerts=SAID))
    [shown] = told(vans_of(tracks, [plan], [Shown(alerts=SAID)]))
    assert is_held(tracks, plan, shown)
    assert is_held(later(tracks, shown, 10), plan, shown)
    assert not is_held(later(tracks, shown, -1), plan, shown)  # a re-run
    assert not is_held(later(tracks, shown, CONFIG.eta_holds_s + 1), plan, shown)
    assert not is_held(later(tracks, shown, 25, along_m=tracks["along_m"]), plan, shown)  # stood
    assert not is_held(later(tracks, shown, 10, along_m=tracks["along_m"] + 500), plan, shown)  # flew


def other_stop_done(track: Rows) -> None:
    track["visits"][0, 7] = 1


def other_start(track: Rows) -> None:
    track["pace"]["begun_ms"] += 1


def other_visit(track: Rows) -> None:
    track["standing"]["last"] += 1


def off_route(track: Rows) -> None:
    track["on_route"] = False


def over(track: Rows) -> None:
    track["finished"][0, 0] = track["route_id"][0]


def no_place(track: Rows) -> None:
    track["along_m"] = np.nan


@pytest.mark.parametrize("change", [other_stop_done, other_start, other_visit, off_route, over, no_place])
def test_whatever_an_estimate_rests_on_ends_it(under_way: tuple[Rows, Plan], change: Callable[[Rows], None]) -> None:
    tracks, plan = under_way
    [shown] = told(vans_of(tracks, [plan], [Shown(alerts=SAID)]))
    then = later(tracks, shown, 2)
    assert is_held(then, plan, shown)
    change(then)
    assert not is_held(then, plan, shown)


def test_a_visit_another_plan_what_was_learned_and_other_rules_end_it(under_way: tuple[Rows, Plan]) -> None:
    tracks, plan = under_way
    [shown] = told(vans_of(tracks, [plan], [Shown(alerts=SAID)]))
    then = later(tracks, shown, 2)
    assert not is_held(then, plan, shown, seen=True)
    assert not is_held(then, replace(plan), shown)
    assert not is_held(then, None, shown)
    assert not is_held(then, plan, shown, account=replace(ACCOUNT, model=Model(version=2)))
    assert not is_held(then, plan, shown, account=replace(ACCOUNT, rules=EtaRules(late_after_minutes=1)))
    assert not is_held(then, plan, shown, now_ms=int(then["recorded_ms"][0]) + worth.YOUNG_MS)


def test_nobody_off_the_path_or_with_more_to_fold_is_held(under_way: tuple[Rows, Plan]) -> None:
    tracks, plan = under_way
    off = tracks.copy()
    off["on_route"] = False
    [shown] = told(vans_of(off, [plan], [Shown(alerts=SAID)]))
    assert shown.hold is None
    behind = replace(vans_of(tracks, [plan], [Shown(alerts=SAID)]), caught_up=np.zeros(1, np.bool_))
    assert told(behind)[0].hold is None


def test_a_stop_comes_near_and_grows_late_while_nothing_moves(under_way: tuple[Rows, Plan]) -> None:
    """The clock alone brings a stop within the minutes that somebody asked for, and a small delay over its window."""
    tracks, plan = under_way
    as_of_ms = int(tracks["recorded_ms"][0])
    found = estimate(tracks, [Timeline(driver_id=1, plans=(plan,))])
    next_ms = next(int(at_ms) for at_ms in found.expected_ms - 900_000 if at_ms > as_of_ms + 20_000)
    soon = replace(ACCOUNT, rules=EtaRules(approaching=Approaching(minutes=15)))
    [shown] = told(vans_of(tracks, [plan], [Shown(alerts=SAID)]), soon, now_ms=next_ms - 5_000)
    then = later(tracks, shown, 1)
    assert is_held(then, plan, shown, account=soon, now_ms=next_ms - 4_000)
    assert not is_held(then, plan, shown, account=soon, now_ms=next_ms)

    windows = plan.stop_window_ms.copy()
    windows[found.place[-1], 1] = found.expected_ms[-1] - 300_000 + 2_000  # late in two seconds
    tight = replace(plan, stop_window_ms=windows)
    [shown] = told(vans_of(tracks, [tight], [Shown(alerts=SAID)]))
    assert is_held(later(tracks, shown, 1), tight, shown)
    assert not is_held(later(tracks, shown, 4, along_m=tracks["along_m"]), tight, shown)


def test_a_van_that_waits_is_held_until_its_start_is_due_or_it_leaves() -> None:
    plan, _, pings = town_day(3, stops=12, every_s=5.0)
    tracks, _ = advance(fresh(np.array([1])), pings.rows_at(slice(0, 1)), [Timeline(driver_id=1, plans=(plan,))])
    tracks["recorded_ms"] = START_MS - 60_000
    tracks["along_m"] = 300.0  # on its street, not at the depot
    [shown] = told(vans_of(tracks, [plan], [Shown(alerts=SAID)]))
    assert tracks["pace"]["begun_ms"][0] == UNKNOWN_MS
    then = tracks.copy()
    then["recorded_ms"] += 10_000
    assert is_held(then, plan, shown)
    then["along_m"] = 1_001.0
    assert not is_held(then, plan, shown)
    [shown] = told(vans_of(tracks, [replace(plan, start_ms=START_MS - 55_000)], [Shown(alerts=SAID)]))
    then = tracks.copy()
    then["recorded_ms"] += 4_000
    assert shown.hold is not None
    assert is_held(then, shown.hold.plan, shown)
    then["recorded_ms"] += 1_000
    assert not is_held(then, shown.hold.plan, shown)


def test_an_estimate_rests_on_nothing_else(under_way: tuple[Rows, Plan]) -> None:
    tracks, plan = under_way
    timelines = [Timeline(driver_id=1, plans=(plan,))]
    before = estimate(tracks, timelines)
    other = np.frombuffer(np.random.default_rng(1).bytes(tracks.itemsize), tracks.dtype).copy()
    for name in ("recorded_ms", "along_m", "route_id", "route_version", "next_stop_id", "on_route", "pace", "finished",
                 "visits"):  # fmt: skip
        other[name] = tracks[name]
    for name in ("open", "arrived_ms", "last"):
        other["standing"][name] = tracks["standing"][name]
    assert rests_on(other).tolist() == rests_on(tracks).tolist()
    after = estimate(other, timelines)
    assert after.expected_ms.tolist() == before.expected_ms.tolist()
    assert after.high_ms.tolist() == before.high_ms.tolist()


def test_numbers_of_holds_follow_from_those_of_estimates() -> None:
    times = max(band.late for band in BUILT_IN if band.lead_s == 0)
    drive_s = LEAST_REACH_S**2 / (times**2 * DRIVE_NOISE_S)  # of a shorter one windows reach as far as they must
    assert pytest.approx(0.5 * times * np.sqrt(DRIVE_NOISE_S / drive_s)) == hold.NARROWS
    assert pytest.approx(times * SERVICE_NOISE, abs=0.06) == hold.NARROWS_AT_STOP
