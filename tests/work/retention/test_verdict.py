"""When nothing may be deleted although it is old."""

from datetime import UTC, datetime, timedelta

import pytest

from sql.operate.horizons import Horizon
from work.retention.verdict import why_not

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MOST = timedelta(days=30)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def asked(
    *,
    process: timedelta = timedelta(),
    now: datetime = NOW,
    ran: datetime | None = NOW - timedelta(hours=1),
    before: datetime | None = NOW - timedelta(days=90, hours=1),
    confirmed: datetime | None = None,
    oldest: datetime | None = NOW - timedelta(days=91),
    kept: float = 90,
) -> str | None:
    known = Horizon(now=now, ran_at=ran, horizon=before, confirmed=confirmed)
    return why_not(process_now=now + process, known=known, horizon=now - days(kept), oldest=oldest, most=MOST)


def test_what_is_a_day_too_old_goes() -> None:
    assert asked() is None
    assert asked(ran=None, before=None) is None
    assert asked(ran=None, before=None, oldest=None) is None


@pytest.mark.parametrize("process", [days(1100), -days(1100), timedelta(seconds=61)])
def test_nothing_goes_while_the_clocks_disagree(process: timedelta) -> None:
    assert "differ" in (asked(process=process) or "")
    assert "differ" in (asked(process=process, confirmed=NOW, oldest=None) or "")


def test_nothing_goes_when_both_clocks_jumped() -> None:
    later = NOW + days(1100)
    assert "moved by 1100 days" in (asked(now=later, oldest=NOW) or "")
    assert "moved by 1100 days" in (asked(now=later, oldest=None) or "")
    assert asked(now=later, oldest=NOW, confirmed=later - days(90)) is None


def test_nothing_goes_when_the_clock_went_back() -> None:
    assert "gone back" in (asked(now=NOW - days(20)) or "")
    assert asked(now=NOW - timedelta(hours=1, seconds=30), ran=NOW - timedelta(hours=1)) is None


def test_more_than_so_much_of_history_never_goes_at_once() -> None:
    assert asked(kept=2, oldest=NOW - days(25)) is None  # the setting was lowered, and there is little
    assert "40 days of history" in (asked(kept=50, oldest=NOW - days(300)) or "")
    assert "58 days of history" in (asked(kept=2, oldest=NOW - days(60)) or "")
    assert "210 days of history" in (asked(ran=None, before=None, oldest=NOW - days(300)) or "")
    assert asked(ran=None, before=None, oldest=NOW - days(300), confirmed=NOW - days(90)) is None


def test_a_yes_does_not_count_for_what_is_asked_much_later() -> None:
    assert asked(kept=2, oldest=NOW - days(60), confirmed=NOW - days(31)) is None
    assert asked(kept=2, oldest=NOW - days(60), confirmed=NOW - days(33)) is not None


def test_what_was_put_in_with_an_old_date_holds_up_nothing() -> None:
    assert asked(oldest=NOW - days(3000)) is None
