from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.fold.fold import (
    STATE_VERSION,
    TRACK,
    advance,
    decode,
    encode,
    fresh,
    of_records,
    records_of,
    stored,
    tick,
)  # fmt: skip
from geo.pings import UNKNOWN_MS, Pings, in_order
from geo.plan.facts import FactType
from geo.plan.fence import Fences
from geo.plan.plans import Timeline
from geo.shape.fence_shape import prepare_fence
from geo.snap import snap
from geo.trust.clean import Flag
from geo.trust.fixes import Here
from tests.geo.city import (
    LAT,
    LON,
    START_MS,
    fold,
    fold_in_batches,
    kinds,
    of_type,
    once,
    pings_at,
    place,
    plan_along,
    snap_one,
    town_day,
    walk,
)

ARRIVED, DEPARTED = FactType.STOP_ARRIVED, FactType.STOP_DEPARTED


def demo_fences():
    def feature(x_m, y_m, radius_m):
        lon, lat = place(x_m, y_m)
        point = {"type": "Point", "coordinates": [float(lon), float(lat)]}
        return {"type": "Feature", "geometry": point, "properties": {"radius_m": radius_m}}

    random = np.random.default_rng(0)
    return Fences(
        tuple(
            prepare_fence(
                geofence_id=number, version=1, effective_ms=UNKNOWN_MS,
                ended_ms=START_MS + 3_600_000 if number % 5 == 0 else UNKNOWN_MS,
                feature=feature(*random.uniform(-1000, 1000, 2), random.uniform(30, 200)), dwell_s=30,
            )
            for number in range(1, 41)
        )
    )  # fmt: skip


def fleet():
    """Three days of noisy driving: one with a plan that changes at noon, one with two phones, one without a plan."""
    fences = demo_fences()
    pings, timelines = [], {}
    for driver_id, seed in ((1, 3), (2, 4), (3, 5)):
        plan, _, day = town_day(seed, driver_id=driver_id, stops=10, every_s=15, outliers=0.03, mute=driver_id == 2)
        pings.append(day)
        plans = [plan]
        if driver_id == 1:
            keep = [0, 1, 2, 3, 5, 6, 7, 9]
            xy = plan.stops[keep, :2]
            path = np.column_stack((plan.segments[:, 0], plan.segments[:, 1]))
            plans.append(
                plan_along(
                    path.tolist(), xy.tolist(), stop_ids=plan.stop_ids[keep], route_id=plan.route_id, version=2,
                    effective_ms=START_MS + 900_000, at=(plan.lon0, plan.lat0),
                )
            )  # fmt: skip
        if driver_id == 2:
            pings.append(day.rows_at(slice(None, None, 3)))
            pings[-1].rows["device_id"] = 77
            pings[-1].rows["recorded_ms"] += 1
            pings[-1].rows["lat_e6"] += 300
        timelines[driver_id] = Timeline(
            driver_id=driver_id, plans=() if driver_id == 3 else tuple(plans), fences=fences
        )
    everything = Pings.concat(pings)
    everything.rows["flags"][::97] |= np.uint32(Flag.CLOCK_AHEAD)
    return once(everything), timelines


FLEET, TIMELINES = fleet()
WHOLE = fold_in_batches(FLEET, [FLEET], TIMELINES)


def test_the_fleet_meets_everything():
    seen = {FactType(int(np.frombuffer(fact, "<i2", 1, 16)[0])) for fact in WHOLE[2]}
    fences = {FactType.FENCE_ENTERED, FactType.FENCE_EXITED, FactType.FENCE_CROSSED, FactType.FENCE_DWELLED}
    assert seen >= {ARRIVED, DEPARTED, FactType.ROUTE_STARTED} | fences


@given(st.lists(st.integers(0, len(FLEET)), max_size=12), st.booleans())
@settings(max_examples=25)
def test_no_border_of_a_batch_changes_history(cuts, apart):
    """Cut by time, all drivers together or each alone: the same states, judgements and facts, bit by bit."""
    by_time = np.argsort(FLEET.rows["recorded_ms"], kind="stable")
    batches = []
    for part in np.split(by_time, sorted(cuts)):
        batch = FLEET.rows_at(np.sort(part))
        for driver_id in TIMELINES if apart else [None]:
            own = batch if driver_id is None else batch.rows_at(batch.rows["driver_id"] == driver_id)
            if len(own):
                batches.append(own)
    assert fold_in_batches(FLEET, batches, TIMELINES) == WHOLE


def test_one_ping_at_a_time_is_the_same():
    some = FLEET.rows_at(FLEET.rows["recorded_ms"] < START_MS + 1_200_000)
    one_by_one = [some.rows_at(slice(i, i + 1)) for i in range(len(some))]
    assert fold_in_batches(some, one_by_one, TIMELINES) == fold_in_batches(some, [some], TIMELINES)


def test_received_at_is_carried_and_never_looked_at():
    later = Pings(FLEET.rows.copy(), FLEET.texts)
    later.rows["received_ms"] += 86_400_000
    timelines = list(TIMELINES.values())
    new, facts = advance(fresh(np.array([1, 2, 3])), FLEET, timelines)
    new_later, facts_later = advance(fresh(np.array([1, 2, 3])), later, timelines)
    assert facts.judged.tobytes() == facts_later.judged.tobytes()
    assert facts.happened.tobytes() == facts_later.happened.tobytes()
    assert (new_later["received_ms"] - new["received_ms"]).tolist() == [86_400_000] * 3


def test_states_are_small_and_come_back():
    track, _ = fold(FLEET.rows_at(FLEET.rows["driver_id"] == 1), *TIMELINES[1].plans)
    state = encode(track)
    assert len(state) < 700
    assert decode(state).tobytes() == track.tobytes()
    assert decode(bytes((STATE_VERSION + 1,)) + state[1:]) is None
    assert decode(b"") is None
    both = np.concatenate(([track], fresh(np.array([2]))))
    assert stored(records_of(both)[0]) == state
    assert of_records(records_of(both)).tobytes() == both.tobytes()
    assert len(of_records([])) == 0
    assert decode(bytes((STATE_VERSION, 0)) + bytes(TRACK.itemsize + 1)) is None
    assert TRACK["snap"].itemsize <= 400


def test_the_arguments_are_not_changed():
    tracks = fresh(np.array([1, 2, 3]))
    before, rows = tracks.tobytes(), FLEET.rows.tobytes()
    advance(tracks, FLEET, list(TIMELINES.values()))
    assert (tracks.tobytes(), FLEET.rows.tobytes()) == (before, rows)


def test_what_is_out_of_order_is_refused():
    timelines = [Timeline(driver_id=1), Timeline(driver_id=2)]
    tracks = fresh(np.array([1, 2]))
    good = pings_at([0, 1], 0, 0)
    for bad in (good.rows_at([1, 0]), good.rows_at([0, 0]), pings_at([0], 0, 0, driver_id=3)):
        with pytest.raises(ValueError):
            advance(tracks, bad, timelines)
    with pytest.raises(ValueError):
        advance(tracks, good, timelines[:1])
    with pytest.raises(ValueError):
        advance(tracks[::-1], good, timelines)
    new, _ = advance(tracks, good, timelines)
    with pytest.raises(ValueError, match="position"):
        advance(new, good.rows_at([1]), timelines)
    assert len(advance(tracks, Pings.empty(), timelines)[1].judged) == 0
    assert len(advance(tracks[:0], Pings.empty(), [])[0]) == 0


def test_progress_never_runs_backwards_on_a_clean_drive():
    plan, truth, pings = town_day(8, noise_m=2.0, canyons_per_h=0, outliers=0, late=0)
    _, facts = fold(pings, plan)
    under_way = facts.judged["route_id"] != 0
    along = facts.judged["along_m"][under_way]
    true = np.interp(pings.rows["recorded_ms"], truth.ms, truth.along_m)[under_way]
    assert true.max() > plan.length_m - 60  # the last metres belong to no route: it is completed
    assert np.diff(along).min() > -30
    assert np.abs(along - true).max() < 60


@pytest.mark.parametrize("mute", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_noisy_tour_is_followed(seed, mute):
    plan, truth, pings = town_day(seed, stops=25, mute=mute)
    track, facts = fold(pings, plan)
    true = np.interp(pings.rows["recorded_ms"], truth.ms, truth.along_m)
    believed = facts.judged["believed"]
    assert np.mean(np.abs(facts.judged["along_m"] - true)[believed] < 150) > 0.96
    arrived = of_type(facts.happened, ARRIVED)
    first = {int(stop_id): int(ms) for stop_id, ms in zip(arrived["stop_id"], arrived["occurred_ms"], strict=True)}
    right = np.array([abs(first.get(100 + row, 0) - ms) < 120_000 for row, ms in enumerate(truth.arrived_ms.tolist())])
    alone = np.diff(plan.stops[:, 3], prepend=-100) > 20  # neighbours' doors are too near for a phone to tell apart
    assert np.mean(right[alone]) >= 0.88
    assert len(arrived) <= 25 * 1.15
    # what the phone missed stays open
    is_done = len(first) == 25
    assert kinds(of_type(facts.happened, FactType.ROUTE_STARTED, FactType.ROUTE_COMPLETED)) == [10, 11][: 1 + is_done]
    assert track["finished"][0] == (plan.route_id if is_done else 0)
    assert (track["next_stop_id"] == 0) == is_done


STREET = [(0.0, 0.0), (3000.0, 0.0)]


def test_arrival_is_backdated_and_a_drive_by_is_none():
    plan = plan_along(STREET, [(1000, 10), (2000, 10)])
    times, x_m, y_m = walk((0, 0, 0), (200, 2000, 0), (320, 2000, 0), (420, 3000, 0))
    track, facts = fold(pings_at(times, x_m, y_m, speed_mps=np.where((times > 200) & (times < 320), 0.0, 10.0)), plan)
    stops = of_type(facts.happened, ARRIVED, DEPARTED)
    assert kinds(stops) == [ARRIVED, DEPARTED]
    assert stops["stop_id"].tolist() == [101, 101]
    assert ((stops["occurred_ms"] - START_MS) / 1000).tolist() == pytest.approx([200, 320], abs=6)
    assert stops["folded_ms"][0] == stops["occurred_ms"][0] + 15_000
    assert stops["ordinal"].tolist() == [1, 1]
    assert track["next_stop_id"] == 100  # nothing lies ahead, but one stop is open


@pytest.mark.parametrize("speeds", [True, False])
def test_two_fixes_thirty_seconds_apart_are_an_arrival(speeds):
    plan = plan_along(STREET, [(1000, 10)])
    times = np.arange(0, 301, 30.0)
    x_m = np.interp(times, [0, 110, 160, 300], [0, 1000, 1000, 3000])
    speed = np.where((times >= 110) & (times <= 160), 0.0, 10.0) if speeds else np.nan
    _, facts = fold(pings_at(times, x_m, 0, speed_mps=speed), plan)
    arrived = of_type(facts.happened, ARRIVED)
    assert len(arrived) == 1
    assert (arrived["occurred_ms"][0] - START_MS) / 1000 == 120


@pytest.mark.parametrize(("stands_s", "arrivals"), [(35, 1), (5, 0)])
def test_one_fix_inside_is_an_arrival_when_the_clock_says_so(stands_s, arrivals):
    plan = plan_along(STREET, [(1000, 10)])
    there, leaves = 110, 110 + stands_s
    times = np.arange(0, 301, 30.0)
    x_m = np.interp(times, [0, there, leaves, leaves + 140], [0, 1000, 1000, 2300])
    _, facts = fold(pings_at(times, x_m, 0), plan)
    stops = of_type(facts.happened, ARRIVED, DEPARTED)
    assert kinds(stops) == [ARRIVED, DEPARTED][: 2 * arrivals]
    assert ((stops["occurred_ms"] - START_MS) / 1000).tolist() == [120] * 2 * arrivals


def test_a_van_at_a_stop_stays_where_it_is_while_its_fixes_walk_about():
    plan = plan_along(STREET, [(1000, 10), (2500, 10)])
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (400, 1000, 0), (500, 2000, 0))
    standing = (times > 150) & (times < 400)
    walked_m = np.where((times > 100) & standing, 25 * np.sin(times / 20), 0.0)
    speed_mps = np.where((times >= 100) & (times < 400), 0.0, 10.0)
    track, facts = fold(pings_at(times, x_m + walked_m, y_m, speed_mps=speed_mps), plan)
    told_m, lon_e6 = facts.judged["along_m"], facts.judged["snapped_lon_e6"]
    assert np.ptp(walked_m[standing]) > 49
    assert np.ptp(told_m[standing]) < 12
    assert np.abs(told_m[standing] - 1000).max() < 10
    east_m = np.interp(lon_e6 / 1e6, plan.path_lon, plan.path_along_m)
    assert east_m == pytest.approx(told_m, abs=1.0)
    assert told_m[times > 420] == pytest.approx(x_m[times > 420], abs=10)
    assert np.float32(track["along_m"]) == told_m[-1]


def test_who_drives_off_inside_the_fence_stood_there_before():
    plan = plan_along(STREET, [(1000, 10)])
    times = np.arange(0, 301, 30.0)
    x_m = np.interp(times, [0, 110, 147, 287], [0, 1000, 1000, 2300])
    _, facts = fold(pings_at(times, x_m, 0, speed_mps=np.where(times == 120, 0.0, 9.0)), plan)
    stops = of_type(facts.happened, ARRIVED, DEPARTED)
    assert kinds(stops) == [ARRIVED, DEPARTED]
    assert ((stops["occurred_ms"] - START_MS) / 1000).tolist() == [120, 150]


def test_who_drives_through_says_the_phone_does_not_arrive():
    plan = plan_along(STREET, [(1000, 10)])
    times = np.arange(0, 301, 30.0)
    x_m = np.interp(times, [0, 110, 145, 285], [0, 1000, 1000, 2300])
    _, facts = fold(pings_at(times, x_m, 0, speed_mps=9.0), plan)
    assert not len(of_type(facts.happened, ARRIVED))


def test_a_stop_on_the_other_pass_is_not_reached():
    plan = plan_along([(0, 0), (2000, 0), (0, 0)], [(1900, 10), (1000, 10)], stop_along_m=[1900, 3000])
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (200, 1000, 0), (290, 1900, 0))
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    assert not len(of_type(facts.happened, ARRIVED))


def test_stops_are_reached_off_the_path_in_an_order_of_the_drivers_own():
    """From the street behind the houses, the last stop first; the tour is not done before the other."""
    plan = plan_along(STREET, [(1900, 45), (2600, 45)], stop_along_m=[1900, 2600])
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (140, 1000, 400), (300, 2600, 400), (340, 2600, 75), (400, 2600, 75),
        (440, 2600, 400), (510, 1900, 400), (550, 1900, 75), (610, 1900, 75), (650, 1900, 400),
    )  # fmt: skip
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    seen = of_type(facts.happened, ARRIVED, DEPARTED, FactType.ROUTE_COMPLETED)
    assert kinds(seen) == [ARRIVED, DEPARTED, ARRIVED, DEPARTED, FactType.ROUTE_COMPLETED]
    assert seen["stop_id"].tolist() == [101, 101, 100, 100, 0]
    assert ((seen["occurred_ms"][:4] - START_MS) / 1000).tolist() == pytest.approx([340, 400, 550, 610], abs=15)


def test_a_light_off_the_path_is_no_stop():
    plan = plan_along(STREET, [(1900, 45), (2600, 45)], stop_along_m=[1900, 2600])
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (140, 1000, 400), (300, 2600, 75), (315, 2600, 75), (400, 2600, 900)
    )
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    assert not len(of_type(facts.happened, ARRIVED))


def test_a_polygon_takes_the_place_of_the_circle():
    corners = [(1200, -20), (1300, -20), (1300, 20), (1200, 20), (1200, -20)]
    shape = {"type": "Polygon", "coordinates": [np.column_stack(place(*np.array(corners, float).T)).tolist()]}
    plan = plan_along([(0, 0), (3000, 0)], [(1250, 0)], shapes={100: shape}, radius_m=5)
    times, x_m, y_m = walk((0, 0, 0), (120, 1210, 0), (200, 1210, 0), (300, 2900, 0))
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    assert kinds(of_type(facts.happened, ARRIVED, DEPARTED)) == [ARRIVED, DEPARTED]
    away = pings_at(times, np.interp(times, [0, 120, 200, 300], [0, 1160, 1160, 2900]), 0)
    assert not len(of_type(fold(away, plan)[1].happened, ARRIVED))


def test_stops_of_one_building_share_a_visit():
    plan = plan_along(STREET, [(1000, 10), (1001, 10), (2000, 10)])
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (160, 1000, 0), (300, 2400, 0))
    track, facts = fold(pings_at(times, x_m, y_m), plan)
    assert of_type(facts.happened, ARRIVED)["stop_id"].tolist() == [100, 101]
    assert of_type(facts.happened, DEPARTED)["stop_id"].tolist() == [100, 101]
    assert track["next_stop_id"] == 0 or track["next_stop_id"] == 102


def test_next_door_is_a_visit_of_its_own():
    plan = plan_along(STREET, [(1000, 10), (1035, 10)])
    times, x_m, y_m = walk((0, 0, 0), (100, 1000, 0), (160, 1000, 0), (165, 1035, 0), (240, 1035, 0), (300, 2000, 0))
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    stops = of_type(facts.happened, ARRIVED, DEPARTED)
    assert list(zip(kinds(stops), stops["stop_id"].tolist(), strict=True)) == [
        (ARRIVED, 100), (DEPARTED, 100), (ARRIVED, 101), (DEPARTED, 101)
    ]  # fmt: skip


def test_a_second_visit_has_the_next_number():
    plan = plan_along([(0, 0), (2000, 0)], [(1000, 10), (1900, 10)])
    times, x_m, y_m = walk(
        (0, 900, 0), (10, 1000, 0), (60, 1000, 0),
        (120, 1300, 0), (180, 1000, 0), (240, 1000, 0), (300, 1400, 0),
    )  # fmt: skip
    _, facts = fold(pings_at(times, x_m, y_m, speed_mps=np.abs(np.gradient(x_m, times))), plan)
    assert of_type(facts.happened, ARRIVED)["ordinal"].tolist() == [1, 2]


def test_off_the_route_and_back():
    plan = plan_along(STREET)
    times, x_m, y_m = walk((0, 0, 0), (60, 600, 0), (90, 600, 400), (180, 1500, 400), (210, 1500, 0), (300, 2400, 0))
    track, facts = fold(pings_at(times, x_m, y_m), plan)
    turns = of_type(facts.happened, FactType.ROUTE_OFF, FactType.ROUTE_BACK)
    assert kinds(turns) == [FactType.ROUTE_OFF, FactType.ROUTE_BACK]
    assert turns["ordinal"][0] == turns["ordinal"][1] == turns["occurred_ms"][0]
    off = (turns["folded_ms"] - START_MS) / 1000
    assert 60 < off[0] < 90
    assert 200 < off[1] < 230
    middle = facts.judged[(times > 100) & (times < 180)]
    assert not middle["on_route"].any()
    assert np.isnan(middle["along_m"]).all()
    assert track["on_route"]
    assert track["along_m"] == pytest.approx(2400, abs=30)


def test_one_far_fix_is_not_off_the_route():
    plan = plan_along(STREET)
    times, x_m, y_m = walk((0, 0, 0), (60, 600, 0))
    y_m[6] = 120
    _, facts = fold(pings_at(times, x_m, y_m), plan)
    assert not len(of_type(facts.happened, FactType.ROUTE_OFF))
    assert facts.judged["on_route"].all()


def test_which_plan_a_ping_is_on():
    morning = plan_along(STREET, route_id=5, hours=2)
    evening = plan_along(STREET, route_id=6, start_ms=START_MS + 3 * 3_600_000, hours=2)
    timeline = Timeline(driver_id=1, plans=(evening, morning))

    def at(hours, finished=MappingProxyType({})):
        plan, _ = timeline.plan_at(START_MS + int(hours * 3_600_000), finished)
        return plan and plan.route_id

    assert [at(hours) for hours in (-2.1, -2, 0, 2.5, 6, 6.1, 9, 9.1)] == [None, 5, 5, 5, 5, 6, 6, None]
    assert [at(hours, {5: 1}) for hours in (0, 1, 2)] == [None, 6, 6]


def test_versions_of_others_end_an_assignment():
    mine = plan_along(STREET, route_id=5, version=1)
    theirs = plan_along(STREET, route_id=5, version=2, driver_id=2, effective_ms=START_MS + 60_000)
    mine_again = plan_along(STREET, route_id=5, version=3, effective_ms=START_MS + 120_000)
    timeline = Timeline(driver_id=1, plans=(theirs, mine, mine_again))
    got = [timeline.plan_at(START_MS + second * 1000)[0] for second in (0, 59, 60, 119, 120)]
    assert [plan and plan.version for plan in got] == [1, 1, None, None, 3]


def test_a_plan_that_changes_under_way_keeps_what_was_visited():
    first = plan_along(STREET, [(500, 10), (1000, 10), (2000, 10)], stop_ids=[100, 101, 102])
    second = plan_along(
        [(0, 0), (1500, 0), (1500, 600), (3000, 600)], [(500, 10), (1500, 500), (2500, 600)], stop_ids=[100, 103, 102],
        version=2, effective_ms=START_MS + 130_000,
    )  # fmt: skip
    times, x_m, y_m = walk(
        (0, 0, 0), (50, 500, 0), (110, 500, 0),
        (210, 1500, 0), (260, 1500, 500), (330, 1500, 500), (400, 2000, 600),
    )  # fmt: skip
    track, facts = fold(pings_at(times, x_m, y_m), first, second)
    assert set(facts.judged["route_version"].tolist()) == {1, 2}
    arrived = of_type(facts.happened, ARRIVED)
    assert arrived["stop_id"].tolist() == [100, 103]
    assert track["visits"][:4].tolist() == [1, 1, 0, 0]
    assert track["next_stop_id"] == 102
    assert track["along_m"] == pytest.approx(1500 + 600 + 500, abs=30)


def test_an_open_visit_closes_when_its_stop_is_taken_away():
    first = plan_along(STREET, [(500, 10), (2000, 10)], stop_ids=[100, 101])
    second = plan_along(STREET, [(2000, 10)], stop_ids=[101], version=2, effective_ms=START_MS + 100_000)
    times, x_m, y_m = walk((0, 0, 0), (50, 500, 0), (200, 500, 0))
    track, facts = fold(pings_at(times, x_m, y_m), first, second)
    stops = of_type(facts.happened, ARRIVED, DEPARTED)
    assert kinds(stops) == [ARRIVED, DEPARTED]
    assert (stops["folded_ms"][1], stops["occurred_ms"][1]) == (START_MS + 100_000, START_MS + 95_000)
    assert stops["route_version"][1] == 1
    assert not track["visits"].any()


def test_the_next_route_begins_when_the_first_is_done():
    first = plan_along(STREET, [(1000, 10), (2500, 10)], route_id=5)
    second = plan_along(STREET, [(1000, 10)], route_id=6, start_ms=START_MS + 1)
    times, x_m, y_m = walk(
        (0, 0, 0), (100, 1000, 0), (150, 1000, 0),
        (300, 2500, 0), (350, 2500, 0), (400, 3000, 0), (460, 2400, 0),
    )  # fmt: skip
    track, facts = fold(pings_at(times, x_m, y_m), first, second)
    assert kinds(of_type(facts.happened, FactType.ROUTE_COMPLETED)) == [FactType.ROUTE_COMPLETED]
    assert sorted(set(facts.judged["route_id"].tolist())) == [5, 6]
    assert (track["route_id"], track["finished"][:2].tolist()) == (6, [5, 0])


def test_a_driver_without_a_plan_is_kept_and_not_snapped():
    track, facts = fold(pings_at([0, 10, 20], [0, 50, 100], 0))
    assert facts.judged["believed"].all()
    assert np.isnan(facts.judged["along_m"]).all()
    assert (track["route_id"], track["next_stop_id"]) == (0, 0)
    assert np.isnan(track["delay_s"])


def test_how_late_a_van_is():
    planned = [START_MS + 100_000, START_MS + 300_000]
    plan = plan_along(STREET, [(1000, 10), (2000, 10)], planned_ms=planned, service_s=60)
    times, x_m, y_m = walk((0, 0, 0), (150, 1000, 0), (190, 1000, 0))
    track, _ = fold(pings_at(times, x_m, y_m), plan)
    assert track["delay_s"] == pytest.approx(50, abs=6)
    overstays, _ = fold(pings_at(*walk((0, 0, 0), (150, 1000, 0), (400, 1000, 0))), plan)
    assert overstays["delay_s"] == pytest.approx(240, abs=6)


def test_silence_is_told_once():
    plan = plan_along(STREET)
    track, _ = fold(pings_at([0, 10], [0, 100], 0), plan)
    tracks = np.array([track])
    heard = int(track["received_ms"])
    assert not len(tick(tracks, np.array([False]), heard + 500_000))
    fell = tick(tracks, np.array([False]), heard + 700_000)
    assert kinds(fell) == [FactType.DRIVER_SILENT]
    assert not len(tick(tracks, np.array([True]), heard + 700_000))
    assert kinds(tick(tracks, np.array([True]), heard + 1000)) == [FactType.DRIVER_SEEN]
    assert not len(tick(fresh(np.array([1])), np.array([False]), heard))


@given(st.integers(0, 10_000), st.floats(-80, 80), st.floats(0, 2900))
@settings(max_examples=40)
def test_a_first_fix_snaps_where_shapely_says(seed, off_m, at_m):
    """A winding path that never comes back: nearest is right, and shapely is the judge."""
    import shapely

    random = np.random.default_rng(seed)
    x_m = np.linspace(0, 3000, 40)
    plan = plan_along(np.column_stack((x_m, np.cumsum(random.normal(0, 15, 40)))).tolist())
    line = shapely.LineString(
        np.column_stack((np.append(plan.segments[:, 0], 0), np.append(plan.segments[:, 1], 0)))[:-1]
    )
    van = line.interpolate(min(at_m, line.length))
    _, snapped = snap_one(
        snap.fresh(1, at_m),
        Here(
            plans=[plan], ms=np.array([START_MS]), x_m=np.array([van.x]), y_m=np.array([van.y + off_m]),
            accuracy_m=np.array([10.0]), speed_mps=np.array([np.nan]), heading_deg=np.array([np.nan]),
        ),
    )  # fmt: skip
    place_ = shapely.Point(van.x, van.y + off_m)
    if snapped.on_route[0]:
        got = shapely.Point(snapped.x_m[0], snapped.y_m[0])
        assert place_.distance(got) == pytest.approx(place_.distance(line), abs=1.5)


def test_pings_of_the_whole_world():
    """Poles, seams and zeros: nothing breaks, nothing is NaN where it must not be."""
    pings = Pings.empty(7)
    pings.rows["driver_id"], pings.rows["device_id"] = 1, 9
    pings.rows["recorded_ms"] = START_MS + np.arange(7) * 3_600_000 // 4
    pings.rows["lat_e6"] = np.array([90, -90, 0, 89.9, -34.6, 0, 45]) * 1e6
    pings.rows["lon_e6"] = np.array([180, -180, 180, -180, -58.4, 0, 0]) * 1e6
    plan = plan_along(STREET, [(1000, 10)])
    track, facts = fold(pings.rows_at(in_order(pings.rows)), plan, fences=demo_fences())
    assert np.isfinite(facts.judged["along_m"]).sum() <= 1
    assert decode(encode(track)).tobytes() == track.tobytes()
    assert (LON, LAT) == (-58.44, -34.60)
