"""A driver's own event wins: every rule, and that neither order nor batches change what comes of it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.fold.fold import advance, decode, encode, fresh
from geo.pings import Pings
from geo.plan.facts import HAPPENED, FactType
from geo.plan.plans import Claim, Timeline
from geo.visits.tour import AWAITED, DONE, VISITS
from tests.geo.city import LAT, LON, START_MS, kinds, of_type, once, pings_at, plan_along, walk

ARRIVED, DEPARTED = FactType.STOP_ARRIVED, FactType.STOP_DEPARTED
STARTED, COMPLETED = FactType.ROUTE_STARTED, FactType.ROUTE_COMPLETED
STREET = [(0.0, 0.0), (3000.0, 0.0)]
SETTLES = np.ones(1, bool)


def said(second: float, kind: str, stop_id: int = 0, route_id: int = 5, name: str = "", **place: float) -> Claim:
    return Claim(
        at_ms=START_MS + round(second * 1000), id=name or f"{second}{kind}", kind=kind, route_id=route_id,
        stop_id=stop_id, **place,
    )  # fmt: skip


def fold(pings, claims, *plans):
    timeline = Timeline(driver_id=1, plans=plans, claims=tuple(claims))
    tracks, facts = advance(fresh(np.array([1])), pings, [timeline], SETTLES)
    return tracks[0], facts


def newest(happened):
    """The last word about each fact: {(type, route, stop, ordinal): (second, source)}."""
    return {
        (FactType(int(row["type"])), int(row["route_id"]), int(row["stop_id"]), int(row["ordinal"])): (
            (int(row["occurred_ms"]) - START_MS) / 1000,
            int(row["source"]),
        )
        for row in happened
    }


def visits_of(happened, stop_id):
    """[(arrived, source, departed, source)] of a stop, in the order of ordinals."""
    facts = newest(happened)
    ordinals = sorted(key[3] for key in facts if key[0] == ARRIVED and key[2] == stop_id)
    nothing = (None, None)
    route = next((key[1] for key in facts if key[2] == stop_id), 0)
    return [
        (*facts[ARRIVED, route, stop_id, one], *facts.get((DEPARTED, route, stop_id, one), nothing)) for one in ordinals
    ]


def drive_to(*points, every_s=5.0, **columns):
    return pings_at(*walk(*points, every_s=every_s), **columns)


PLAN = plan_along(STREET, [(1000, 10), (2000, 10)])
SERVES_BOTH = drive_to((0, 0, 0), (100, 1000, 0), (200, 1000, 0), (300, 2000, 0), (400, 2000, 0), (500, 3000, 0))


# visits ---------------------------------------------------------------------------------------------------------------


def test_an_arrival_told_while_the_van_is_there_moves_the_visit():
    _, facts = fold(SERVES_BOTH, [said(130, "arrived", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(130, 1, 200, 0)]
    assert visits_of(facts.happened, 101) == [(305, 0, 400, 0)]
    told = facts.happened[facts.happened["source"] == 1]
    assert kinds(told) == [ARRIVED]
    assert told["folded_ms"].tolist() == [START_MS + 130_000]


def test_an_arrival_told_twice_keeps_the_first_time():
    _, facts = fold(SERVES_BOTH, [said(130, "arrived", 100), said(140, "arrived", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(130, 1, 200, 0)]


def test_the_place_of_a_claim_is_the_drivers_own():
    _, facts = fold(SERVES_BOTH, [said(130, "arrived", 100, lat=LAT, lon=LON), said(180, "departed", 100)], PLAN)
    told = facts.happened[facts.happened["source"] == 1]
    assert told["lat_e6"].tolist() == [round(LAT * 1e6), 0]
    assert np.isnan(told["along_m"]).all()


def test_an_arrival_that_no_fix_shows_is_a_visit():
    """Pressed a street away: the visit ends when the driver says so, not because the van is outside the fence."""
    pings = drive_to((0, 0, 0), (80, 800, 0), (300, 800, 0), (310, 700, 0))
    track, facts = fold(pings, [said(100, "arrived", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(100, 1, None, None)]
    assert track["standing"]["open"] == 1
    _, facts = fold(pings, [said(100, "arrived", 100), said(250, "departed", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(100, 1, 250, 1)]


def test_a_visit_the_driver_opened_ends_when_a_fix_was_inside_and_the_van_left():
    _, facts = fold(SERVES_BOTH, [said(95, "arrived", 100)], PLAN)
    (arrived, by, departed, then_by), *more = visits_of(facts.happened, 100)
    assert not more
    assert (arrived, by, then_by) == (95, 1, 0)
    assert departed == pytest.approx(200, abs=6)


def test_a_visit_the_driver_opened_ends_by_standing_at_another_stop():
    _, facts = fold(SERVES_BOTH, [said(260, "arrived", 100)], PLAN)
    first, again = visits_of(facts.happened, 100)
    assert first == pytest.approx((100, 0, 200, 0), abs=6)
    assert again[:2] == (260, 1)
    assert again[2] == visits_of(facts.happened, 101)[0][0]


def test_nobody_arrives_next_door_who_says_they_are_here():
    plan = plan_along(STREET, [(1000, 10), (1040, 10)])
    pings = drive_to((0, 0, 0), (102, 1025, 0), (200, 1025, 0), (300, 2000, 0))
    assert len(visits_of(fold(pings, [], plan)[1].happened, 101)) == 1
    _, facts = fold(pings, [said(103, "arrived", 100)], plan)
    assert visits_of(facts.happened, 101) == []
    assert len(visits_of(facts.happened, 100)) == 1


def test_an_arrival_elsewhere_ends_the_open_visit():
    _, facts = fold(SERVES_BOTH, [said(150, "arrived", 101)], PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 150, 1)]
    assert visits_of(facts.happened, 101)[0][:2] == (150, 1)


def test_a_departure_ends_the_visit_and_it_does_not_open_again_here():
    pings = drive_to((0, 0, 0), (100, 1000, 0), (400, 1000, 0), (500, 2000, 0))
    _, facts = fold(pings, [said(150, "departed", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 150, 1)]


def test_after_a_departure_the_stop_opens_again_once_the_van_was_away():
    pings = drive_to((0, 0, 0), (100, 1000, 0), (200, 1000, 0), (240, 1400, 0), (280, 1000, 0), (400, 1000, 0))
    _, facts = fold(pings, [said(150, "departed", 100)], PLAN)
    first, second = visits_of(facts.happened, 100)
    assert first == (105, 0, 150, 1)
    assert second[:2] == (pytest.approx(280, abs=25), 0)


def test_a_departure_told_late_moves_the_end_of_the_last_visit_once():
    claims = [said(240, "departed", 100), said(250, "departed", 100)]
    _, facts = fold(SERVES_BOTH, claims, PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 240, 1)]


def test_nobody_leaves_a_stop_after_coming_to_the_next():
    _, facts = fold(SERVES_BOTH, [said(350, "departed", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 305, 1)]
    assert visits_of(facts.happened, 101)[0][0] == 305


def test_a_departure_from_a_stop_not_visited_is_nothing():
    _, facts = fold(SERVES_BOTH, [said(50, "departed", 101)], PLAN)
    assert newest(facts.happened) == newest(fold(SERVES_BOTH, [], PLAN)[1].happened)


def test_doors_of_one_building_are_left_one_by_one():
    plan = plan_along(STREET, [(1000, 10), (1001, 10), (2000, 10)])
    pings = drive_to((0, 0, 0), (100, 1000, 0), (200, 1000, 0), (300, 2000, 0))
    claims = [said(120, "arrived", 100), said(140, "departed", 100), said(150, "arrived", 101)]
    _, facts = fold(pings, claims, plan)
    assert visits_of(facts.happened, 100) == [(120, 1, 140, 1)]
    assert visits_of(facts.happened, 101) == [(150, 1, 200, 0)]


# without GPS ----------------------------------------------------------------------------------------------------------


def test_a_driver_whose_phone_sends_no_pings_has_visits():
    claims = [
        said(0, "route_started"), said(100, "arrived", 100), said(150, "completed", 100), said(160, "departed", 100),
        said(300, "arrived", 101), said(370, "completed", 101), said(380, "departed", 101),
    ]  # fmt: skip
    track, facts = fold(Pings.empty(), claims, PLAN)
    assert newest(facts.happened)[STARTED, 5, 0, 1] == (0, 1)
    assert visits_of(facts.happened, 100) == [(100, 1, 160, 1)]
    assert visits_of(facts.happened, 101) == [(300, 1, 380, 1)]
    assert newest(facts.happened)[COMPLETED, 5, 0, 1] == (380, 1)
    assert track["at_ms"] == START_MS + 380_000
    with pytest.raises(ValueError, match="position"):
        advance(np.array([track]), pings_at([380], 0, 0), [Timeline(driver_id=1)])


def test_claims_after_the_last_ping_wait_unless_it_is_the_last():
    timeline = Timeline(driver_id=1, plans=(PLAN,), claims=(said(500, "arrived", 101),))
    pings = drive_to((0, 0, 0), (100, 1000, 0))
    waiting, _ = advance(fresh(np.array([1])), pings, [timeline])
    assert waiting["at_ms"][0] == START_MS + 100_000
    now, facts = advance(waiting, Pings.empty(), [timeline], SETTLES)
    assert (now["at_ms"][0], kinds(facts.happened)) == (START_MS + 500_000, [ARRIVED])
    again, facts = advance(now, Pings.empty(), [timeline], SETTLES)
    assert again.tobytes() == now.tobytes()
    assert not len(facts.happened)


# stops that are done --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["completed", "partially_completed", "failed", "skipped"])
def test_a_stop_that_is_done_is_not_next(kind):
    pings = drive_to((0, 0, 0), (50, 500, 0))
    track, facts = fold(pings, [said(50, kind, 100)], PLAN)
    assert track["next_stop_id"] == 101
    assert not len(of_type(facts.happened, ARRIVED))
    assert track["visits"][0] & DONE
    back, _ = fold(pings, [said(50, kind, 100), said(51, "reopened", 100)], PLAN)
    assert back["next_stop_id"] == 100


def test_a_stop_done_before_its_arrival_is_known_is_visited_all_the_same():
    _, facts = fold(SERVES_BOTH, [said(108, "completed", 100)], PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 200, 0)]


def test_the_last_stop_said_done_completes_the_tour():
    track, facts = fold(drive_to((0, 0, 0), (100, 1000, 0), (150, 1000, 0), (200, 1500, 0)), [
        said(140, "completed", 100), said(200, "failed", 101)
    ], PLAN)  # fmt: skip
    assert newest(facts.happened)[COMPLETED, 5, 0, 1] == (200, 1)
    assert track["finished"][0] == 5


def test_a_reopened_stop_is_driven_to_again():
    pings = drive_to(
        (0, 0, 0), (100, 1000, 0), (160, 1000, 0), (260, 2000, 0), (320, 2000, 0), (400, 2800, 0),
        (580, 1000, 0), (660, 1000, 0), (760, 2000, 0),
    )  # fmt: skip
    before, facts = fold(pings.rows_at(slice(0, 80)), [], PLAN)
    assert before["finished"][0] == 5
    claims = [said(390, "completed", 100), said(450, "reopened", 100), said(500, "completed", 101)]
    track, facts = fold(pings.rows_at(slice(0, 100)), claims, PLAN)
    assert (track["finished"][0], track["route_id"], track["next_stop_id"]) == (0, 5, 100)
    assert track["visits"][0] & AWAITED
    claims.append(said(640, "completed", 100))
    track, facts = fold(pings, claims, PLAN)
    assert [ordinal for kind, _, stop, ordinal in newest(facts.happened) if (kind, stop) == (ARRIVED, 100)] == [1, 2]
    assert {key[3] for key in newest(facts.happened) if key[0] == COMPLETED} == {1, 2}


# which route ----------------------------------------------------------------------------------------------------------

FIRST = plan_along(STREET, [(1000, 10), (2500, 10)], route_id=5)
SECOND = plan_along(STREET, [(1500, 10), (2000, 10)], route_id=6, start_ms=START_MS + 1, stop_ids=[200, 201])


@pytest.mark.parametrize("kind", ["route_started", "arrived"])
def test_the_driver_says_which_route_it_is(kind):
    pings = drive_to((0, 0, 0), (300, 3000, 0))
    _, facts = fold(pings, [said(52, kind, 200 * (kind == "arrived"), route_id=6)], FIRST, SECOND)
    assert facts.judged["route_id"][:11].tolist() == [5] * 11
    assert set(facts.judged["route_id"][11:].tolist()) == {6}
    assert newest(facts.happened)[STARTED, 6, 0, 1] == (52, 1)


def test_a_start_told_later_than_the_fixes_say_counts():
    _, facts = fold(drive_to((0, 0, 0), (200, 900, 0)), [said(100, "route_started")], PLAN)
    assert newest(facts.happened)[STARTED, 5, 0, 1] == (100, 1)


def test_a_route_of_others_or_out_of_hours_is_not_chosen():
    theirs = plan_along(STREET, [(1500, 10)], route_id=6, driver_id=2, stop_ids=[200])
    tomorrow = plan_along(STREET, [(1500, 10)], route_id=7, start_ms=START_MS + 86_400_000, stop_ids=[300])
    claims = [said(10, "route_started", route_id=6), said(20, "route_started", route_id=7)]
    _, facts = fold(drive_to((0, 0, 0), (100, 900, 0)), claims, PLAN, theirs, tomorrow)
    assert set(facts.judged["route_id"].tolist()) == {5}


def test_coming_back_to_a_route_goes_on_counting_its_visits():
    pings = drive_to(
        (0, 0, 0), (100, 1000, 0), (150, 1000, 0), (250, 2000, 0), (300, 2000, 0), (400, 1000, 0), (460, 1000, 0)
    )
    claims = [said(200, "route_started", route_id=6), said(350, "route_started", route_id=5)]
    _, facts = fold(pings, claims, FIRST, SECOND)
    arrived = of_type(facts.happened, ARRIVED)
    assert [(row["stop_id"], row["ordinal"]) for row in arrived] == [(100, 1), (201, 1), (100, 2)]
    assert kinds(of_type(facts.happened, STARTED)) == [STARTED, STARTED]


def test_a_route_given_away_and_back_goes_on_counting_its_visits():
    versions = [
        plan_along(STREET, [(1000, 10), (2500, 10)], version=1),
        plan_along(STREET, [(1000, 10), (2500, 10)], version=2, driver_id=2, effective_ms=START_MS + 200_000),
        plan_along(
            STREET, [(500, 10), (1000, 10), (2500, 10)], version=3, stop_ids=[109, 100, 101],
            effective_ms=START_MS + 300_000,
        ),
    ]  # fmt: skip
    pings = drive_to((0, 0, 0), (100, 1000, 0), (150, 1000, 0), (250, 2000, 0), (400, 1000, 0), (460, 1000, 0))
    track, facts = fold(pings, [], *versions)
    arrived = of_type(facts.happened, ARRIVED)
    assert [(row["stop_id"], row["ordinal"]) for row in arrived] == [(100, 1), (100, 2)]
    assert (track["visits"][:3] & VISITS).tolist() == [0, 2, 0]


def test_a_finished_route_that_gets_another_stop_is_driven_on():
    first = plan_along(STREET, [(500, 10), (1000, 10)], version=1)
    second = plan_along(STREET, [(500, 10), (1000, 10), (2000, 10)], version=2, effective_ms=START_MS + 400_000)
    pings = drive_to(
        (0, 0, 0), (50, 500, 0), (100, 500, 0), (150, 1000, 0), (200, 1000, 0), (300, 1700, 0), (450, 1700, 0),
        (480, 2000, 0), (540, 2000, 0), (600, 2600, 0),
    )  # fmt: skip
    track, facts = fold(pings, [], first, second)
    arrived = of_type(facts.happened, ARRIVED)
    assert [(row["stop_id"], row["ordinal"]) for row in arrived] == [(100, 1), (101, 1), (102, 1)]
    done = of_type(facts.happened, COMPLETED)
    assert [(row["route_version"], row["ordinal"]) for row in done] == [(1, 1), (2, 2)]
    assert (track["finished"][:2].tolist(), track["finished_version"][0]) == ([5, 0], 2)


def test_a_tour_is_back_when_it_stands_near_the_depot_or_comes_to_it():
    plan = plan_along(STREET, [(1000, 10)], return_to_depot=True)
    to_stop = [(0, 0, 0), (100, 1000, 0), (150, 1000, 0)]

    def completed_at(*points):
        _, facts = fold(drive_to(*to_stop, *points), [], plan)
        return [second for key, (second, _) in newest(facts.happened).items() if key[0] == COMPLETED]

    assert completed_at((350, 3000, 0)) == [350]
    assert completed_at((335, 2850, 0), (400, 2850, 0)) == [pytest.approx(340, abs=10)]
    assert completed_at((310, 2700, 0), (400, 2700, 0)) == []


def test_a_tour_whose_last_stop_is_at_the_depot_is_completed_by_arriving_there():
    plan = plan_along(STREET, [(1000, 10), (2980, 10)], return_to_depot=True)
    nexts = plan_along(STREET, [(500, 10)], route_id=6, start_ms=START_MS + 3_600_000)
    to_depot = [(0, 0, 0), (100, 1000, 0), (150, 1000, 0), (350, 2980, 0)]
    track, facts = fold(drive_to(*to_depot, (600, 2980, 0)), [], plan, nexts)
    (arrived,) = visits_of(facts.happened, 101)
    assert arrived == (pytest.approx(350, abs=10), 0, None, None)
    assert newest(facts.happened)[COMPLETED, 5, 0, 1] == (arrived[0], 0)
    assert track["route_id"] == 5  # and it is there until it leaves

    leaves = drive_to(*to_depot, (600, 2980, 0), (640, 2700, 0), (700, 2100, 0))
    claims = [said(370, "arrived", 101), said(500, "departed", 101)]
    for heard, expected in ([], (arrived[0], 0, pytest.approx(600, abs=6), 0)), (claims, (370, 1, 500, 1)):
        track, facts = fold(leaves, heard, plan, nexts)
        assert visits_of(facts.happened, 101) == [expected]
        assert [key for key in newest(facts.happened) if key[0] == COMPLETED] == [(COMPLETED, 5, 0, 1)]
        assert track["route_id"] == 6


def test_a_stop_next_to_the_depot_keeps_a_tour_open_until_the_van_is_home():
    plan = plan_along(STREET, [(1000, 10), (2930, 10)], return_to_depot=True)
    points = [(0, 0, 0), (100, 1000, 0), (150, 1000, 0), (350, 2930, 0), (450, 2930, 0), (460, 2995, 0), (600, 2995, 0)]
    _, facts = fold(drive_to(*points), [], plan)
    assert newest(facts.happened)[COMPLETED, 5, 0, 1][0] == pytest.approx(455, abs=10)


def test_a_tour_that_was_done_at_the_depot_is_driven_on_when_it_gets_a_stop():
    first = plan_along(STREET, [(1000, 10), (2980, 10)], return_to_depot=True)
    second = plan_along(
        STREET, [(1000, 10), (2000, 10), (2980, 10)], stop_ids=[100, 102, 101], version=2, return_to_depot=True,
        effective_ms=START_MS + 500_000,
    )  # fmt: skip
    points = [(0, 0, 0), (100, 1000, 0), (150, 1000, 0), (350, 2980, 0), (600, 2980, 0), (700, 2000, 0), (760, 2000, 0)]
    _, facts = fold(drive_to(*points, (860, 2980, 0), (960, 2980, 0)), [], first, second)
    done = of_type(facts.happened, COMPLETED)
    assert [(row["route_version"], row["ordinal"]) for row in done] == [(1, 1), (2, 2)]
    assert (done["occurred_ms"][1] - START_MS) / 1000 == pytest.approx(860, abs=10)


# the order of inputs --------------------------------------------------------------------------------------------------

SERVED_KINDS = ("arrived", "departed", "completed", "failed", "skipped", "reopened", "route_started", "route_ended")


def a_day():
    """Noisy driving over two routes, one of them changed twice under way, and a suspect here and there."""
    pings = drive_to(
        (0, 0, 0), (100, 1000, 0), (150, 1000, 0), (250, 2000, 0), (300, 2000, 0), (400, 1000, 0), (460, 1000, 0),
        (600, 2500, 0), (680, 2500, 0), (760, 3000, 0),
    )  # fmt: skip
    noise = np.random.default_rng(7)
    pings.rows["lat_e6"] += noise.integers(-40, 40, len(pings)).astype(np.int32)
    for at in (20, 21, 70, 71, 72, 110):
        pings.rows["lat_e6"][at] += 60_000
    pings.rows["accuracy_m"][[33, 90]] = 900
    versions = [
        FIRST,
        plan_along(STREET, [(1000, 10), (2500, 10)], version=2, driver_id=2, effective_ms=START_MS + 320_000),
        plan_along(
            STREET, [(1000, 10), (1500, 10), (2500, 10)], version=3, stop_ids=[100, 109, 101],
            effective_ms=START_MS + 350_000,
        ),
    ]  # fmt: skip
    return once(pings), (*versions, SECOND)


DAY, PLANS = a_day()
HOME = plan_along(
    [(0, 0), (2500, 0)], [(1000, 10), (1500, 10), (2500, 10)], version=3, stop_ids=[100, 109, 101],
    effective_ms=START_MS + 350_000, return_to_depot=True,
)  # fmt: skip

CLAIMS = st.lists(
    st.builds(
        lambda second, kind, where, name: said(
            second / 10, kind, where[1] if not kind.startswith("route_") else 0, where[0], f"{name:08}"
        ),
        st.integers(-100, 8_000), st.sampled_from(SERVED_KINDS),
        st.sampled_from([(5, 100), (5, 101), (5, 109), (6, 200), (6, 201)]), st.integers(0, 99_999_999),
    ),
    max_size=8, unique_by=lambda claim: claim.id,
)  # fmt: skip


@pytest.mark.parametrize("plans", [PLANS, (*PLANS[:2], HOME, PLANS[3])], ids=["", "back to the depot"])
@given(CLAIMS, st.lists(st.integers(0, len(DAY)), max_size=10), st.lists(st.booleans(), min_size=11, max_size=11))
@settings(max_examples=20)
def test_no_border_of_a_batch_changes_history_with_claims(plans, claims, cuts, ends):
    """Batches, and claims told at once or with the next pings, where none can be late: the same states and facts."""
    timeline = Timeline(driver_id=1, plans=plans, claims=tuple(claims))
    whole, facts = advance(fresh(np.array([1])), DAY, [timeline], SETTLES)
    track = fresh(np.array([1]))
    judged: dict[tuple[int, ...], bytes] = {}
    happened = []
    parts = np.split(np.arange(len(DAY)), sorted(cuts))
    for i, part in enumerate(parts):
        next_ms = DAY.rows["recorded_ms"][part[-1] + 1] if len(part) and part[-1] + 1 < len(DAY) else None
        heard = timeline
        settles = SETTLES
        if i < len(parts) - 1:  # what is told so far, up to the next ping
            told = () if next_ms is None else tuple(one for one in timeline.claims if one.at_ms < next_ms)
            heard = Timeline(driver_id=1, plans=plans, claims=told)
            settles = np.array([ends[i] and next_ms is not None])
            if next_ms is None:
                heard = timeline
        track, some = advance(track, DAY.rows_at(part), [heard], settles)
        track = np.array([decode(encode(track[0]))])
        for row, result in zip(DAY.rows[part], some.judged, strict=True):
            judged[tuple(row[["recorded_ms", "lat_e6", "lon_e6"]].item())] = result.tobytes()
        for row in some.rejudged:
            judged[tuple(row[["recorded_ms", "lat_e6", "lon_e6"]].item())] = row["judged"].tobytes()
        happened.append(some.happened)
    expected = {
        tuple(row[["recorded_ms", "lat_e6", "lon_e6"]].item()): result.tobytes()
        for row, result in zip(DAY.rows, facts.judged, strict=True)
    }
    for row in facts.rejudged:
        expected[tuple(row[["recorded_ms", "lat_e6", "lon_e6"]].item())] = row["judged"].tobytes()
    assert judged == expected
    joined = np.concatenate(happened) if happened else np.zeros(0, HAPPENED)
    assert joined.tobytes() == facts.happened.tobytes()
    assert track[0].tobytes() == whole[0].tobytes()


@given(CLAIMS)
@settings(max_examples=30)
def test_visits_are_in_order_whatever_drivers_say(claims):
    _, facts = fold(DAY, claims, *PLANS)
    facts_of = newest(facts.happened)
    for (kind, route, stop, ordinal), (second, _) in facts_of.items():
        if kind == DEPARTED:
            assert facts_of[ARRIVED, route, stop, ordinal][0] <= second
        if kind == ARRIVED and ordinal > 1:
            assert facts_of[DEPARTED, route, stop, ordinal - 1][0] <= second


# the end of a tour ----------------------------------------------------------------------------------------------------


def test_who_ends_a_tour_is_on_the_next_one_and_it_is_not_done():
    track, facts = fold(SERVES_BOTH, [said(252, "route_ended")], PLAN)
    assert track["route_id"] == 0
    at_s = (SERVES_BOTH.rows["recorded_ms"] - START_MS) / 1000
    assert facts.judged["route_id"].tolist() == np.where(at_s < 252, 5, 0).tolist()
    assert visits_of(facts.happened, 100) == [(105, 0, 200, 0)]
    assert visits_of(facts.happened, 101) == []
    assert not len(of_type(facts.happened, COMPLETED))


def test_a_visit_lasts_until_the_van_leaves_whatever_was_ended_meanwhile():
    track, facts = fold(SERVES_BOTH, [said(150, "route_ended")], PLAN)
    assert visits_of(facts.happened, 100) == [(105, 0, 200, 0)]
    assert track["route_id"] == 0


def test_a_tour_that_was_ended_is_taken_up_by_a_word():
    _, facts = fold(SERVES_BOTH, [said(150, "route_ended"), said(220, "route_started")], PLAN)
    assert len(visits_of(facts.happened, 101)) == 1
