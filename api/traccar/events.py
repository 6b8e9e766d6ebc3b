"""What happened, as Traccar's events."""

from datetime import timedelta

from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid
from api.traccar.login import authorize_traccar
from api.traccar.query import number_parameter, numbers_in, period, period_in
from api.traccar.shapes import TraccarEvent
from api.traccar.words import EVENT_TYPES, event_of, time_text
from sql.feed.events import facts_known_between

operations = Operations("traccar", find=authorize_traccar)

TOLD_AFTER = timedelta(seconds=5)
"""An entry of the feed can be read so long after it became known, at most. It is told in the stretch of time so much
later: then whoever asks for one stretch after the other gets every event once."""

LONGEST = timedelta(days=7)
"""All that an account's feed has of that time is looked at."""

EVENTS_TO_THINGS = 10
"""An answer holds so many times more events than a page of other lists."""

_ALL = "allEvents"


@operations.operation(
    "GET",
    "/api/reports/events",
    who=Who.VIEWER,
    answer=list[TraccarEvent],
    query=(
        number_parameter("deviceId", "Only of these drivers; may be given again."),
        number_parameter("groupId", "There are no groups: of one alone there is nothing."),
        Parameter(name="type", description=f"Only of this type of Traccar's, or `{_ALL}`; may be given again."),
        *period(LONGEST),
    ),
)
async def get_traccar_events(request: web.Request) -> web.Response:
    """Read what happened to drivers, of the types that Traccar has.

    In the order in which it became known, and of that time, to within five seconds: who asks for one stretch of time
    after the other gets every event once, late ones too. What turned out never to have been is left out.
    """
    drivers, groups, stretch = (
        numbers_in(request, "deviceId"),
        numbers_in(request, "groupId"),
        period_in(request, LONGEST),
    )
    if stretch is None:
        raise Invalid("Of what time?", errors=[FieldError(at=name, why="is missing") for name in ("from", "to")])
    types = _types(request)
    if not types or (groups and not drivers):
        return answer(request, [])
    most = request.app[CONFIG].max_page * EVENTS_TO_THINGS
    since, until = stretch
    facts = await facts_known_between(
        request.app[POOL],
        caller_of(request).account_id,
        since=since - TOLD_AFTER,
        until=until - TOLD_AFTER,
        types=types,
        driver_ids=drivers,
        limit=most + 1,
    )
    if len(facts) > most:
        latest = time_text(facts[most].known_at + TOLD_AFTER)
        why = f"must be no later than {latest}: until there are {most} events already"
        raise Invalid("These are too many events for one answer.", errors=[FieldError(at="to", why=why)])
    return answer(request, [event_of(fact) for fact in facts if fact.driver_id is not None])


def _types(request: web.Request) -> list[str]:
    """Give the types of the feed that are asked for; all that Traccar has a word for where none is."""
    asked = frozenset(request.query.getall("type", []))
    return [ours for ours, theirs in EVENT_TYPES.items() if not asked or theirs in asked or _ALL in asked]
