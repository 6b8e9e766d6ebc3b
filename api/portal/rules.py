"""What a recipient may change, until when, and why not: one pure function of the stop, the account and the time.

The link alone may say what harms nobody: whoever finds it changes neither place nor person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from sql.account.settings import RecipientChange, settings_of
from sql.portal.stops import PortalStop

CHANGES: tuple[RecipientChange, ...] = get_args(RecipientChange)

Why: TypeAlias = Literal["not-offered", "cash", "too-early", "too-late", "already-rated", "already-asked"]
"""Why not: the company does not offer it; something is to be paid at the door; it is not delivered yet; the van was
here or the route is over; once is enough; a return is under way."""

BUILT = frozenset(
    {
        *("instructions", "safe-place", "neighbour", "pin-drop", "slot", "pickup-point", "address", "contact"),
        *("away", "problem", "return", "rating"),
    }
)
"""Those that there is something behind; the others are named and not offered."""

BY_CODE = frozenset({"neighbour", "slot", "pickup-point", "address", "contact"})
"""What changes place, person, time or contact: whoever finds a link does not have the contact too."""

TOLD_AT_ONCE = BY_CODE | {"away"}
"""What the contact hears of at once: it was not they who said so, it is not too late to say so."""

NOT_WITH_CASH = frozenset({"neighbour", "safe-place"})
"""Whoever takes it pays for it: nobody else does, and no place."""

RATED_FOR = timedelta(days=14)
"""After that nobody remembers the driver from the parcel."""

LINGERS = timedelta(hours=12)
"""A stop that was never reached may be spoken of until so long after its route, as its page shows it."""

_DONE = frozenset({"completed", "partially_completed", "failed", "skipped", "removed"})
_HANDED_OVER = frozenset({"completed", "partially_completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Whether a change is open.

    Attributes:
        until: when it closes, as far as is known now; None: not by the clock (until the van is there), or it is closed.
        why: why it is closed; None: it is open.
    """

    until: datetime | None = None
    why: Why | None = None

    @property
    def allowed(self) -> bool:
        """Tell whether it is open."""
        return self.why is None


def is_done(stop: PortalStop) -> bool:
    """Tell whether nothing more is done at a stop."""
    return not waits_for_slot(stop) and (stop.status in _DONE or stop.departed_at is not None)


def waits_for_slot(stop: PortalStop) -> bool:
    """Tell whether a stop was taken off its tour for the slot that its recipient chose; no other tour has it yet."""
    return stop.removed and stop.slot_start is not None


def done_at(stop: PortalStop) -> datetime | None:
    """Tell when a stop was done; None: it is not, or nobody knows when."""
    return stop.outcome_at or stop.departed_at or stop.arrived_at


def is_over(stop: PortalStop, now: datetime) -> bool:
    """Tell whether a link opens nothing any more, not even what is said afterwards.

    It lives as long as a ticket or a return of its stop does, and as long as a return may be asked for.
    """
    is_gone = stop.removed and not waits_for_slot(stop)
    if stop.revoked or is_gone or stop.route_deleted or stop.route_status == "cancelled":
        return True
    return not stop.case_open and now >= max(_spoken_until(stop), _returned_until(stop) or _spoken_until(stop))


def _spoken_until(stop: PortalStop) -> datetime:
    """Tell until when something may be said of a stop that nothing is open of."""
    if waits_for_slot(stop):
        return (stop.slot_end or stop.end_at) + LINGERS
    at = done_at(stop) if is_done(stop) else None
    return at + RATED_FOR if at else (stop.finished_at or stop.end_at) + LINGERS


def _returned_until(stop: PortalStop) -> datetime | None:
    """Tell until when a return may be asked for; None: nothing was handed over that could go back."""
    days, at = settings_of(dict(stop.settings)).return_days, done_at(stop)
    if stop.kind != "delivery" or stop.status not in _HANDED_OVER or at is None or days == 0:
        return None
    return at + timedelta(days=days)


def option(change: RecipientChange, stop: PortalStop, now: datetime) -> Option:
    """Tell whether a recipient may make a change now."""
    closed = {*settings_of(dict(stop.settings)).recipient_may_not, *stop.recipient_may_not}
    if change not in BUILT or change in closed:
        return Option(why="not-offered")
    if waits_for_slot(stop):
        return Option() if change == "slot" else Option(why="not-offered")  # nobody would read it on the next tour
    if change == "rating":
        return _rating(stop, now)
    if change == "problem":
        return _problem(stop, now)
    if change == "return":
        return _return(stop, now)
    if stop.cash and change in NOT_WITH_CASH:
        return Option(why="cash")
    if is_done(stop) or stop.arrived_at is not None or stop.route_status == "finished" or now >= stop.end_at + LINGERS:
        return Option(why="too-late")
    return Option(until=_expected(stop, now))


def options(stop: PortalStop, now: datetime) -> dict[RecipientChange, Option]:
    """Tell the same of every change."""
    return {change: option(change, stop, now) for change in CHANGES}


def _problem(stop: PortalStop, now: datetime) -> Option:
    until = _spoken_until(stop)
    if now >= until:
        return Option(why="too-late")
    return Option(until=until if is_done(stop) else None)


def _return(stop: PortalStop, now: datetime) -> Option:
    if stop.kind != "delivery" or settings_of(dict(stop.settings)).return_days == 0:
        return Option(why="not-offered")
    if stop.return_open:
        return Option(why="already-asked")
    until = _returned_until(stop)
    if until is None:
        return Option(why="too-late" if is_done(stop) else "too-early")
    return Option(until=until) if now < until else Option(why="too-late")


def _rating(stop: PortalStop, now: datetime) -> Option:
    if stop.rated:
        return Option(why="already-rated")
    at = done_at(stop)
    if stop.status not in _HANDED_OVER or at is None:
        return Option(why="too-late" if is_done(stop) else "too-early")
    return Option(until=at + RATED_FOR) if now < at + RATED_FOR else Option(why="too-late")


def _expected(stop: PortalStop, now: datetime) -> datetime | None:
    """Say when the van will be there at the earliest; None where that is past and it is not there yet."""
    said = stop.eta_low or stop.planned_arrival or stop.window_start or stop.end_at
    return said if said > now else None
