"""Days, times, windows and numbers as people write them."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from work.imports.numbers import CellError, NumberStyle, currency_in, number_of, style_of
from work.imports.sheet import Cell
from work.imports.times import DayStyle, clock_of, day_of, day_style_of, moment_of, windows_of

BOGOTA = ZoneInfo("America/Bogota")


@pytest.mark.parametrize(
    ("cell", "hours"),
    {
        "9-13": [(9, 13)],
        "09:00 - 13:00": [(9, 13)],
        "9 a 13 h": [(9, 13)],
        "9am-1pm": [(9, 13)],
        "10-2 p.m.": [(10, 14)],
        "10-12pm": [(10, 12)],
        "9:00 a. m. – 1:00 p. m.": [(9, 13)],
        "de 9:00 a 13:00": [(9, 13)],
        "entre 8 y 12": [(8, 12)],
        "das 8h às 12h30": [(8, 12.5)],
        "9.30-13.15": [(9.5, 13.25)],
        "08:00:00-12:00:00": [(8, 12)],
        "9-12, 14-18": [(9, 12), (14, 18)],
        "9-12 y 14-18": [(9, 12), (14, 18)],
        "20-24": [(20, 24)],
    }.items(),
)
def test_windows(cell: str, hours: list[tuple[float, float]]) -> None:
    assert [(start / 3600, end / 3600) for start, end in windows_of(cell)] == hours


@pytest.mark.parametrize("cell", ["mañana", "9-25", "22-2", "", "9-12-", "9-12 x 3-4", "9-12,", "9:70-10"])
def test_what_is_no_window(cell: str) -> None:
    with pytest.raises(CellError):
        windows_of(cell)


@pytest.mark.parametrize("cell", [46_278.0, "2026-09-13", "2026-09-13T00:00:00"])
def test_a_window_that_became_a_day_is_said_to_be_one(cell: Cell) -> None:
    with pytest.raises(CellError, match="format the column as text"):
        windows_of(cell)


@pytest.mark.parametrize(
    ("cell", "hours"),
    [(0.375, 9), (9.0, 9), ("9", 9), ("21:15", 21.25), ("9:30 p.m.", 21.5), ("12 am", 0), ("7h", 7), ("24:00", 24)],
)
def test_times_of_a_day(cell: Cell, hours: float) -> None:
    assert clock_of(cell) / 3600 == hours


@pytest.mark.parametrize("cell", ["25", "13 pm", "noche", 25.0, 12.5, None, "9:60"])
def test_what_is_no_time(cell: Cell) -> None:
    with pytest.raises(CellError):
        clock_of(cell)


@pytest.mark.parametrize(
    "cell",
    [
        *("03/04/2026", "3-4-26", "3.4.2026", "2026-04-03", "3 de abril de 2026", "03-abr-2026", "3 apr 2026"),
        *("2026-04-03T09:30:00", "03/04/2026 9:30", 46_115.0, 46_115.5),
    ],
)
def test_days(cell: Cell) -> None:
    assert day_of(cell, None) == date(2026, 4, 3)


@pytest.mark.parametrize(
    "cell", ["31/02/2026", "31/12/9999", "0001-01-01", "hoy", "1/2", 1.0, 1e9, None, "3 de foo de 2026"]
)
def test_what_is_no_day(cell: Cell) -> None:
    with pytest.raises(CellError):
        day_of(cell, None)


def test_a_column_shows_how_it_writes_days() -> None:
    assert day_style_of(["03/04/2026", "25/04/2026"], usual="month first") == DayStyle(order="day first")
    assert day_style_of(["03/04/2026", "04/25/2026"], usual="day first") == DayStyle(order="month first")
    assert day_style_of(["03/04/2026"], usual="day first") == DayStyle(order="day first", is_sure=False)
    assert day_style_of(["04/04/2026", "2026-04-03", 46_115.0, None], usual="day first") is None
    with pytest.raises(CellError, match="others month first"):
        day_style_of(["25/04/2026", "04/25/2026"], usual="day first")


@pytest.mark.parametrize("cell", ["03/04/2026 9:30", "9:30", 9.5 / 24, "2026-04-03T09:30:00", "2026-04-03T14:30:00Z"])
def test_moments(cell: Cell) -> None:
    told = moment_of(cell, None, BOGOTA, on=date(2026, 4, 3))
    assert told == datetime(2026, 4, 3, 9, 30, tzinfo=BOGOTA)


def test_a_moment_needs_a_day_a_time_and_a_zone() -> None:
    for cell, zone, on in (("9:30", BOGOTA, None), ("9:30", None, date(2026, 4, 3)), ("2026-04-03", BOGOTA, None)):
        with pytest.raises(CellError):
            moment_of(cell, None, zone, on=on)


@pytest.mark.parametrize(
    ("cell", "mark", "number"),
    [
        *(("12.500,00", ",", 12_500), ("12,500.00", ".", 12_500), ("12.500", ",", 12_500), ("12.5", ".", 12.5)),
        *(("1 234,5", ",", 1_234.5), ("1'234.5", ".", 1_234.5), ("R$ 1.234,50", ",", 1_234.5), ("10 kg", None, 10)),
        *(("4,60971", None, 4.60971), ("-74.08", None, -74.08), (7.25, ",", 7.25)),
    ],
)
def test_numbers(cell: Cell, mark: str | None, number: float) -> None:
    assert number_of(cell, mark) == number  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["10-12", "abc", "", "1.2.3", None, "9" * 400])
def test_what_is_no_number(cell: Cell) -> None:
    with pytest.raises(CellError):
        number_of(cell, None)


def test_a_column_shows_how_it_writes_numbers() -> None:
    assert style_of(["12.500,00", "3.000"], usual=".") == NumberStyle(mark=",")
    assert style_of(["12.5", "3.000"], usual=",") == NumberStyle(mark=".")
    assert style_of(["1.234.567", "1.500"], usual=".") == NumberStyle(mark=",")
    assert style_of(["12.500"], usual=",") == NumberStyle(mark=",", is_sure=False)
    assert style_of(["12", 3.0, None, "x"], usual=",") is None
    with pytest.raises(CellError, match="others a point"):
        style_of(["12.500,00", "12,500.00"], usual=",")


def test_currencies() -> None:
    told = [currency_in(one) for one in ("R$ 10", "Cobro (COP)", "US$ 5", "$ 5", "mxn", "S/ 3", "copia")]
    assert told == ["BRL", "COP", "USD", None, "MXN", "PEN", None]
