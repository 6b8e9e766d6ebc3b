"""What a soak calls growth."""

import pytest

from tests.acceptance.soak import Course


@pytest.mark.parametrize(
    ("values", "grows"),
    [
        ([10, 180, 200, 199, 201, 200, 202, 200, 201], False),  # warm after a while
        ([100 + 5 * minute for minute in range(30)], True),
        ([200, 200, 200, 200, 200, 200, 210, 215, 219], False),  # by less than varies
        ([200, 205, 400, 200, 203, 201, 200, 390, 204], False),  # a peak
        ([1.0, 2.0], False),
    ],
)
def test_growth_is_what_goes_on_after_warming_up(values: list[float], grows: bool) -> None:
    assert Course("MiB", [float(one) for one in values]).grows() == grows
