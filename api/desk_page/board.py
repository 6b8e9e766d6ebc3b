"""The board: today's tours on one line of time, and the numbers of the day; on a wall, too."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.desk_page.story import BROKEN, WELL
from api.desk_page.today import MOST_TOURS, tours_of_today
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from api.routes.view import RouteItem
from sql.desk.board import BoardStop, FirstTries, OpenProblems, board_stops, first_tries, open_problems
from sql.desk.tours import usual_zone

operations = Operations("desk")

WIDTH = 1_200
"""Of the line of time, in units of the picture."""


@operations.operation(
    "GET",
    "/desk/board",
    who=Who.ANYONE,
    query=(
        Parameter(name="wall", description="1: for a screen on a wall; the page comes anew every half minute."),
        LANG,
    ),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in."},
)
@for_people(but=NOT_THE_DAY)
async def get_board(request: web.Request, looker: Looker) -> web.Response:
    """Show today's tours as they were planned and as they go, how much was on time, and what is open."""
    pool, account_id = request.app[POOL], looker.caller.account_id
    tours = (await tours_of_today(pool, account_id, looker.now))[:MOST_TOURS]
    of_today = [number for one in tours if (number := ids.number_of(ids.ROUTE, one.id)) is not None]
    stops = await board_stops(pool, account_id, of_today)
    span = _Span.of(tours, looker.now)
    of_tour = defaultdict(list)
    for stop in stops:
        of_tour[ids.shown(ids.ROUTE, stop.route_id)].append(stop)
    wall = request.query.get("wall") == "1"
    zone = tours[0].timezone if tours else await usual_zone(pool, account_id)
    return shown(
        request,
        looker,
        "board.html",
        title=looker.words["board"]["title"],
        frame="wall.html" if wall else "inside.html",
        numbers=_numbers(
            looker, stops, await first_tries(pool, account_id, of_today), await open_problems(pool, account_id)
        ),
        tours=[_row(looker, one, of_tour[one.id], span) for one in tours],
        width=WIDTH,
        now_x=span.x(looker.now),
        hours=[{"x": span.x(at), "text": looker.manner(zone).clock(at)} for at in span.hours()],
        as_of=looker.words["stop"]["as_of"].format(time=looker.manner(zone).clock(looker.now)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """The stretch of time that is drawn."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, tours: Sequence[RouteItem], now: datetime) -> "_Span":
        start = min((one.start_at for one in tours), default=now - timedelta(hours=4))
        end = max((one.end_at for one in tours), default=now + timedelta(hours=4))
        return cls(start=start - timedelta(minutes=15), end=end + timedelta(minutes=15))

    def x(self, at: datetime) -> int:
        """Give the place of a time on the line, within it."""
        share = (at - self.start) / (self.end - self.start)
        return round(WIDTH * min(1.0, max(0.0, share)))

    def hours(self) -> list[datetime]:
        """Give the whole hours of it, at most about twelve."""
        step = timedelta(hours=max(1, round((self.end - self.start) / timedelta(hours=12))))
        first = self.start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        return [first + step * n for n in range(int((self.end - first) / step) + 1)]


def _numbers(
    looker: Looker, stops: Sequence[BoardStop], tries: FirstTries, problems: OpenProblems
) -> list[dict[str, str]]:
    words = looker.words["board"]
    promised = [stop for stop in stops if stop.window_end and stop.came_at]
    in_time = sum(stop.came_at <= stop.window_end for stop in promised if stop.came_at and stop.window_end)
    done = sum(stop.status in WELL for stop in stops)
    failed = sum(stop.status in BROKEN for stop in stops)
    shares = (
        ("on_time", _share(in_time, len(promised)), f"{in_time}/{len(promised)}", False),
        ("first_try", _share(tries.succeeded, tries.ended), f"{tries.succeeded}/{tries.ended}", False),
        ("done", f"{done}/{len(stops)}", "", False),
        ("failed", str(failed), "", failed > 0),
        ("alerts", str(problems.alerts), "", problems.critical > 0),
        ("tickets", str(problems.tickets), "", False),
        ("proposals", str(problems.proposals), "", False),
    )
    return [
        {"name": words[name], "said": said, "of": of, "tone": "broken" if is_bad else ""}
        for name, said, of, is_bad in shares
    ]


def _share(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "–"


def _row(looker: Looker, tour: RouteItem, stops: Sequence[BoardStop], span: _Span) -> dict[str, Any]:
    begun, ended = tour.started_at, tour.finished_at or looker.now
    marks = [(at, _mark(stop)) for stop in stops if (at := stop.came_at or stop.expected or stop.planned_arrival)]
    late = sum(mark == "late" for _, mark in marks)
    words = looker.words
    done = f"{tour.progress.done}/{tour.progress.stops}"
    return {
        "id": tour.id,
        "name": tour.external_id,
        "driver": tour.driver_name or "",
        "status": words["tour_status"][tour.status],
        "done": done,
        "late": words["board"]["late"].format(n=late) if late else "",
        "planned": {"x": span.x(tour.start_at), "width": span.x(tour.end_at) - span.x(tour.start_at)},
        "driven": {"x": span.x(begun), "width": max(2, span.x(ended) - span.x(begun))} if begun else None,
        "marks": [{"x": span.x(at), "tone": mark} for at, mark in marks],
        "said": f"{tour.external_id}: {words['tour_status'][tour.status]}, {done}",
    }


def _mark(stop: BoardStop) -> str:
    at = stop.came_at or stop.expected
    if stop.status in BROKEN:
        return "broken"
    if stop.window_end is not None and at is not None and at > stop.window_end:
        return "late"
    return "well" if stop.status in WELL or stop.came_at else "ahead"
