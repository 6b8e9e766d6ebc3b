"""The page of a tour: how it goes, and what a dispatcher does with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.desk_page.story import NOT_HEARD, tone_of
from api.dispatch.notes import MOST_NOTES, note_of
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.refs import ref_in_path
from api.pages.times import Manner
from api.routes.eta import RouteEtaView, StopEta, view_of
from api.routes.view import RouteItem, item_of
from sql.account.drivers import DriverRow, list_drivers
from sql.delivery.notes import RouteNote, notes_of_route
from sql.delivery.routes import TO_DRIVE, RouteRow, find_route, list_routes, show_route
from sql.delivery.stops import StopRow, stops_of_route
from sql.desk.tours import MovedOn, StopSigns, moved_on, signs_of_stops
from sql.eta.eta import eta_of_route, eta_stops
from sql.pool import Db
from work.planning.so_far import loads_of_stop

operations = Operations("desk")

MOST_DRIVERS = 1_000
"""To choose from."""

MOST_TOURS = 200
"""That stops may go to."""

_OPEN = ("pending", "arrived")
_MOVABLE = ("delivery", "pickup")


@operations.operation(
    "GET",
    "/desk/tours/{route}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such tour."},
)
@for_people(but=NOT_THE_DAY)
async def get_tour_page(request: web.Request, looker: Looker) -> web.Response:
    """Show a tour: its stops with promise, ETA, status, proofs, messages and tickets; dispatchers change it there."""
    ref, account_id = ref_in_path(request, "route", ids.ROUTE), looker.caller.account_id
    async with request.app[POOL].acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
        head = await find_route(db, account_id=account_id, route_id=ref.id, external_id=ref.external_id)
        if head is None:
            raise NotFound("There is no route of this id.")
        row, stops = await show_route(db, head.id), await stops_of_route(db, head.id)
        eta = await eta_of_route(db, account_id, route_id=head.id)
        assert eta is not None
        view = view_of(eta, await eta_stops(db, (*eta.stop_ids, *eta.behind_ids)), looker.now)
        signs = await signs_of_stops(db, account_id, head.id)
        moved = await moved_on(db, account_id, head.id)
        drivers = (
            await list_drivers(db, account_id=account_id, after=0, limit=MOST_DRIVERS) if looker.is_dispatcher else []
        )
        others = await _others(db, account_id, row) if looker.is_dispatcher else []
        notes = await notes_of_route(db, head.id, at_most=MOST_NOTES)
    tour, manner = item_of(row), looker.manner(row.timezone)
    rows = _Rows(
        looker=looker,
        manner=manner,
        eta={one.stop_id: one for one in view.stops},
        signs=signs,
        moved=moved,
        is_out=tour.status == "started",
    )
    return shown(
        request,
        looker,
        "tour.html",
        title=row.external_id,
        tour=tour,
        facts=_facts(looker, manner, tour, view),
        **rows.parted(stops),
        drivers=_choices(drivers, row.driver_external_id),
        others=others,
        notes=_noted(looker, manner, notes, stops),
        is_open=tour.status in TO_DRIVE,
        may_order=looker.is_dispatcher and tour.status in TO_DRIVE,
        zone=row.timezone,
        hour_cycle=manner.hour_cycle,
        as_of=looker.words["stop"]["as_of"].format(time=manner.clock(looker.now)),
    )


def _is_ahead(stop: StopRow) -> bool:
    return stop.status == "pending" and stop.arrived_at is None


def _is_aboard(stop: StopRow) -> bool:
    """Tell whether what is to be brought to a stop is still in the van."""
    return stop.plan.kind == "delivery" and stop.status in (*_OPEN, "failed", "skipped", "left_open")


def _facts(looker: Looker, manner: Manner, tour: RouteItem, eta: RouteEtaView) -> dict[str, str]:
    last = max((one.high for one in eta.stops), default=None)
    return {
        "status": looker.words["tour_status"][tour.status],
        "hours": manner.range(tour.start_at, tour.end_at, looker.now),
        "done": f"{tour.progress.done}/{tour.progress.stops}",
        "last": manner.moment(last, looker.now) if last else "",
        "old": looker.words["stop"]["stale"] if eta.stale and eta.stops else "",
    }


async def _others(db: Db, account_id: int, row: RouteRow) -> list[RouteItem]:
    """Read the tours of the same day that are not over: under way first, then by name."""
    rows = await list_routes(
        db, account_id=account_id, on=row.date, driver_id=None, status=None, before=None, limit=MOST_TOURS
    )
    open_ones = [item_of(one) for one in rows if one.id != row.id and one.status in TO_DRIVE]
    return sorted(open_ones, key=lambda one: (one.status != "started", one.external_id))


def _noted(
    looker: Looker, manner: Manner, notes: Sequence[RouteNote], stops: Sequence[StopRow]
) -> list[dict[str, str]]:
    names = {stop.id: stop.plan.external_id for stop in stops}
    return [
        {
            "when": manner.moment(one.at, looker.now),
            "by": f"{one.name or looker.words['alerts']['somebody']} ({looker.words['tour'][note_of(one).by]})",
            "stop": names.get(one.stop_id, "") if one.stop_id else "",
            "text": one.words,
        }
        for one in notes
    ]


def _choices(drivers: list[DriverRow], current: str | None) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "external_id": one.external_id, "chosen": one.external_id == current}
        for one in sorted(drivers, key=lambda one: one.name.casefold())
    ]


class _Rows:
    """Writes the rows of a tour's stops."""

    def __init__(
        self,
        *,
        looker: Looker,
        manner: Manner,
        eta: Mapping[str, StopEta],
        signs: Mapping[int, StopSigns],
        moved: Mapping[int, MovedOn],
        is_out: bool,
    ) -> None:
        self._looker, self._manner, self._eta, self._signs = looker, manner, eta, signs
        self._moved, self._is_out = moved, is_out

    def parted(self, stops: Sequence[StopRow]) -> dict[str, Any]:
        """Write all stops: those ahead, those the van came to, those taken off; and what is aboard."""
        there = [stop for stop in stops if not stop.removed]
        ahead = [stop for stop in there if _is_ahead(stop)]
        held = {name: stop.plan.name for stop in ahead for name in loads_of_stop(stop)}
        return {
            "ahead": [self.row(stop, held) for stop in ahead],
            "done": [self.row(stop) for stop in there if not _is_ahead(stop)],
            "gone": [self.row(stop) for stop in stops if stop.removed],
            "aboard": [self.aboard(stop) for stop in stops if self._is_aboard(stop, held)],
        }

    def _is_aboard(self, stop: StopRow, held: Mapping[str, str]) -> bool:
        """Tell whether what is to be brought to a stop is in the van: not yet where others have it, still where another
        tour comes to fetch it."""
        if stop.removed:
            return self._is_out and stop.id in self._moved and self._moved[stop.id].is_to_fetch
        return _is_aboard(stop) and stop.plan.external_id not in held

    def row(self, stop: StopRow, held: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
        """Write a stop: promise, when it comes or came, its signs; `held`: who has parcels that are to be fetched."""
        words, plan, signs = self._looker.words, stop.plan, self._signs[stop.id]
        name = ids.shown(ids.STOP, stop.id)
        eta, end = self._eta.get(name), plan.window_end
        begin = plan.window_start
        return {
            "id": name,
            "order": plan.external_id,
            "name": plan.name,
            "address": plan.address or "",
            "kind": "" if plan.kind == "delivery" else words["stop_kind"][plan.kind],
            "status": words["stop_status"][stop.status],
            "tone": tone_of(stop.status),
            "promised": self._manner.range(begin, end, self._looker.now) if begin and end else "",
            "planned": self._clock(plan.planned_arrival),
            "eta": self._manner.window(eta.low, eta.high, self._looker.now) if eta else "",
            "is_late": bool(eta and end and eta.expected > end),
            "came": self._clock(stop.arrived_at or stop.outcome_at),
            "proofs": signs.proofs,
            "tickets": signs.tickets,
            "proposals": signs.proposals,
            "told": words["message_kind"].get(signs.told, signs.told) if signs.told else "",
            "told_state": words["message_state"][signs.told_state] if signs.told_state else "",
            "not_heard": signs.told_state in NOT_HEARD,
            "can_move": plan.kind in _MOVABLE,
            "held": held.get(plan.external_id, ""),
            "loads": ", ".join(loads_of_stop(stop)),
            "now": self._now(stop),
        }

    def aboard(self, stop: StopRow) -> dict[str, str]:
        """Write what of a stop is in the van."""
        parcels = [f"{one.quantity} × {one.description or one.barcode or ''}".rstrip(" ×") for one in stop.plan.parcels]
        fetched = self._moved.get(stop.id) if stop.removed else None
        return {
            "order": stop.plan.external_id,
            "name": stop.plan.name,
            "parcels": ", ".join(parcels),
            "fetched": _tour_of(fetched) if fetched else "",
        }

    def _now(self, stop: StopRow) -> dict[str, str]:
        """Write where a stop that was taken off is by now; nothing for others, and for one that is nowhere."""
        now = self._moved.get(stop.id)
        return {} if now is None else {"id": ids.shown(ids.STOP, now.now_id), "tour": _tour_of(now)}

    def _clock(self, at: datetime | None) -> str:
        return "" if at is None else self._manner.moment(at, self._looker.now)


def _tour_of(now: MovedOn) -> str:
    return f"{now.route} · {now.driver}" if now.driver else now.route
