"""What is shared out, on paper: nobody takes everything, and whoever comes next finds room."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.problem import TooManyRequests, Unavailable
from api.http.shares.bodies import SLOWEST_BYTES_S, Pace
from api.http.shares.ledger import REFUSED, TIMES, Ledger


def take_all(ledger: Ledger, kind: str, who: int) -> int:
    """Take one after the other until it is refused; give how many."""
    for taken in range(ledger.most + 1):
        try:
            ledger.take([(kind, who)])
        except (TooManyRequests, Unavailable):
            return taken
    raise AssertionError("nothing was refused")


def test_alone_a_device_comes_to_a_ninth_and_an_account_to_four_fifths() -> None:
    assert take_all(Ledger("things", 900), "device", 1) == 100
    assert take_all(Ledger("things", 1_000), "account", 1) == 800


@given(greedy=st.lists(st.sampled_from(sorted(TIMES)), min_size=1, max_size=4))
def test_however_many_are_greedy_one_who_comes_next_finds_room(greedy: list[str]) -> None:
    ledger = Ledger("things", 3_000)
    for who, kind in enumerate(greedy):
        take_all(ledger, kind, who)
    assert ledger.total < ledger.most
    ledger.take([("device", -1)])


def test_what_is_refused_is_counted_and_says_when_to_come_back() -> None:
    ledger = Ledger("things", 900)
    before = REFUSED.labels("things", "device")._value.get()
    take_all(ledger, "device", 1)
    with pytest.raises(TooManyRequests) as refused:
        ledger.take([("device", 1)])
    assert int(refused.value.headers["Retry-After"]) > 0
    assert REFUSED.labels("things", "device")._value.get() == before + 2


def test_all_together_hold_no_more_than_there_is_but_one_alone_may_hold_anything() -> None:
    ledger = Ledger("things", 15)
    with ledger.held([("device", 1)], 10):
        with pytest.raises(Unavailable), ledger.held([("device", 2)], 10):
            pass
        assert ledger.total == 10
    with ledger.held([("device", 1)], 100):
        pass
    assert ledger.total == 0


def test_a_cap_holds_however_much_is_free() -> None:
    ledger = Ledger("things", 1_000, caps={"device": 3})
    assert take_all(ledger, "device", 1) == 3
    assert take_all(ledger, "device", 2) == 3


def test_a_party_is_counted_beside_its_account() -> None:
    ledger = Ledger("things", 1_000)
    for device in range(900):
        try:
            ledger.take([("device", device), ("account", 1)])
        except TooManyRequests:
            break
    assert ledger.held_by(("account", 1)) == 800
    ledger.give_back([("device", 5), ("account", 1)])
    assert ledger.held_by(("device", 5)) == 0


def test_a_body_earns_its_time_by_its_bytes() -> None:
    now_s = 100.0
    pace = Pace(10, clock_s=lambda: now_s)
    assert pace.left_s == 10
    now_s = 109.0
    pace.came(2 * SLOWEST_BYTES_S)
    assert pace.left_s == pytest.approx(3)
    now_s = 113.0
    assert pace.left_s == 0
