"""The rate of one device, on a clock of the test's own."""

from dataclasses import dataclass

import pytest

from api.http.problem import TooManyRequests
from api.http.shares.rates import Rates


@dataclass
class Clock:
    now_s: float = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait_s(rates: Rates, device_id: int) -> int | None:
    """Give how long a device is told to wait; None when it is let in."""
    try:
        rates.admit(device_id)
    except TooManyRequests as problem:
        return int(problem.headers["Retry-After"])
    return None


def test_a_minutes_worth_passes_at_once_and_then_a_steady_rate(clock: Clock) -> None:
    rates = Rates(60, clock_s=clock)
    assert [wait_s(rates, 1) for _ in range(62)] == [None] * 60 + [1, 1]
    clock.now_s += 1
    assert [wait_s(rates, 1) for _ in range(2)] == [None, 1]


def test_a_batch_larger_than_the_bucket_passes_and_is_paid_off(clock: Clock) -> None:
    rates = Rates(60, clock_s=clock)
    assert wait_s(rates, 1) is None
    rates.pay(1, 179)
    assert wait_s(rates, 1) == 121
    clock.now_s += 121
    assert wait_s(rates, 1) is None


def test_who_comes_back_when_told_to_is_let_in(clock: Clock) -> None:
    rates = Rates(7, clock_s=clock)
    rates.pay(1, 100)
    waited_s = wait_s(rates, 1)
    assert waited_s is not None
    clock.now_s += waited_s
    assert wait_s(rates, 1) is None


def test_each_device_has_its_own(clock: Clock) -> None:
    rates = Rates(1, clock_s=clock)
    assert [wait_s(rates, device_id) for device_id in (1, 2, 1, 2)] == [None, None, 60, 60]


def test_who_ran_dry_stays_so_while_a_flood_of_others_comes(clock: Clock) -> None:
    rates = Rates(60, parties=50, clock_s=clock)
    rates.pay(1, 119)
    assert wait_s(rates, 1) == 60
    for device_id in range(2, 502):
        assert wait_s(rates, device_id) is None
    assert wait_s(rates, 1) == 60


def test_when_more_have_run_dry_than_are_remembered_the_ones_longest_away_are_forgotten(clock: Clock) -> None:
    rates = Rates(60, parties=50, clock_s=clock)
    for device_id in range(60):
        rates.pay(device_id, 119)
    assert [wait_s(rates, device_id) for device_id in (0, 9, 10, 59)] == [None, None, 60, 60]


def test_a_full_bucket_stays_full(clock: Clock) -> None:
    rates = Rates(2, clock_s=clock)
    rates.admit(1)
    clock.now_s += 1_000_000
    assert [wait_s(rates, 1) for _ in range(3)] == [None, None, 30]
