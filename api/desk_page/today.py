"""The day at a glance: every van on a map and in a list, kept up to date by the stream; below the tours of today."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import web

from api.desk_page.ground import ground_of
from api.desk_page.shown import Looker, shown
from api.driver.manifest.held import LATE
from api.fleet.position_view import LATE_S
from api.http import ids
from api.http.app_keys import CONFIG, POOL
from api.pages.catalog import desk_texts
from api.pages.times import Manner
from api.routes.view import RouteItem, item_of
from sql.account.drivers import list_drivers
from sql.delivery import routes
from sql.desk.proposals import undecided_proposals
from sql.pool import Pool

MOST_TOURS = 500
"""Shown on the page; a day of a large firm."""

MOST_VANS = 10_000
"""Named on the page; of others it asks."""

STATES = ("alarm", "silent", "off_route", "late", "on_break", "at_stop", "moving", "stopped")
"""Of vans, those that somebody has to look at first; `live.js` says which holds."""

_ORDER = ("started", "planned", "finished", "cancelled")


async def today_page(request: web.Request, looker: Looker) -> web.Response:
    """Show the tours of today."""
    pool, now, t = request.app[POOL], looker.now, desk_texts(looker.language)
    tours = await tours_of_today(pool, looker.caller.account_id, now)
    drivers = await list_drivers(pool, account_id=looker.caller.account_id, after=0, limit=MOST_VANS)
    words = looker.words["live"]
    clock = looker.manner(tours[0].timezone if tours else "UTC").clock(now)
    return shown(
        request,
        looker,
        "today.html",
        title=t["tours_title"],
        tours=[_row(tour, looker.manner(tour.timezone), t) for tour in tours[:MOST_TOURS]],
        as_of=t["tours_as_of"].format(time=clock),
        undecided=await undecided_proposals(pool, looker.caller.account_id, days_around(now), now=now),
        more=t["tours_more"].format(most=MOST_TOURS) if len(tours) > MOST_TOURS else "",
        names={ids.shown(ids.DRIVER, one.id): one.name for one in drivers},
        routes={one.id: one.external_id for one in tours},
        words=dict(words),
        states=STATES,
        late_s=LATE_S,
        **ground_of(request.app[CONFIG]),
    )


async def tours_of_today(pool: Pool, account_id: int, now: datetime) -> list[RouteItem]:
    """Read the tours of today, of each by its own time zone, and those of last night that are still out.

    These as long as their drivers' phones show them. Those under way come first, then as they begin.
    """
    found: dict[int, RouteItem] = {}
    days = days_around(now)
    asked = [(day, None) for day in days] + [(day, "started") for day in days_around(now - timedelta(days=1)) - days]
    for day, status in asked:
        rows = await routes.list_routes(
            pool, account_id=account_id, on=day, driver_id=None, status=status, before=None, limit=MOST_TOURS + 1
        )
        found |= {row.id: item_of(row) for row in rows}
    today = [one for one in found.values() if _is_of_today(one, now)]
    return sorted(today, key=lambda one: (_ORDER.index(one.status), one.start_at, one.external_id))


def _is_of_today(tour: RouteItem, now: datetime) -> bool:
    if tour.status == "started" and tour.start_at <= now < tour.end_at + LATE:
        return True
    return tour.date == now.astimezone(ZoneInfo(tour.timezone)).date()


def days_around(now: datetime) -> set[date]:
    """Give the days that are today somewhere."""
    return {(now + timedelta(hours=hours)).date() for hours in (-12, 0, 14)}


def _row(tour: RouteItem, manner: Manner, t: Mapping[str, str]) -> dict[str, str]:
    return {
        "id": tour.id,
        "name": tour.external_id,
        "driver": tour.driver_name or t["tours_nobody"],
        "state": t[f"tours_{tour.status}"],
        "start": manner.clock(tour.start_at),
        "end": manner.clock(tour.end_at),
        "done": str(tour.progress.done),
        "stops": str(tour.progress.stops),
    }
