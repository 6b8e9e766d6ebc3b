"""The page of a proposal: what it saves and costs, and what it means for each recipient, before anybody hears of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.http import ids
from api.http.app_keys import POOL
from api.http.ids import id_in_path
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.pages.catalog import certificate_texts
from api.pages.times import Manner
from api.planning import plans
from api.planning.plans import Affected, PlannedTour, Proposal, TourPlan, Unplanned
from sql.desk.proposals import called_tours, people_of_orders, people_of_stops
from sql.planning.plans import TourPlanRow, find_plan
from sql.pool import Pool
from work.planning.so_far import depot_of_day

operations = Operations("desk")

NOBODY = ("unplanned", "stays")
"""Of what happens to an order: nobody comes to it any more."""

_FIRST = ("nobody", "broken", "missed", "cancelled", "moved", "added", "saved", "later", "earlier", "same")
"""What somebody looks at first of those whom a proposal concerns."""

_TONES = {"broken": "broken", "missed": "broken", "saved": "well"}


@operations.operation(
    "GET",
    "/desk/replan/{plan}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such proposal."},
)
@for_people(but=NOT_THE_DAY)
async def get_proposal_page(request: web.Request, looker: Looker) -> web.Response:
    """Show how a day should go on: minutes, km, windows, each recipient; dispatchers accept or drop it there."""
    pool, account_id = request.app[POOL], looker.caller.account_id
    row = await find_plan(pool, account_id=account_id, plan_id=id_in_path(request, "plan", ids.PLAN))
    if row is None or "because" not in row.asked:
        raise NotFound("There is no proposal of this id.")
    plan = await plans.shown(pool, row)
    depot = await depot_of_day(pool, row)
    manner = looker.manner(depot.timezone if depot else "UTC")
    proposal = plan.proposal
    is_found = plan.state == "done" and proposal is not None
    holds_s = (proposal.until - looker.now).total_seconds() if proposal else 0.0
    return shown(
        request,
        looker,
        "proposal.html",
        title=looker.words["replan"]["proposal"],
        plan=plan,
        because=row.asked["because"],
        depot=depot.name if depot else plan.depot,
        is_open=is_found and holds_s >= 0,
        is_old=is_found and holds_s < 0,
        until=manner.clock(proposal.until) if proposal else "",
        holds_s=round(holds_s),
        facts=_facts(looker, proposal) if proposal else [],
        out_of=_first_out(row),
        **(await _lists(pool, looker, manner, plan) if proposal else {"rows": [], "tours": []}),
    )


def _first_out(row: TourPlanRow) -> str:
    """Give the tour that it was asked for, to ask again; empty: for all."""
    named = [one["route"] for one in row.asked.get("out", [])] or (row.asked.get("routes") or [])
    return ids.shown(ids.ROUTE, named[0]) if named else ""


def _facts(looker: Looker, proposal: Proposal) -> list[dict[str, str]]:
    """Write what a proposal comes to, whoever loses by it first."""
    words, decimal = looker.words["replan"], certificate_texts(looker.language).decimal

    def more(value: float, digits: int, unit: str) -> str:
        text = f"{value:+.{digits}f}".replace("-", "−").replace(".", decimal)
        return f"{text if round(value, digits) else text[1:]}\u00a0{unit}"

    left = sum(one.what in NOBODY for one in proposal.recipients)
    return [
        *(
            {"name": words[name], "text": str(count), "tone": "broken" if count else ""}
            for name, count in (("no_van", left), ("broken", proposal.windows_broken))
        ),
        {"name": words["saved"], "text": str(proposal.windows_saved), "tone": ""},
        {"name": words["minutes"], "text": more(proposal.minutes, 0, "min"), "tone": ""},
        {"name": words["km"], "text": more(proposal.km, 1, "km"), "tone": ""},
    ]


async def _lists(pool: Pool, looker: Looker, manner: Manner, plan: TourPlan) -> dict[str, Any]:
    """Write whom it concerns, and the tours as they would be."""
    assert plan.proposal is not None
    account_id, concerned = looker.caller.account_id, plan.proposal.recipients
    stops = _numbers(ids.STOP, [one.stop for one in concerned])
    tours = [one.route for one in plan.tours] + [name for one in concerned for name in (one.from_route, one.to_route)]
    people = await people_of_stops(pool, account_id, stops)
    called = await called_tours(pool, account_id, _numbers(ids.ROUTE, tours))
    writes = _Writes(
        looker=looker,
        manner=manner,
        of_stop={ids.shown(ids.STOP, stop_id): name for stop_id, name in people.items()},
        of_order=await people_of_orders(pool, account_id, [one.order for one in concerned if not one.stop]),
        called={ids.shown(ids.ROUTE, route_id): name for route_id, name in called.items()},
        helps={one.order: one for one in plan.unplanned},
    )
    rows = [writes.row(one) for one in concerned]
    return {
        "rows": sorted(rows, key=lambda row: (_FIRST.index(row["rank"]), row["order"])),
        "tours": [writes.tour(one) for one in plan.tours],
    }


def _numbers(prefix: str, names: Iterable[str | None]) -> list[int]:
    """Read ids of one kind, each once."""
    return [number for name in {*names} if name and (number := ids.number_of(prefix, name)) is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writes:
    """Writes rows of a proposal.

    Attributes:
        of_stop, of_order: whose they are.
        called: tours by id.
        helps: what is on no tour, and what would change that, by order.
    """

    looker: Looker
    manner: Manner
    of_stop: Mapping[str, str]
    of_order: Mapping[str, str]
    called: Mapping[str, str]
    helps: Mapping[str, Unplanned]

    def row(self, one: Affected) -> dict[str, Any]:
        """Write what it means for a recipient."""
        words, looker, nobody = self.looker.words, self.looker, one.what in NOBODY
        promise = one.promise if one.promise != "kept" else None
        return {
            "order": one.order,
            "name": self.of_stop.get(one.stop, "") if one.stop else self.of_order.get(one.order, ""),
            "stop": one.stop or "",
            "rank": "nobody" if nobody else promise or one.what,
            "what": words["replan_what"][one.what],
            "tone": "broken"
            if nobody or one.what == "cancelled"
            else "doing"
            if one.what in ("moved", "added")
            else "off",
            "before": self._when(one.before),
            "by_before": self._tour(one.from_route, one.from_shift),
            "after": self._when(one.after),
            "by_after": self._tour(one.to_route, one.to_shift),
            "window": self.manner.range(one.window.start, one.window.end, looker.now) if one.window else "",
            "promise": words["replan_promise"][one.promise] if one.promise else "",
            "promise_tone": _TONES.get(one.promise or "", "off"),
            "help": self._help(self.helps[one.order]) if one.order in self.helps else "",
        }

    def tour(self, one: PlannedTour) -> dict[str, str]:
        """Write a tour as it would be."""
        visits = [stop for stop in one.stops if not stop.loads]
        words = self.looker.words["replan"]
        return {
            "id": one.route or "",
            "called": self._tour(one.route, one.shift),
            "visits": words["visits"].format(n=len(visits)),
            "ends": words["ends"].format(time=self.manner.moment(one.end_at, self.looker.now)) if one.stops else "",
        }

    def _when(self, at: datetime | None) -> str:
        return self.manner.moment(at, self.looker.now) if at else ""

    def _tour(self, route: str | None, shift: str | None) -> str:
        return self.called.get(route or "", shift or "")

    def _help(self, one: Unplanned) -> str:
        """Say what would bring an order onto a tour."""
        words, helps = self.looker.words["replan_help"], one.would_help
        if helps.any_time and helps.one_more_van:
            return words["either"]
        return words["any_time" if helps.any_time else "one_more_van" if helps.one_more_van else "nothing"]
