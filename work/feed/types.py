"""Every type of event in the feed, once: who makes it, and what follows from it.

Whoever lists types reads this table: what the fold, the clock and drivers are translated by, what `GET /v1/events` may
be asked for, what a stop follows from. Queries and indexes that name types name one of the groups below.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Literal
from uuid import UUID

from geo.fold.fold import FactType


class Maker(Enum):
    """Who makes facts of a type."""

    FOLD = "fold"  # pings and claims, folded by the tracker: told anew, corrected or taken back by a re-run
    SILENCE = "silence"  # the tracker's clock: that nothing was heard, or something again
    ETA = "eta"  # the tracker's clock: what is expected of a stop
    DEVICE = "device"  # an alarm that a phone sent: told at once, and never judged anew
    DRIVER = "driver"  # what a driver or a dispatcher said, as far as it is in force
    CLOSING = "closing"  # the clock of `work`: that something is over, and what is open of it
    CASE = "case"  # what became of a ticket or a return, by whoever had the word
    ADDRESS = "address"  # how well it is known where an order goes
    RECIPIENT = "recipient"  # what a recipient did by their link
    SENDER = "sender"  # what became of what left the installation


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """One type of event.

    Attributes:
        name: as the feed says it.
        maker: who makes it.
        fact: what the fold calls it; None: the fold does not make it.
        said: what a driver's app calls it; None: no driver says it.
        of_a_visit: one visit of a stop or a geofence has at most one, named after the visit.
        names_source: its data say whether a driver's word made it, or the fixes did.
        settles: whose state follows from it; None: nobody's.
    """

    name: str
    maker: Maker
    fact: FactType | None = None
    said: str | None = None
    of_a_visit: bool = False
    names_source: bool = False
    settles: Literal["arrival", "departure", "route"] | None = None


def _folded(
    name: str,
    fact: FactType,
    *,
    of_a_visit: bool = False,
    names_source: bool = False,
    settles: Literal["arrival", "departure", "route"] | None = None,
) -> EventType:
    return EventType(
        name=name, maker=Maker.FOLD, fact=fact, of_a_visit=of_a_visit, names_source=names_source, settles=settles
    )


def _said(what: str) -> EventType:
    return EventType(name=f"stop.{what}", maker=Maker.DRIVER, said=what)


EVENT_TYPES = (
    EventType(name="stop.approaching", maker=Maker.ETA),
    _folded("stop.arrived", FactType.STOP_ARRIVED, of_a_visit=True, names_source=True, settles="arrival"),
    _folded("stop.departed", FactType.STOP_DEPARTED, of_a_visit=True, names_source=True, settles="departure"),
    _said("completed"),
    _said("partially_completed"),
    _said("failed"),
    _said("skipped"),
    _said("reopened"),
    EventType(name="stop.left_open", maker=Maker.CLOSING),
    _folded("route.started", FactType.ROUTE_STARTED, names_source=True, settles="route"),
    _folded("route.completed", FactType.ROUTE_COMPLETED, names_source=True, settles="route"),
    _folded("route.reopened", FactType.ROUTE_REOPENED, names_source=True, settles="route"),
    EventType(name="route.ended", maker=Maker.DRIVER, said="route_ended"),
    _folded("route.off_route", FactType.ROUTE_OFF),
    _folded("route.back_on_route", FactType.ROUTE_BACK),
    _folded("geofence.entered", FactType.FENCE_ENTERED, of_a_visit=True, settles="arrival"),
    _folded("geofence.exited", FactType.FENCE_EXITED, of_a_visit=True, settles="departure"),
    _folded("geofence.crossed", FactType.FENCE_CROSSED),
    _folded("geofence.dwelled", FactType.FENCE_DWELLED, of_a_visit=True),
    EventType(name="shift.ended", maker=Maker.CLOSING),
    EventType(name="break.ended", maker=Maker.CLOSING),
    _folded("phone.ended", FactType.PHONE_ENDED),
    EventType(name="driver.silent", maker=Maker.SILENCE, fact=FactType.DRIVER_SILENT),
    EventType(name="driver.seen", maker=Maker.SILENCE, fact=FactType.DRIVER_SEEN),
    EventType(name="driver.sos", maker=Maker.DEVICE),
    EventType(name="driver.alarm", maker=Maker.DEVICE),
    EventType(name="eta.late", maker=Maker.ETA),
    EventType(name="stop.instructed", maker=Maker.RECIPIENT),
    EventType(name="stop.rescheduled", maker=Maker.RECIPIENT),
    EventType(name="stop.redirected", maker=Maker.RECIPIENT),
    EventType(name="stop.away", maker=Maker.RECIPIENT),
    EventType(name="stop.rated", maker=Maker.RECIPIENT),
    EventType(name="stop.code_locked", maker=Maker.RECIPIENT),
    EventType(name="ticket.opened", maker=Maker.CASE),
    EventType(name="ticket.answered", maker=Maker.CASE),
    EventType(name="ticket.closed", maker=Maker.CASE),
    EventType(name="ticket.due_soon", maker=Maker.CASE),
    EventType(name="ticket.overdue", maker=Maker.CASE),
    EventType(name="return.requested", maker=Maker.CASE),
    EventType(name="return.approved", maker=Maker.CASE),
    EventType(name="return.rejected", maker=Maker.CASE),
    EventType(name="return.closed", maker=Maker.CASE),
    EventType(name="order.place_asked", maker=Maker.ADDRESS),
    EventType(name="order.place_pinned", maker=Maker.RECIPIENT),
    EventType(name="message.sent", maker=Maker.SENDER),
    EventType(name="message.delivered", maker=Maker.SENDER),
    EventType(name="message.failed", maker=Maker.SENDER),
    EventType(name="webhook.disabled", maker=Maker.SENDER),
)
"""All of them, in the order in which they are listed to people."""

NAMES = tuple(one.name for one in EVENT_TYPES)

OF_FACT = {one.fact: one for one in EVENT_TYPES if one.fact is not None}
"""By what the fold calls them."""

SAID = {one.said: one for one in EVENT_TYPES if one.said is not None}
"""Those that drivers make, by what their apps call them."""

CALLED_FOR_HELP, ALARMED = "driver.sos", "driver.alarm"
ALARMS = frozenset((CALLED_FOR_HELP, ALARMED))
CODE_LOCKED, RESCHEDULED, REDIRECTED = "stop.code_locked", "stop.rescheduled", "stop.redirected"
AWAY = "stop.away"
ALERTING = frozenset(
    {
        *(CALLED_FOR_HELP, CODE_LOCKED, RESCHEDULED, REDIRECTED, AWAY),
        *("webhook.disabled", "ticket.due_soon", "ticket.overdue"),
    }
)
"""People of the company are told of these, whoever reads the feed."""

LEFT_OPEN = "stop.left_open"
SHIFT_ENDED, BREAK_ENDED = "shift.ended", "break.ended"
PHONE_ENDED = "phone.ended"
OF_SPELLS = frozenset((SHIFT_ENDED, BREAK_ENDED))
LATE, APPROACHING = "eta.late", "stop.approaching"

ARRIVALS = frozenset(one.name for one in EVENT_TYPES if one.settles == "arrival")
DEPARTURES = frozenset(one.name for one in EVENT_TYPES if one.settles == "departure")
OF_A_TOUR = frozenset(one.name for one in EVENT_TYPES if one.settles == "route")
OF_ETAS = frozenset(one.name for one in EVENT_TYPES if one.maker is Maker.ETA)
OF_SILENCE = frozenset(one.name for one in EVENT_TYPES if one.maker is Maker.SILENCE)
OF_DETOURS = frozenset(("route.off_route", "route.back_on_route"))

GROUPS = (ALARMS, ARRIVALS, DEPARTURES, OF_A_TOUR, OF_ETAS, OF_SILENCE, OF_DETOURS, OF_SPELLS)
"""The lists of types that queries and indexes may have; tests/work/feed/test_types.py holds SQL to them."""


def fact_id(name: str, *about: str | int | UUID) -> UUID:
    """Name a fact after what it is about, never after when it became known: a re-run finds the same one.

    Args:
        name: the type of event, or `visit`.
        about: driver, route, stop, …: what there is at most one of this for.
    """
    return UUID(bytes=blake2b(":".join(map(str, (name, *about))).encode(), digest_size=16).digest())
