"""How wrong a phone's clock is, as what it sends shows."""

import numpy as np
import pytest

from geo.pings import UNKNOWN_MS
from geo.trust.clock import KnownClock, lost_ms, settled_ahead_ms, shown_ahead_ms
from geo.trust.numbers import SINCE_2001_MS, WEEKS_LOST_MS

NOW = 1_760_000_000_000
MINUTE = 60_000


def shown(*minutes, **rest):
    return shown_ahead_ms(NOW + np.array(minutes, np.int64) * MINUTE, NOW, **rest) / MINUTE


@pytest.mark.parametrize(
    ("minutes", "ahead"),
    [
        ((4,), 4),
        ((-30, 10), 10),
        ((60, 59, 58), 60),
        ((-5, -1), 0),
        ((0, 1), 0),
        ((), 0),
        ((2_000,), 0),
        ((5, 2_000), 5),
    ],
)  # fmt: skip
def test_the_newest_item_shows_a_clock_that_is_ahead(minutes, ahead):
    assert shown(*minutes) == ahead


@pytest.mark.parametrize(
    ("minutes", "ahead"),
    [
        ((-10, -5, 0, 5, 10), 10),
        ((-2, -1, 0, 180), 0),
        ((8, 9, 10, 180), 10),
        ((180,), 180),
        ((-40, 5), 0),
        ((-3, 5, 10, 55), 10),
    ],
)
def test_one_far_ahead_of_all_others_is_odd_by_itself(minutes, ahead):
    assert shown(*minutes, in_one_run=True) == ahead


@pytest.mark.parametrize("off", [-525_600, -60, -4, 4, 10, 60, 525_600])
def test_who_says_when_they_send_shows_it_outright(off):
    assert shown(-90, -1, sent_ms=NOW + off * MINUTE) == off


@pytest.mark.parametrize("off_s", [-59, 0, 59])
def test_the_way_of_a_message_is_no_wrong_clock(off_s):
    assert shown(-90, -1, sent_ms=NOW + off_s * 1000) == 0


def test_what_was_kept_for_a_while_is_corrected_as_what_is_sent_at_once():
    known = KnownClock(ahead_ms=60 * MINUTE, noted_ms=NOW - 2 * MINUTE)
    assert settled_ahead_ms(40 * MINUTE, known, NOW, is_said=False) == 60 * MINUTE
    assert settled_ahead_ms(61 * MINUTE, known, NOW, is_said=False) == 61 * MINUTE
    assert settled_ahead_ms(40 * MINUTE, known, NOW + 20 * MINUTE, is_said=False) == 40 * MINUTE
    assert settled_ahead_ms(40 * MINUTE, None, NOW, is_said=False) == 40 * MINUTE


def test_who_says_it_again_a_little_later_is_corrected_the_same():
    known = KnownClock(ahead_ms=-10 * MINUTE, noted_ms=NOW)
    assert settled_ahead_ms(-10 * MINUTE + 700, known, NOW, is_said=True) == -10 * MINUTE
    assert settled_ahead_ms(4 * MINUTE, known, NOW, is_said=True) == 4 * MINUTE


@pytest.mark.parametrize("lost", [WEEKS_LOST_MS, SINCE_2001_MS])
def test_a_time_counted_from_another_beginning_lacks_what_lies_between(lost):
    oldest = NOW - 30 * 24 * 60 * MINUTE
    times = np.array([NOW - lost, NOW + 5 * MINUTE - lost, oldest - lost], np.int64)
    assert lost_ms(times, oldest, NOW + 5 * MINUTE).tolist() == [lost] * 3


def test_what_can_be_meant_as_it_is_or_never_lacks_nothing():
    oldest = NOW - 30 * 24 * 60 * MINUTE
    times = [NOW, oldest, oldest - 1, NOW + 400 * 24 * 60 * MINUTE, 0, UNKNOWN_MS, NOW + 6 * MINUTE - WEEKS_LOST_MS]
    assert lost_ms(np.array(times, np.int64), oldest, NOW + 5 * MINUTE).tolist() == [0] * 7


@pytest.mark.parametrize(
    "rest", [{"sent_ms": NOW - 5 * MINUTE}, {"sent_ms": NOW + 5 * MINUTE}, {}, {"in_one_run": True}]
)
def test_a_phone_is_not_corrected_by_a_clock_of_ours_that_may_be_wrong(rest):
    assert shown(5, **rest) != 0
    assert shown(5, **rest, doubt_ms=4 * MINUTE) == 0
    assert shown(5, **rest, doubt_ms=3 * MINUTE) != 0
