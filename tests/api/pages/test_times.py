"""Times as people write them: in their zone and manner, and never a minute."""

from datetime import UTC, datetime, timedelta

import pytest

from api.pages.times import Manner

NOW = datetime(2026, 3, 2, 17, 0, tzinfo=UTC)  # noon in Bogotá, a Monday


def minutes(n: float) -> datetime:
    return NOW + timedelta(minutes=n)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("language", "zone", "header", "written"),
    [
        ("es", "America/Bogota", "", "12:05 p. m."),
        ("es", "America/Mexico_City", "", "11:05"),
        ("es", "Europe/Madrid", "es-CO,es;q=0.9", "6:05 p. m."),
        ("pt", "America/Bogota", "pt-BR", "12:05"),
        ("en", "America/Bogota", "en-GB", "12:05"),
        ("en", "America/Bogota", "en", "12:05 pm"),
        ("en", "Etc/UTC", "", "5:05 pm"),
    ],
)
def test_a_clock_goes_as_its_reader_s_does(language: str, zone: str, header: str, written: str) -> None:
    assert plain(Manner.of(language, zone, header).clock(minutes(5))) == written


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (8, 16, "12:05 – 12:20 p. m."),
        (11, 12, "12:10 – 12:20 p. m."),
        (10, 10, "12:10 – 12:20 p. m."),
        (-1, 61, "11:45 a. m. – 1:15 p. m."),
        (690, 750, "11:30 p. m. – 12:30 a. m."),
        (24 * 60, 25 * 60, "mar, 3 de mar, 12:00 – 1:00 p. m."),
    ],
    ids=["to five minutes", "never a minute", "not even where one is said", "wide", "past midnight", "tomorrow"],
)
def test_a_window_neither_trembles_nor_promises_a_minute(low: float, high: float, written: str) -> None:
    said = Manner.of("es", "America/Bogota").window(minutes(low), minutes(high), NOW)
    assert plain(said) == written


def test_what_is_promised_is_written_as_it_is() -> None:
    manner = Manner.of("es", "America/Bogota")
    assert plain(manner.range(minutes(3), minutes(62), NOW)) == "12:03 – 1:02 p. m."
    assert plain(manner.range(minutes(3), minutes(3), NOW)) == "12:03 p. m."
    over = plain(manner.range(minutes(0), minutes(48 * 60), NOW))
    assert over == "lun, 2 de mar, 12:00 p. m. – mié, 4 de mar, 12:00 p. m."


CHANGES = [  # UTC, and how it is written in the night in which the clocks of New York change
    ((2027, 11, 7, 5, 10), 60, "1:10 am (EDT) – 1:10 am (EST)"),
    ((2027, 11, 7, 5, 45), 30, "1:45 am (EDT) – 1:15 am (EST)"),
    ((2027, 3, 14, 6, 30), 60, "1:30 am (EST) – 3:30 am (EDT)"),
    ((2027, 11, 7, 6, 10), 20, "1:10 – 1:30 am"),
]


@pytest.mark.parametrize(("start", "lasts_min", "written"), CHANGES)
def test_in_the_night_in_which_clocks_change_both_times_are_named(
    start: tuple[int, ...], lasts_min: int, written: str
) -> None:
    begin = datetime(*start, tzinfo=UTC)  # type: ignore[misc,arg-type]
    manner, end = Manner.of("en", "America/New_York"), begin + timedelta(minutes=lasts_min)
    assert plain(manner.range(begin, end, begin)) == plain(manner.window(begin, end, begin)) == written


def test_days_are_named_in_each_language() -> None:
    days = [plain(Manner.of(language, "Europe/Lisbon").day(NOW)) for language in ("es", "pt", "en")]
    assert days == ["lun, 2 de mar", "seg, 2 de mar", "Mon 2 Mar"]
