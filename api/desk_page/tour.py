"""The page of a tour: how it goes, and what a dispatcher does with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import ONE_DELIVERY, Looker, for_people, shown
from api.desk_page.story import NOT_HEARD, tone_of
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.refs import ref_in_path
from api.pages.times import Manner
from api.routes.eta import RouteEtaView, StopEta, view_of
from api.routes.view import RouteItem, item_of
from sql.account.drivers import DriverRow, list_drivers
from sql.delivery.routes import find_route, show_route
from sql.delivery.stops import StopRow, stops_of_route
from sql.desk.tours import StopSigns, signs_of_stops
from sql.eta.eta import eta_of_route, eta_stops

operations = Operations("desk")

MOST_DRIVERS = 1_000
"""To choose from."""

_OPEN = ("pending", "arrived")


@operations.operation(
    "GET",
    "/desk/tours/{route}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such tour."},
)
@for_people(but=ONE_DELIVERY)
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
        drivers = (
            await list_drivers(db, account_id=account_id, after=0, limit=MOST_DRIVERS) if looker.is_dispatcher else []
        )
    tour, manner = item_of(row), looker.manner(row.timezone)
    rows = _Rows(looker=looker, manner=manner, eta={one.stop_id: one for one in view.stops}, signs=signs)
    return shown(
        request,
        looker,
        "tour.html",
        title=row.external_id,
        tour=tour,
        facts=_facts(looker, manner, tour, view),
        **rows.parted(stops),
        drivers=_choices(drivers, row.driver_external_id),
        is_open=tour.status in ("planned", "started"),
        may_order=looker.is_dispatcher and tour.status in ("planned", "started"),
        zone=row.timezone,
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


def _choices(drivers: list[DriverRow], current: str | None) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "external_id": one.external_id, "chosen": one.external_id == current}
        for one in sorted(drivers, key=lambda one: one.name.casefold())
    ]


class _Rows:
    """Writes the rows of a tour's stops."""

    def __init__(
        self, *, looker: Looker, manner: Manner, eta: Mapping[str, StopEta], signs: Mapping[int, StopSigns]
    ) -> None:
        self._looker, self._manner, self._eta, self._signs = looker, manner, eta, signs

    def parted(self, stops: Sequence[StopRow]) -> dict[str, Any]:
        """Write all stops: those ahead, those the van came to, those taken off; and what is aboard."""
        there = [stop for stop in stops if not stop.removed]
        return {
            "ahead": [self.row(stop) for stop in there if _is_ahead(stop)],
            "done": [self.row(stop) for stop in there if not _is_ahead(stop)],
            "gone": [self.row(stop) for stop in stops if stop.removed],
            "aboard": [self.aboard(stop) for stop in there if _is_aboard(stop)],
        }

    def row(self, stop: StopRow) -> dict[str, Any]:
        """Write a stop: promise, when it comes or came, and its signs."""
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
        }

    def aboard(self, stop: StopRow) -> dict[str, str]:
        """Write what of a stop is in the van."""
        parcels = [f"{one.quantity} × {one.description or one.barcode or ''}".rstrip(" ×") for one in stop.plan.parcels]
        return {"order": stop.plan.external_id, "name": stop.plan.name, "parcels": ", ".join(parcels)}

    def _clock(self, at: datetime | None) -> str:
        return "" if at is None else self._manner.moment(at, self._looker.now)
