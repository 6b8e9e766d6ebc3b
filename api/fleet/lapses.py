"""When what is shown of a driver becomes another by time alone: nothing is written, and whoever looks must be told."""

from collections.abc import Iterable
from datetime import UTC, datetime

from api.fleet.position_view import lasts_until
from sql.track.live import LivePosition

_NEVER = datetime.max.replace(tzinfo=UTC)


class Lapses:
    """The moments of an account's drivers.

    Attributes:
        next_at: no moment is before it.
    """

    def __init__(self) -> None:
        self.next_at = _NEVER
        self._at: dict[int, datetime] = {}

    def note(self, positions: Iterable[LivePosition], now: datetime) -> None:
        """Note until when drivers stay as they were read, or looked at after their last moment."""
        for one in positions:
            at = lasts_until(one, now)
            if at is None:
                self._at.pop(one.driver_id, None)
            else:
                self._at[one.driver_id] = at
                self.next_at = min(self.next_at, at)

    def over(self, now: datetime) -> list[int]:
        """Give the drivers whose moment is past, each once."""
        if now <= self.next_at:
            return []
        over = [driver_id for driver_id, at in self._at.items() if at < now]
        for driver_id in over:
            del self._at[driver_id]
        self.next_at = min(self._at.values(), default=_NEVER)
        return over
