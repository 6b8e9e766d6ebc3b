"""Who takes what from the quarantine: pings go the way of the doors, events that of the driver's app."""

from aiohttp import web

from api.driver.events.applying import apply_events
from api.fleet.applying import Applied, RejectedItem, ToApply
from api.http.problem import BadRequest, FieldError, Invalid
from ingest.decode.refusals import TooMuch, Unreadable
from ingest.doors.apply import apply_pings, apply_set_aside
from ingest.doors.refusals import problem_of


async def _pings(app: web.Application, one: ToApply) -> Applied:
    try:
        if one.items is None:
            applied = await apply_set_aside(app, one.device, one.body, one.received_at)
            return Applied(id="", applied=applied, rejected=[])
        applied, refused = await apply_pings(app, one.device, one.items, one.received_at)
    except (Unreadable, TooMuch) as refusal:
        raise problem_of(refusal) from refusal
    except ValueError as error:
        damaged = FieldError(at="", why="what was set aside is damaged; send the pings here")
        raise Invalid("This cannot be applied as it is.", errors=[damaged]) from error
    return Applied(id="", applied=applied, rejected=[RejectedItem(index=ping.index, why=ping.why) for ping in refused])


async def _events(app: web.Application, one: ToApply) -> Applied:
    if one.items is None:
        raise BadRequest("This is no event.")
    found = await apply_events(app, one.device, one.items, one.received_at)
    rejected = [RejectedItem(index=at, why=refused.why) for at, refused in enumerate(found) if refused is not None]
    return Applied(id="", applied=len(found) - len(rejected), rejected=rejected)


APPLIERS = {"events": _events, "": _pings}
