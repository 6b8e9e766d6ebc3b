"""What became of a part of a manifest between two versions."""

import pytest

from api.driver.manifest.changes import Fate, fate
from sql.delivery.manifest import ManifestPart


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"added_in": 11, "changed_in": 11, "placed_in": 11}, Fate.NEW),
        ({"added_in": 9, "changed_in": 11, "placed_in": 11}, Fate.CHANGED),
        ({"added_in": 9, "changed_in": 10, "placed_in": 11}, Fate.MOVED),
        ({"added_in": 10, "changed_in": 10, "placed_in": 10}, Fate.SAME),
        ({"added_in": 10, "changed_in": 10, "placed_in": 10, "removed_in": 11}, Fate.GONE),
        ({"added_in": 11, "changed_in": 11, "placed_in": 11, "removed_in": 12}, Fate.SAME),  # never seen
        ({"added_in": 9, "changed_in": 9, "placed_in": 9, "removed_in": 10}, Fate.SAME),  # told before
    ],
)
def test_a_part_has_one_fate_since_version_10(versions: dict[str, int], expected: Fate) -> None:
    part = ManifestPart(kind="stop", id=1, route_id=1, digest=b"", rank=1, along_m=0.0, **versions)
    assert fate(part, 10) is expected
