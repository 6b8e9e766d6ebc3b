"""An event of a batch on its way to being kept: what the steps of `record` have found out of it so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from api.driver.events.body import OF_A_ROUTE, Event, RefusedEvent
from api.driver.events.handed import Warned
from api.driver.events.outcome import Meaning, meaning_of
from geo.times import time_of
from sql.delivery.driver_events import DriverEventRow, Sort, SpokenStop


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCase:
    """An event of a batch, and all that is found out of it; a step that finds out more makes another one of it.

    Attributes:
        stop: that it is about; None: about none.
        route_id: that it is about, or that it names; None: neither.
        is_new: its id is neither kept yet nor in the batch before.
        refused: why it is not kept although it could be read; None: it is.
        meaning: of a new one, once it is judged.
        warnings: of a new one, once it is written.
        row: as it is kept; None: not yet.
    """

    event: Event
    stop: SpokenStop | None = None
    route_id: int | None = None
    is_new: bool = False
    refused: RefusedEvent | None = None
    meaning: Meaning | None = None
    warnings: Sequence[Warned] = ()
    row: DriverEventRow | None = None

    @property
    def sort(self) -> Sort:
        """What it is counted with."""
        stop_id = None if self.stop is None else self.stop.id
        return Sort(day=self.day, type=self.event.body.type, stop_id=stop_id)

    @property
    def day(self) -> date:
        """The day (UTC) on which it happened."""
        return time_of(self.event.occurred_ms).date()

    @property
    def differs(self) -> bool:
        """Whether it says another thing than what is kept under its id; of PINs nothing is known any more."""
        row, body = self.row, self.event.body
        if self.is_new or row is None:
            return False
        data = meaning_of(self.event, None, None, {}).data
        stop_id = None if self.stop is None else self.stop.id
        there = (row.type, row.stop_id, row.occurred_ms, row.lat, row.lon, row.data)
        if self.event.ahead_ms:  # a wrong clock is corrected by what is known of it then
            there = (*there[:2], self.event.occurred_ms, *there[3:])
        is_route = body.type not in OF_A_ROUTE or body.route_id is None or self.route_id == row.route_id
        return not is_route or there != (body.type, stop_id, self.event.occurred_ms, body.lat, body.lon, data)


Cases: TypeAlias = Mapping[str, EventCase]
"""The events of a batch by their pointers into it; an id may be there more than once."""


def new_of(cases: Cases) -> list[EventCase]:
    """Give the events to write, in the order in which they happened."""
    new = (case for case in cases.values() if case.is_new)
    return sorted(new, key=lambda case: (case.event.occurred_ms, case.event.body.id))
