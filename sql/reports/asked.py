"""What a report is asked of."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ToursAsked:
    """Tours of an account.

    Attributes:
        since, until: that start at or after `since`, before `until`.
        first_day, last_day: and are of these days, both included, by their own date; None: of any.
        driver_id: only what this driver did; None: anybody.
        depot: only tours from the depot of this name; None: any.
    """

    account_id: int
    since: datetime
    until: datetime
    first_day: date | None = None
    last_day: date | None = None
    driver_id: int | None = None
    depot: str | None = None

    def values(self) -> tuple[Any, ...]:
        """Give $1 to $7 of every statement here."""
        return (
            *(self.account_id, self.since, self.until, self.first_day, self.last_day),
            *(self.driver_id, self.depot),
        )
