"""What is learned: the arithmetic of rows, what a tour says, what a model makes of it, and what never gets worse."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.eta.estimate import estimate
from geo.eta.model import COLD, Model, Row, RowKey, delays, keys_of, learn, observe, passed
from geo.eta.places import planned_drive_s
from geo.eta.rows import CHAINS, Level, added, applied, applied_to_each, hour_and_weekday
from geo.fold.fold import advance, fresh
from geo.numbers import TYPICAL_MPS
from geo.pings import UNKNOWN_MS
from geo.plan.plans import Timeline
from geo.plan.prepare import PathColumns, StopColumns
from tests.geo.city import START_MS, fold, pings_at, plan_along, town_day, town_plan, walk

STREET = [(0.0, 0.0), (6000.0, 0.0)]
STOPS = [(1500.0, 10.0), (3000.0, 10.0), (4500.0, 10.0), (5900.0, 10.0)]
PLANNED = START_MS + np.array([300, 660, 1020, 1380]) * 1000  # 300 s of drive and 60 s of service each
DAY_MS = 86_400_000


def eta_of(track, plan, model=COLD):
    return estimate(np.array([track]), [Timeline(driver_id=1, plans=(plan,))], [model])


def driven(plan, drive_times=1.0, service_times=1.0, start_ms=START_MS):
    """Arrivals and departures of a tour whose drives and services take so many times what was planned."""
    leg_s, service_s = planned_drive_s(plan) * drive_times, plan.stops[:, 4] * service_times
    before_s = np.concatenate(([0.0], np.cumsum(service_s)[:-1]))
    arrived = start_ms + np.rint(1000 * (np.cumsum(leg_s) + before_s)).astype(np.int64)
    return arrived, arrived + np.rint(1000 * service_s).astype(np.int64)


def seen(plan, **how):
    arrived, departed = driven(plan, **how)
    return observe(plan, arrived, departed, np.full(len(arrived), UNKNOWN_MS))


def test_the_plan_comes_before_routing_and_routing_before_length():
    bare = plan_along(STREET, STOPS)
    assert planned_drive_s(bare)[1] == pytest.approx(1500 / TYPICAL_MPS, abs=1)
    routed = replace(bare, stop_drive_s=np.array([100.0, 200.0, np.nan, 250.0]))
    assert planned_drive_s(routed).tolist() == pytest.approx([100, 200, 1500 / TYPICAL_MPS, 250], abs=1)
    timed = replace(plan_along(STREET, STOPS, planned_ms=PLANNED), stop_drive_s=routed.stop_drive_s)
    assert planned_drive_s(timed).tolist() == pytest.approx([300, 300, 300, 300])


def test_a_row_shrinks_to_its_parent_by_what_was_seen():
    level = Level("x", 3.0)
    assert applied(level, 1.0, [(None, 1.0)], 0) == 1.0
    assert applied(level, 1.0, [(Row(3.0, 2.0, 0.0, 0), 1.0)], 0) == pytest.approx(1.5)
    assert applied(level, 1.0, [(Row(3e9, 2.0, 0.0, 0), 1.0)], 0) == pytest.approx(2.0)
    crossing = replace(level, relative=True)
    assert applied(crossing, 4.0, [(Row(3.0, 2.0, 0.0, 0), 1.0)], 0) == pytest.approx(6.0)
    half = [(Row(3e9, 2.0, 0.0, 0), 0.5), (None, 0.5)]
    assert applied(level, 1.0, half, 0) == pytest.approx(1.5)


def test_what_is_old_counts_less():
    level = Level("x", 1.0, half_life_ms=DAY_MS)
    row = added(Row(8.0, 1.0, 0.0, 0), [(1.0, 2.0, 3 * DAY_MS)], DAY_MS)
    assert (row.n, row.mean, row.m2) == pytest.approx((2.0, 1.5, 0.5))
    assert applied(level, 1.0, [(row, 1.0)], 3 * DAY_MS) == pytest.approx((2 * 1.5 + 1) / 3)
    assert applied(level, 1.0, [(row, 1.0)], 4 * DAY_MS) == pytest.approx((1 * 1.5 + 1) / 2)


@given(st.permutations(range(12)), st.integers(1, 11))
@settings(max_examples=25)
def test_neither_order_nor_batches_change_a_row(order, cut):
    values = [(1.0 + i % 3, 0.5 + 0.1 * i, i * DAY_MS // 4) for i in range(12)]
    whole = added(None, values, DAY_MS)
    assert added(None, [values[i] for i in order], DAY_MS) == whole
    parts = added(added(None, [values[i] for i in order[:cut]], DAY_MS), [values[i] for i in order[cut:]], DAY_MS)
    assert (parts.n, parts.mean, parts.m2) == pytest.approx((whole.n, whole.mean, whole.m2))


def test_the_order_within_a_batch_does_not_matter():
    told = [one for times in (1.1, 1.4) for one in seen(town_plan(3), drive_times=times, service_times=2 * times)]
    rows = learn({}, told)
    assert learn({}, told[::-1]) == rows
    assert set(rows) == keys_of(told)


def test_hours_and_weekdays_are_those_of_the_route():
    thursday_noon = 12 * 3_600_000  # 1 January 1970
    assert hour_and_weekday(thursday_noon, 0) == (3, 0)
    assert hour_and_weekday(thursday_noon, -4 * 3600) == (1, 0)
    assert hour_and_weekday(thursday_noon + 2 * DAY_MS, 0) == (3, 1)
    assert hour_and_weekday(thursday_noon + 3 * DAY_MS, 0) == (3, 2)


def test_a_tour_tells_of_drives_services_and_its_start():
    plan = plan_along(STREET, STOPS, planned_ms=PLANNED)
    told = seen(plan, drive_times=1.5, service_times=2.0, start_ms=START_MS)
    drives = [(one.row, one.value) for one in told if one.what == "drive"]
    assert drives == [(row, pytest.approx(1.5)) for row in (1, 2, 3)]  # before the first nobody knows when it left
    assert [one.value for one in told if one.what == "service"] == pytest.approx([2.0] * 4)
    assert [one.value for one in told if one.what == "start"] == pytest.approx([2.5])  # 450 s instead of 300


def test_an_open_visit_tells_nothing_of_its_service():
    plan = plan_along(STREET, STOPS, planned_ms=PLANNED)
    arrived, departed = driven(plan)
    departed[1:] = arrived[2:] = UNKNOWN_MS
    told = observe(plan, arrived, departed, np.full(4, UNKNOWN_MS))
    assert [(one.what, one.row) for one in told] == [("start", 0), ("service", 0), ("drive", 1)]


def test_a_stop_without_service_is_passed():
    plan = plan_along(STREET, STOPS, planned_ms=PLANNED, service_s=0)
    ms, along_m = START_MS + np.arange(0, 1230, 30) * 1000, np.arange(0, 6150, 150.0)
    along_m[3] = 5000.0  # one wild place passes nothing
    at = passed(plan, ms, along_m)
    assert ((at - START_MS) / 1000).tolist() == pytest.approx([300, 600, 900, 1180], abs=10)
    nobody = np.full(4, UNKNOWN_MS)
    told = observe(plan, nobody, nobody, at)
    assert {one.what for one in told} == {"drive", "start"}
    assert passed(plan, ms[:12], along_m[:12])[1:].tolist() == [UNKNOWN_MS] * 3


def test_a_fleet_that_drives_slower_than_planned_is_expected_to():
    rows: dict[RowKey, Row] = {}
    for day in range(40):
        rows |= learn(rows, seen(town_plan(day % 5), drive_times=1.4, service_times=0.5, start_ms=START_MS))
    plan = town_plan(77)
    look = Model(rows=rows).outlook(plan).columns
    assert look[1, -1] / planned_drive_s(plan).sum() == pytest.approx(1.4, abs=0.05)
    assert (look[2] / plan.stops[:, 4]).tolist() == pytest.approx([0.5] * len(plan.stops), abs=0.05)


def test_a_driver_is_held_against_the_places_they_drive():
    rows: dict[RowKey, Row] = {}
    for _ in range(60):
        slow = seen(town_plan(1, driver_id=1), drive_times=1.5)
        rows |= learn(rows, slow + seen(town_plan(1, driver_id=2), drive_times=1.5))
    assert rows[RowKey("drive_driver", "1")].mean == pytest.approx(1.0, abs=0.15)
    assert rows[RowKey("drive")].mean == pytest.approx(1.5)


def test_a_model_looks_at_a_plan_once():
    plan = town_plan(5)
    model = Model(version=3)
    assert model.outlook(plan) is model.outlook(plan)


def test_without_history_it_is_the_plan_and_the_present_delay():
    for seed in range(4):
        plan, truth, pings = town_day(seed, stops=20, every_s=15)
        half = pings.rows_at(pings.rows["recorded_ms"] < truth.departed_ms[6] + 60_000)
        track, _ = fold(half, plan)
        eta = eta_of(track, plan)
        arrived = dict(zip(plan.stop_ids.tolist(), truth.arrived_ms.tolist(), strict=True))
        due = dict(zip(plan.stop_ids.tolist(), plan.stop_due_ms.tolist(), strict=True))
        ids = eta.stop_id.tolist()
        real = np.array([arrived[i] for i in ids])
        plainly = np.array([due[i] for i in ids]) + 1000 * float(track["delay_s"])
        assert np.abs(eta.expected_ms - real).mean() <= np.abs(plainly - real).mean() + 15_000


def test_before_its_start_a_tour_is_expected_to_start_on_time():
    plan = plan_along(STREET, STOPS, planned_ms=PLANNED)
    track, _ = fold(pings_at(*walk((-900, 0, 0), (-600, 0, 0))), plan)
    assert ((eta_of(track, plan).expected_ms - PLANNED) / 1000).tolist() == pytest.approx([0] * 4, abs=1)
    late = Model(rows={RowKey("start"): Row(1e6, 3.0, 0.0, START_MS)})
    assert ((eta_of(track, plan, late).expected_ms - PLANNED) / 1000).tolist() == pytest.approx([180] * 4, abs=1)


def test_an_early_van_waits_for_the_window_if_the_account_says_so():
    window = np.full((4, 2), UNKNOWN_MS)
    window[1] = START_MS + 1_200_000, START_MS + 2_000_000
    routed = replace(plan_along(STREET, STOPS), stop_drive_s=np.full(4, 300.0))
    waits = replace(routed, stop_window_ms=window, wait_for_window=True)
    track, _ = fold(pings_at(*walk((0, 0, 0), (300, 1500, 0), (360, 1500, 0), (420, 1800, 0))), waits)
    lead_s = (eta_of(track, waits).expected_ms - START_MS) / 1000
    assert lead_s[0] == pytest.approx(660, abs=30)  # it comes before the window opens
    assert lead_s[1] == pytest.approx(1200 + 60 + 300, abs=5)  # and is served when it does
    goes = replace(waits, wait_for_window=False)
    assert ((eta_of(track, goes).expected_ms - START_MS) / 1000)[1] == pytest.approx(1020, abs=30)


def test_todays_pace_counts_the_more_the_longer_it_lasts():
    plan = plan_along([(0.0, 0.0), (40_000.0, 0.0)], [(39_000.0, 0.0)], planned_ms=[START_MS + 3_900_000])
    slow = []
    for until_s in (600, 1800, 3600):
        track, _ = fold(pings_at(*walk((0, 0, 0), (until_s, until_s * 5.0, 0), every_s=30)), plan)
        left_s = (39_000 - until_s * 5.0) / 10
        slow.append(((eta_of(track, plan).expected_ms[0] - track["recorded_ms"]) / 1000) / left_s)
    assert 1.0 < slow[0] < slow[1] < slow[2] < 2.0


def kept_model(part, tours=100, spread_s=300.0):
    """A model of an account where this part of being ten minutes late or early is still there, at any lead."""
    lead, delay = np.linspace(0, 9000, 300), np.where(np.arange(300) % 2 > 0, 600.0, -600.0)
    spread = np.full(300, spread_s)
    rows: dict[RowKey, Row] = {}
    for tour in range(tours):
        rows |= learn(rows, delays(lead, delay, part * delay, spread, START_MS + tour))
    return Model(rows=rows)


def late_kept(model):
    return kept_of(model, 60.0)


def kept_of(model, delay_s, *, waits=False):
    return model.delay_kept(*(np.array([value]) for value in (1800.0, delay_s, waits)))[0]


def test_vans_that_wait_when_they_are_early_may_stay_late():
    lead, spread = np.full(50, 1800.0), np.full(50, 300.0)
    rows: dict[RowKey, Row] = {}
    for tour in range(100):
        delay = np.where(np.arange(50) % 2 > 0, 600.0, -300.0)
        rows |= learn(rows, delays(lead, delay, np.maximum(delay, 0.0), spread, START_MS + tour))
    model = Model(rows=rows)
    assert late_kept(model) == pytest.approx(1.0, abs=0.01)
    assert kept_of(model, -60.0) == pytest.approx(0.0, abs=0.1)
    assert kept_of(model, 60.0, waits=True) == pytest.approx(0.5, abs=0.1)  # it may do either yet
    assert model.noise_kept(np.array([1800.0]))[0] == pytest.approx(1.0, abs=0.01)  # what comes may be a delay


def test_plans_with_slack_bring_vans_back_to_their_times():
    assert late_kept(kept_model(0.2)) == pytest.approx(0.2, abs=0.05)
    assert [kept_of(COLD, delay_s) for delay_s in (-60.0, 0.0, 60.0)] == [1.0, 1.0, 1.0]
    lead = np.full(50, 1800.0)
    assert delays(lead, np.full(50, np.nan), lead, lead, START_MS) == []


def test_a_delay_says_the_more_the_larger_it_is_beside_what_arrivals_are_off_by():
    after_a_few = [late_kept(kept_model(0.2, 4, spread_s)) for spread_s in (1200.0, 300.0, 60.0)]
    assert after_a_few[0] > 0.6 > after_a_few[1] > 0.3 > after_a_few[2]


def test_where_delays_are_made_up_arrivals_vary_less():
    models = [kept_model(part) for part in (1.0, 0.6, 0.3, 0.0)]
    kept = np.array([late_kept(model) for model in models])
    noise_kept = np.array([model.noise_kept(np.array([1800.0]))[0] for model in models])
    assert noise_kept[0] == 1.0
    assert (np.diff(noise_kept) < 0).all()
    assert (noise_kept[1:] > kept[1:] ** 2).all()  # what comes on the way is made up for less long
    assert COLD.noise_kept(np.array([0.0, 1800.0, 1e5])).tolist() == [1.0, 1.0, 1.0]


def test_late_vans_are_less_sure_where_delays_are_made_up():
    plan, _, pings = town_day(4, stops=12, every_s=30)
    late = replace(plan, stop_due_ms=plan.stop_due_ms - 1_200_000)
    tracks, _ = advance(fresh(np.array([1])), pings.rows_at(slice(0, 40)), [Timeline(driver_id=1, plans=(plan,))])
    lines = [Timeline(driver_id=1, plans=(one,)) for one in (plan, late)]
    both = np.concatenate([tracks, tracks])
    told = [estimate(both, lines, [model] * 2) for model in (COLD, kept_model(0.2))]
    (stays, as_sure), (in_time, behind) = ([one.spread_s[one.track == van] for van in (0, 1)] for one in told)
    assert as_sure == pytest.approx(stays, rel=0.01)
    assert (in_time < stays).all()
    assert (behind > 250.0).all()  # nobody knows how much of twenty minutes is made up


def test_windows_are_narrower_where_delays_are_made_up():
    plan, _, pings = town_day(4, stops=12, every_s=30)
    tracks, _ = advance(fresh(np.array([1])), pings.rows_at(slice(0, 40)), [Timeline(driver_id=1, plans=(plan,))])
    lines = [Timeline(driver_id=1, plans=(plan,))]
    stay, gone = (estimate(tracks, lines, [model]) for model in (COLD, kept_model(0.2)))
    assert (gone.spread_s < stay.spread_s).all()
    assert (gone.high_ms - gone.low_ms).sum() < (stay.high_ms - stay.low_ms).sum()
    both = estimate(np.concatenate([tracks, tracks]), lines * 2, [COLD, kept_model(0.2)])
    assert both.spread_s.tolist() == [*stay.spread_s.tolist(), *gone.spread_s.tolist()]


def test_what_one_account_learned_is_nothing_to_another():
    plan, _, pings = town_day(4, stops=12, every_s=30)
    tracks, _ = advance(fresh(np.array([1])), pings.rows_at(slice(0, 40)), [Timeline(driver_id=1, plans=(plan,))])
    slow = Model(rows={RowKey("drive"): Row(1e9, 2.0, 0.0, START_MS)})
    lines = [Timeline(driver_id=1, plans=(plan,))]
    both = estimate(np.concatenate([tracks, tracks, tracks]), lines * 3, [COLD, slow, COLD])
    alone = [estimate(tracks, lines, [model]).expected_ms.tolist() for model in (COLD, slow, COLD)]
    assert [both.expected_ms[both.track == i].tolist() for i in range(3)] == alone
    assert alone[0] != alone[1]


def test_a_plan_prepared_without_the_new_columns_has_none_of_them():
    plan = plan_along(STREET, STOPS)
    assert (plan.stop_window_ms == UNKNOWN_MS).all()
    assert (plan.stop_kinds, plan.wait_for_window) == (("delivery",) * 4, False)
    assert np.isnan(plan.stop_drive_s).all()
    with pytest.raises(ValueError, match="differ in length"):
        StopColumns(
            ids=plan.stop_ids, lon=plan.stop_lon, lat=plan.stop_lat, along_m=plan.stops[:, 3],
            radius_m=plan.stops[:, 2], service_s=plan.stops[:, 4], planned_ms=[UNKNOWN_MS] * 4, kinds=["delivery"],
        )  # fmt: skip
    with pytest.raises(ValueError, match="differ in length"):
        PathColumns(plan.path_lon, plan.path_lat, plan.path_along_m[1:])
    with pytest.raises(ValueError, match="needs a path"):
        PathColumns([], [], [])


def test_every_chain_begins_with_what_all_have_in_common():
    for what, (nothing_known, levels) in CHAINS.items():
        assert levels[0].scope == what
        assert math.isfinite(nothing_known)


_AT_MS = st.integers(START_MS, START_MS + 10**10)
_ROW = st.none() | st.builds(Row, n=st.floats(0.1, 1e4), mean=st.floats(0.2, 5), m2=st.just(0.0), as_of_ms=_AT_MS)
_THING = st.lists(st.tuples(_ROW, st.floats(0.01, 1)), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.floats(0.2, 5), _AT_MS, _THING), max_size=6))
def test_many_things_go_a_level_down_as_each_alone(things: list[tuple[float, int, list[tuple[Row | None, float]]]]):
    parent, at_ms = (np.array([thing[field] for thing in things], np.float64) for field in (0, 1))
    parts = [part for *_, of_one in things for part in of_one]
    which = np.repeat(np.arange(len(things)), [len(of_one) for *_, of_one in things])
    part = np.array([share for _, share in parts])
    for level in CHAINS["drive"][1]:
        together = applied_to_each(level, parent, [row for row, _ in parts], part, which, at_ms)
        alone = [applied(level, above, of_one, at) for above, at, of_one in things]
        assert together.tolist() == alone
