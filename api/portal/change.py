"""The way of every change: counted, looked up, read, held, judged by the rules, made with its fact; one transaction."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.problem import Conflict, Forbidden, Gone, NotFound
from api.http.refs import Ref
from api.portal.limits import admit_post
from api.portal.rules import TOLD_AT_ONCE, Option, is_over, option, options
from api.recipient.stream import link_in
from api.routes.write import hold_route
from sql.account.settings import RecipientChange
from sql.delivery.routes import RouteHead
from sql.pool import Db
from sql.portal import stops
from sql.portal.stops import PortalStop, WishRow
from sql.track.live import tell_live
from work.messages.notices import note_stops

State: TypeAlias = Literal["applied", "proposed"]


class TooLate(Conflict):
    """The van was here, or is."""

    type = "too-late"
    title = "It is too late for this"


class NotOffered(Forbidden):
    """Neither now nor later."""

    type = "not-offered"
    title = "This is not possible for this delivery"


class AlreadyRated(Conflict):
    """Once is enough."""

    type = "already-rated"
    title = "This was rated before"


class ChangeAccepted(Struct, frozen=True, kw_only=True):
    """A change that was taken.

    `state` proposed: the company decides. `driver_told`: the driver's next look at the manifest shows it. `distance_m`:
    of a door from where the planner has it.
    """

    id: str
    change: str
    state: State
    driver_told: bool
    distance_m: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """A change under way: the stop is held, and the rules allow it; `head` where its route is held too."""

    db: Db
    stop: PortalStop
    change: RecipientChange
    now: datetime
    head: RouteHead | None = None

    async def note(
        self,
        type_name: str,
        *,
        was: dict[str, Any],
        is_now: dict[str, Any],
        told: dict[str, Any],
        state: State = "applied",
    ) -> str:
        """Keep what was and what is, and tell the feed of it without anybody's words; return the change's id."""
        number = await stops.put_change(
            self.db, self.stop, kind=self.change, state=state, was=was, is_now=is_now, now=self.now
        )
        change_id = ids.shown(ids.CHANGE, number)
        data = {"change": self.change, "change_id": change_id, "state": state, **told}
        await stops.put_fact(self.db, self.stop, fact_id=uuid4(), type_name=type_name, data=data, now=self.now)
        return change_id

    async def warn(self, old_contact: Mapping[str, str | None] | None = None) -> None:
        """Have the contact hear at once of what a stranger would like to change, and so the one before it."""
        said = {"guarded": True} | ({"old_contact": old_contact} if old_contact else {})
        await note_stops(
            self.db,
            "changed",
            account_id=self.stop.account_id,
            route_id=self.stop.route_id,
            stop_ids=[self.stop.id],
            data={self.stop.id: said},
            now=self.now,
        )


async def linked_stop(request: web.Request, now: datetime) -> PortalStop:
    """Find the stop that the link in the path opens.

    Raises:
        NotFound: there is no such link.
        Gone: it opens nothing any more.
    """
    stop = await stops.find_stop(request.app[POOL], link_in(request))
    if stop is None:
        raise NotFound("There is no such tracking link. Please check that the address is complete.")
    if is_over(stop, now):
        raise Gone("This tracking link has ended; nothing can be changed by it.")
    return stop


@asynccontextmanager
async def changing(request: web.Request, change: RecipientChange, *, plans: bool = False) -> AsyncIterator[Changing]:
    """Hold the stop of a link for a change that is allowed; what is done with it is committed at the end.

    Args:
        plans: the plan of its route changes with it; that is held too.

    Raises:
        TooLate, NotOffered, AlreadyRated, Conflict: it is not allowed; says why, and what is.
    """
    now = now_of(request)
    is_held = False
    while not is_held:
        found = await linked_stop(request, now)
        async with request.app[POOL].acquire() as db, db.transaction():
            head = None
            if plans:  # before the stop, as whoever puts a route holds them
                head = await hold_route(db, account_id=found.account_id, ref=Ref(id=found.route_id), driver=None)
            await stops.hold_stop(db, found.id)
            stop = await linked_stop_now(db, request, now)
            is_held = stop.id == found.id  # else its order went to another tour meanwhile, and is to be held there
            if is_held:
                refuse_closed(change, option(change, stop, now), stop, now)
                yield Changing(db=db, stop=stop, change=change, now=now, head=head)
                await tell_live(db, [(stop.account_id, 0, stop.route_id)])


async def linked_stop_now(db: Db, request: web.Request, now: datetime) -> PortalStop:
    """Read a stop again that is held by now: its link may have been taken away meanwhile."""
    stop = await stops.find_stop(db, link_in(request))
    if stop is None or is_over(stop, now):
        raise Gone("This tracking link has ended; nothing can be changed by it.")
    return stop


async def counted(request: web.Request) -> None:
    """Count a post before anything of it is read.

    Raises:
        TooManyRequests: there were too many.
    """
    await admit_post(request, link_in(request))


def refuse_closed(change: RecipientChange, what: Option, stop: PortalStop, now: datetime) -> None:
    """Answer honestly when a change is closed: why, and what is possible instead.

    Raises:
        TooLate, NotOffered, AlreadyRated, Conflict: it is.
    """
    still = [name for name, one in options(stop, now).items() if one.allowed]
    instead = f" Still possible: {', '.join(still)}." if still else " Please ask whoever sent you this link."
    match what.why:
        case "too-late":
            raise TooLate(f"The van was here already, or its tour is over.{instead}")
        case "not-offered":
            raise NotOffered(f"Whoever delivers this does not offer {change!r}.{instead}")
        case "cash":
            raise NotOffered(f"Something is to be paid at the door, so nobody else and no place can take it.{instead}")
        case "already-rated":
            raise AlreadyRated("A delivery is rated once, and this one was.")
        case "already-asked":
            raise Conflict("A return of this delivery is under way already.")
        case "too-early":
            raise Conflict(f"It was not delivered yet.{instead}")


async def put_wish(
    request: web.Request,
    change: RecipientChange,
    make: Callable[[PortalStop, WishRow], tuple[WishRow, dict[str, Any]]],
    *,
    state: State = "applied",
    fact: str = "stop.instructed",
) -> ChangeAccepted:
    """Change what a recipient said of their stop, beside the plan; what they said already changes nothing.

    Args:
        make: gives what they say now, and what the feed may tell of it.
        fact: what the feed calls it.
    """
    async with changing(request, change) as it:
        before = await stops.find_wish(it.db, it.stop.id)
        wish, told = make(it.stop, before)
        was, is_now = asdict(before), asdict(wish)
        changed = {
            name for name, value in is_now.items() if value != was[name] and name not in ("said_at", "last_change")
        }
        last = (await stops.last_changes(it.db, it.stop.id)).get(change)
        if not changed and state == "applied" and last is not None:  # a request that was sent twice
            change_id = ids.shown(ids.CHANGE, last.id)
        else:
            await stops.put_wish(it.db, it.stop, replace(wish, said_at=it.now, last_change=change))
            change_id = await it.note(
                fact,
                was={name: was[name] for name in changed},
                is_now={name: is_now[name] for name in changed},
                state=state,
                told=told,
            )
            if change in TOLD_AT_ONCE:
                await it.warn()
    return ChangeAccepted(id=change_id, change=change, state=state, driver_told=True, distance_m=told.get("distance_m"))
