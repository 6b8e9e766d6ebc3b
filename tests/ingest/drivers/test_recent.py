"""What trackers remember of drivers: what was used last, and no more than so much."""

from ingest.drivers.recent import Recent


def test_what_was_used_longest_ago_is_forgotten():
    recent = Recent[str](3)
    recent.use({1: "ana", 2: "beto", 3: "carla"})
    recent.use({1: "ana again", 4: "dora"})
    assert recent == {3: "carla", 1: "ana again", 4: "dora"}


def test_to_look_up_is_no_use():
    recent = Recent[str](2)
    recent.use({1: "ana", 2: "beto"})
    assert recent.get(1) == "ana"
    recent.use({3: "carla"})
    assert recent.get(1) is None


def test_of_more_than_is_remembered_the_last_stay():
    recent = Recent[int](2)
    recent.use({driver_id: driver_id for driver_id in range(5)})
    assert list(recent) == [3, 4]
