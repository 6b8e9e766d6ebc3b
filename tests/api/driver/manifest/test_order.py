"""The numbers of a tour's order."""

from hypothesis import given
from hypothesis import strategies as st

from api.driver.manifest.order import GAP, keep_order

ranks = st.lists(st.none() | st.integers(1, 50), max_size=40).map(
    lambda column: [rank if rank not in column[:place] else None for place, rank in enumerate(column)]
)


@given(ranks)
def test_numbers_ascend_from_above_nought(before):
    after = keep_order(before)
    assert len(after) == len(before)
    assert all(a < b for a, b in zip([0, *after], after, strict=False))


def test_a_new_tour_has_gaps():
    assert keep_order([None, None, None]) == [GAP, 2 * GAP, 3 * GAP]


def test_one_more_stop_changes_no_other():
    assert keep_order([1000, None, 2000]) == [1000, 1500, 2000]
    assert keep_order([None, 1000, 2000]) == [500, 1000, 2000]
    assert keep_order([1000, 2000, None]) == [1000, 2000, 2000 + GAP]


def test_a_stop_that_went_leaves_the_others_as_they_are():
    assert keep_order([1000, 3000]) == [1000, 3000]


def test_a_stop_that_moved_is_the_only_one_with_another_number():
    assert keep_order([4000, 1000, 2000, 3000]) == [500, 1000, 2000, 3000]
    assert keep_order([1000, 3000, 4000, 2000]) == [1000, 3000, 4000, 4000 + GAP]


def test_without_room_all_are_numbered_anew():
    assert keep_order([7, None, 8]) == [GAP, 2 * GAP, 3 * GAP]


def test_a_tour_without_stops():
    assert keep_order([]) == []
