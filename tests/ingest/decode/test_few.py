"""A few pings made one by one are the pings that columns make."""

from dataclasses import replace
from datetime import UTC, datetime
from math import inf, nan
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.pings import PING
from geo.times import ms_of
from ingest.decode.columns import AHEAD_MS, MEASURED, NUMBERS, Arrival, Columns, check, texts_of
from ingest.decode.few import FEW, Row, pings_of

NOW_MS = ms_of(datetime(2026, 7, 1, 12, tzinfo=UTC))
ARRIVAL = Arrival(driver_id=7, device_id=9, received_ms=NOW_MS, oldest_ms=NOW_MS - 86_400_000, doubt_ms=500)
GOOD: Row = (NOW_MS, 4.6, -74.1, 5.5, 2600.0, 7.2, 33.3, 0.7, True, False, "in_vehicle", "a1")

_TIMES = st.integers(ARRIVAL.oldest_ms, NOW_MS + 500 + AHEAD_MS)
_TEXTS = st.none() | st.text(max_size=80)
_NUMBERS = [
    st.floats(*ends) if name in ("lat", "lon") else st.none() | st.floats() | st.sampled_from([-1.0, 359.99995, *ends])
    for name, ends in zip(NUMBERS, MEASURED, strict=True)
    if name not in ("charging", "mock")
]
_YES_OR_NO = st.none() | st.booleans()
_ROWS = st.lists(st.tuples(_TIMES, *_NUMBERS, _YES_OR_NO, _YES_OR_NO, _TEXTS, _TEXTS), min_size=1, max_size=FEW)


@given(_ROWS)
def test_what_is_made_is_what_columns_make(rows: list[Row]) -> None:
    times_ms, *numbers, activities, ids = zip(*rows, strict=True)
    said = Columns(
        times_ms=np.array(times_ms, np.int64),
        numbers=np.array(numbers, np.float64),
        texts=texts_of(activities, ids),
    )
    expected = check(said, ARRIVAL, lambda at: at)
    made = pings_of(rows, ARRIVAL)
    assert made is not None
    assert not expected.rejected
    assert made.rows.dtype == PING
    for name in PING.names or ():
        np.testing.assert_array_equal(made.rows[name], expected.pings.rows[name], err_msg=name)
    assert made.texts.tolist() == expected.pings.texts.tolist()


def test_they_can_be_written_to() -> None:
    made = pings_of([GOOD], ARRIVAL)
    assert made is not None
    made.rows["flags"] |= 4
    assert made.rows["flags"].tolist() == [4]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, ARRIVAL.oldest_ms - 1),
        (0, NOW_MS + 501 + AHEAD_MS),
        (1, 90.01),
        (1, nan),
        (2, -180.01),
        (2, inf),
    ],
)
def test_one_that_is_refused_or_flagged_takes_a_closer_look(place: int, value: float) -> None:
    odd = cast("Row", (*GOOD[:place], value, *GOOD[place + 1 :]))
    assert pings_of([GOOD, odd, GOOD], ARRIVAL) is None


def test_times_to_be_corrected_take_a_closer_look() -> None:
    assert pings_of([GOOD], replace(ARRIVAL, ahead_ms=60_000)) is None
