"""Deadlines: working days at the place of the stop, by its calendar and clock."""

from datetime import datetime

import pytest

from work.tickets.deadlines import due_at

MEDELLIN = (6.2442, -75.5690, "America/Bogota")
SAO_PAULO = (-23.55, -46.63, "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("since", "days", "place", "due"),
    [
        ("2026-03-02T10:00:00-05:00", 1, MEDELLIN, "2026-03-03T18:00:00-05:00"),  # a Monday
        ("2026-03-02T10:00:00-05:00", 0, MEDELLIN, "2026-03-02T18:00:00-05:00"),
        ("2026-03-02T19:00:00-05:00", 0, MEDELLIN, "2026-03-03T18:00:00-05:00"),
        ("2026-03-06T10:00:00-05:00", 1, MEDELLIN, "2026-03-09T18:00:00-05:00"),  # over a weekend
        ("2026-03-07T10:00:00-05:00", 0, MEDELLIN, "2026-03-09T18:00:00-05:00"),
        ("2026-03-20T10:00:00-05:00", 1, MEDELLIN, "2026-03-24T18:00:00-05:00"),  # Monday is San José
        ("2026-03-31T10:00:00-05:00", 2, MEDELLIN, "2026-04-06T18:00:00-05:00"),  # Easter
        ("2026-09-04T23:30:00-03:00", 1, SAO_PAULO, "2026-09-08T18:00:00-03:00"),  # Monday is Independence Day
        ("2026-03-03T03:30:00+00:00", 0, MEDELLIN, "2026-03-03T18:00:00-05:00"),  # still the 2nd there, after six
    ],
)
def test_a_deadline_is_the_end_of_a_working_day_there(
    since: str, days: int, place: tuple[float, float, str], due: str
) -> None:
    lat, lon, zone = place
    got = due_at(datetime.fromisoformat(since), days, lat=lat, lon=lon, timezone=zone)
    assert got == datetime.fromisoformat(due)
