"""What was used last of many drivers: looked up as in any dict, and never more than so much of it."""

from collections.abc import Mapping
from itertools import islice
from typing import TypeVar

V = TypeVar("V")


class Recent(dict[int, V]):
    """Values by driver, in the order of their last use."""

    def __init__(self, most: int) -> None:
        """Begin empty.

        Args:
            most: so many drivers are remembered, at least 1.
        """
        super().__init__()
        self._most = most

    def use(self, used: Mapping[int, V]) -> None:
        """Remember what is used now; what was used longest ago is forgotten."""
        for driver_id in used:
            self.pop(driver_id, None)
        self.update(used)
        for driver_id in list(islice(self, max(len(self) - self._most, 0))):
            del self[driver_id]
