import numpy as np
import pytest

from geo.fold.fold import FactType, advance, fresh
from geo.pings import Pings
from geo.plan.plans import Timeline
from geo.trust.clean import Flag, names
from tests.geo.city import START_MS, fold, fold_in_batches, once, pings_at, place


def flags(pings):
    return [names(int(row)) for row in fold(pings)[1].judged["flags"]]


def join(*parts):
    return once(Pings.concat(parts))


def test_names_are_stable():
    assert [names(flag) for flag in Flag] == [
        ["inaccurate"], ["jump"], ["too_fast"], ["clock_ahead"], ["null_island"], ["mock"], ["other_device"],
        ["gps_week_rollover"], ["epoch_2001"], ["receive_time"], ["clock_corrected"],
    ]  # fmt: skip
    assert names(0) == []


def test_what_was_judged_by_other_thresholds_is_judged_anew():
    """A stored ping brings the flags of its last fold; what its receiver saw stays."""
    pings = pings_at([0, 1, 2], [0, 10, 20], 0, speed_mps=9.0)
    pings.rows["flags"] = int(
        Flag.INACCURATE
        | Flag.JUMP
        | Flag.TOO_FAST
        | Flag.NULL_ISLAND
        | Flag.MOCK
        | Flag.OTHER_DEVICE
        | Flag.RECEIVE_TIME
    )
    assert flags(pings) == [["receive_time"]] * 3
    pings.rows["accuracy_m"] = 900
    assert flags(pings) == [["inaccurate", "receive_time"]] * 3


def test_an_outlier_is_a_jump_and_moves_nothing():
    pings = pings_at([0, 1, 2, 3], [0, 10, 600, 30], 0)
    track, facts = fold(pings)
    assert flags(pings) == [[], [], ["jump"], []]
    assert facts.judged["believed"].tolist() == [True, True, False, True]
    assert not len(facts.rejudged)
    assert track["recorded_ms"] == pings.rows["recorded_ms"][3]


def test_a_suspect_is_believed_again_when_the_next_ping_agrees():
    pings = pings_at([0, 1, 2, 3], [0, 10, 900, 905], 0)
    _, facts = fold(pings)
    assert facts.judged["believed"].tolist() == [True, True, False, True]
    assert len(facts.rejudged) == 1
    again = facts.rejudged[0]
    assert again["recorded_ms"] == pings.rows["recorded_ms"][2]
    assert (again["judged"]["believed"], again["judged"]["flags"]) == (True, 0)


def test_the_same_cached_place_again_is_no_witness():
    """A phone without a satellite gives its last known place again and again, with fresh times."""
    pings = pings_at(np.arange(9), [0, 0, 0, 4000, 4000, 0, 4000, 4000, 4000], 0)
    assert flags(pings) == [[], [], [], ["jump"], ["jump"], [], ["jump"], ["jump"], ["jump"]]


def test_the_same_place_for_a_minute_is_where_the_van_stands():
    pings = pings_at([0, 1, 2, *range(3, 90, 10)], [0, 0, 0, *[40_000] * 9], 0)
    believed = fold(pings)[1].judged["believed"].tolist()
    assert believed[:8] == [True] * 3 + [False] * 5
    assert believed[-1]


def test_where_many_fixes_were_takes_more_than_one_witness_to_give_up():
    """Two places of before, sent anew, are near each other and are not where the van is."""
    pings = pings_at(np.arange(10), [0, 5, 0, 5, 4000, 4010, 5, 0, 5, 0], 0)
    assert [row == ["jump"] for row in flags(pings)] == [False] * 4 + [True] * 2 + [False] * 4
    driven = pings_at(np.arange(8), [0, 5, 0, 5, 4000, 4010, 4020, 4030], 0)
    _, facts = fold(driven)
    assert facts.judged["believed"].tolist() == [True] * 4 + [False] * 2 + [True] * 2
    assert len(facts.rejudged) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_witnesses_are_counted_across_blocks(size):
    pings = pings_at(np.arange(20), [*[0, 3] * 4, 4000, 4000, 4008, 4016, 4024, *[4030, 4036] * 3, 4040], 0)
    timelines = {1: Timeline(driver_id=1)}
    batches = [pings.rows_at(slice(first, first + size)) for first in range(0, len(pings), size)]
    assert fold_in_batches(pings, batches, timelines)[:2] == fold_in_batches(pings, [pings], timelines)[:2]


def test_a_phone_that_is_never_believed_keeps_no_other_out():
    """An old phone in a drawer, still logged in: it spoke first, and nothing of it is believed."""
    good = pings_at(np.arange(30, 300, 5), np.arange(54) * 40.0, 0, device_id=8)
    for junk in ({"accuracy_m": 1500}, {"mock": 1}):
        drawer = pings_at(np.arange(0, 300, 60), 0, 0, **junk)
        both = join(drawer, good)
        believed = fold(both)[1].judged["believed"]
        assert believed[both.rows["device_id"] == 8].all()
        assert not believed[both.rows["device_id"] != 8].any()


def test_a_phone_that_is_believed_no_more_gives_way():
    mine, other = pings_at([0, 10, 20], 0, 0), pings_at(np.arange(30, 700, 30), 50, 0, device_id=8)
    blind = pings_at(np.arange(25, 700, 30), 0, 0, accuracy_m=900)
    both = join(mine, blind, other)
    believed = fold(both)[1].judged["believed"][both.rows["device_id"] == 8]
    assert believed.tolist() == [at_s - 20 > 300 for at_s in range(30, 700, 30)]


def test_a_phone_that_was_shut_out_gives_way_from_its_last_ping_on():
    mine, other = pings_at([0, 10, 20], 0, 0), pings_at(np.arange(5, 100, 10), 5, 0, device_id=8)
    both = join(mine, other)
    tracks = fresh(np.array([1]))
    for ended_ms, from_s in ({}, 1_000), ({9: START_MS + 20_000}, 20):
        timeline = Timeline(driver_id=1, ended_ms=ended_ms)
        believed = advance(tracks, both, [timeline])[1].judged["believed"]
        assert believed[both.rows["device_id"] == 8].tolist() == [at_s > from_s for at_s in range(5, 100, 10)]
        assert believed[both.rows["device_id"] == 9].all()


PHONES = [  # which phone records every five seconds from when to when; the ninth is shut out as it says, if it is
    ("quiet", {}, [(9, 0, 20), (8, 10, 400)], [(9, 15, False)]),
    ("shut out", {9: 20}, [(9, 0, 20), (8, 10, 100)], [(9, 20, True)]),
    ("shut out later", {9: 500}, [(9, 0, 20), (8, 10, 400)], [(9, 15, False)]),
    ("and back", {}, [(9, 0, 20), (8, 10, 400), (9, 710, 800)], [(9, 15, False), (8, 395, False)]),
    ("one phone", {9: 20}, [(9, 0, 20)], []),
]


@pytest.mark.parametrize(("ended", "recorded", "told"), [one[1:] for one in PHONES], ids=[one[0] for one in PHONES])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_phone_that_is_the_active_one_no_more_is_told(ended, recorded, told, size):
    pings = join(*(pings_at(np.arange(since, until, 5), 0, 0, device_id=phone) for phone, since, until in recorded))
    timeline = Timeline(driver_id=1, ended_ms={phone: START_MS + at_s * 1000 for phone, at_s in ended.items()})
    batches = [pings.rows_at(slice(first, first + size)) for first in range(0, len(pings), size)]
    tracks, found = fresh(np.array([1])), []
    for batch in batches:
        tracks, facts = advance(tracks, batch, [timeline])
        for one in facts.happened[facts.happened["type"] == FactType.PHONE_ENDED]:
            assert one["occurred_ms"] <= one["folded_ms"]
            found.append((int(one["device_id"]), (int(one["occurred_ms"]) - START_MS) // 1000, bool(one["source"])))
    assert found == told


def test_a_second_outlier_elsewhere_does_not_clear_the_first():
    assert flags(pings_at([0, 1, 2, 3], [0, 900, -900, 5], 0)) == [[], ["jump"], ["jump"], []]


def test_a_believed_last_ping_that_jumps_is_what_moves_the_track():
    track, _ = fold(pings_at([0, 1, 2], [0, 10, 600], 0))
    assert track["recorded_ms"] % 1000 == 0
    assert track["at_ms"] - track["recorded_ms"] == 1000


def test_what_the_ping_says_of_itself():
    assert flags(pings_at([0, 1], 0, 0, accuracy_m=[8, 500])) == [[], ["inaccurate"]]
    assert flags(pings_at([0, 1], 0, 0, mock=1)) == [["mock"], ["mock"]]
    assert flags(pings_at([0, 1], 0, 0, speed_mps=[3, 90])) == [[], ["too_fast"]]
    null = pings_at([0, 1], 0, 0)
    null.rows["lat_e6"][1] = null.rows["lon_e6"][1] = 3
    assert flags(null) == [[], ["null_island"]]


def test_an_impossible_speed_does_not_unmake_the_place():
    track, facts = fold(pings_at([0, 1], [0, 5], 0, speed_mps=[3, 90]))
    assert facts.judged["believed"].all()
    assert track["lon_e6"] == pytest.approx(place(5, 0)[0] * 1e6, abs=2)


def test_a_clock_ahead_moves_not_even_the_position():
    pings = pings_at([0, 1, 3600], [0, 5, 10], 0)
    pings.rows["flags"][2] = Flag.CLOCK_AHEAD
    track, facts = fold(pings)
    assert facts.judged["believed"].tolist() == [True, True, False]
    assert track["at_ms"] == pings.rows["recorded_ms"][1]


def test_the_other_phone_waits_until_the_active_one_is_quiet():
    mine, other = pings_at(np.arange(0, 60, 10), 0, 0), pings_at([5, 25, 349, 351, 352], 50, 0, device_id=8)
    both = join(mine, other, pings_at([360], 0, 0))
    got = [
        (device_id, "other_device" in flag) for device_id, flag in zip(both.rows["device_id"], flags(both), strict=True)
    ]
    assert [waits for device_id, waits in got if device_id == 8] == [True, True, True, False, False]
    assert [waits for device_id, waits in got if device_id == 9] == [False] * 6 + [True]


def test_repairs_stay_named_and_count():
    pings = pings_at([0, 1], 0, 0)
    pings.rows["flags"] = Flag.RECEIVE_TIME | Flag.EPOCH_2001
    _, facts = fold(pings)
    assert names(int(facts.judged["flags"][0])) == ["epoch_2001", "receive_time"]
    assert facts.judged["believed"].all()


def test_two_fixes_of_one_second_may_differ_by_their_accuracy_only():
    assert flags(pings_at([0, 0], [0, 20], 0)) == [[], []]
    assert ["jump"] in flags(pings_at([0, 0], [0, 200], 0))
