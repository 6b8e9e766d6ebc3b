"""A driver's own tour on their phone: the next stop large, and what they say happened there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from api.certificate.told import Pen
from api.desk.pages import LANG
from api.desk_page.shown import Looker, for_people, said, shown
from api.desk_page.story import status_in_words, tone_of
from api.driver.manifest.changes import whole
from api.driver.manifest.version import Current, bring_up_to_date
from api.driver.manifest.view import ManifestRoute, ManifestStop
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import Role
from api.http.operation import Operations, Parameter, Who
from api.pages.catalog import certificate_texts
from api.pages.times import Manner
from sql.account.devices import browser_of
from sql.account.settings import Reason, read_settings
from sql.delivery.manifest import note_told

operations = Operations("desk")

OPEN = frozenset({"pending", "en_route", "arrived", "left_open"})
"""Nobody said yet how such a stop ended."""

NOT_DRIVERS = frozenset(role for role in Role if role is not Role.DRIVER)


@operations.operation(
    "GET",
    "/desk/driving",
    who=Who.ANYONE,
    query=(Parameter(name="stop", description="Which is shown large; else the next one."), LANG),
    media=("text/html",),
    also={
        303: "Nobody is signed in: the form to sign in.",
        304: "It is as the header `If-None-Match` has it.",
        403: "A page that says who drives.",
    },
)
@for_people(but=NOT_DRIVERS)
async def get_driving_page(request: web.Request, looker: Looker) -> web.Response:
    """Show a driver their tour and its next stop; what they say there goes to `POST /v1/driver/events`.

    Who gets it has been shown what recipients said of the stops, and recipients read that. HEAD shows nothing, and says
    whether it is another page by now.
    """
    pool, person_id = request.app[POOL], looker.caller.person_id
    assert person_id is not None
    device = await browser_of(pool, looker.caller.account_id, person_id)
    if device is None:
        return said(request, looker, "no_driver", status=403)
    who = {"account_id": device.account_id, "driver_id": device.driver_id}
    current = await bring_up_to_date(pool, **who, now=pool.clock.now())
    tag = {"ETag": f'W/"{current.version}"'}
    if str(current.version) in {one.value for one in request.if_none_match or ()}:
        return web.Response(status=304, headers=tag)
    if request.method == "GET" and (untold := [one for route in current.look.routes for one in route.untold]):
        await note_told(pool, untold)
    day = DriversDay.of(looker, current, (await read_settings(pool, device.account_id)).failure_reasons)
    title = looker.words["driving"]["title"]
    response = shown(request, looker, "driving.html", title=title, **day.page(request.query.get("stop", "")))
    response.headers.update(tag)
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class DriversDay:
    """What a driver has to do, written in their words.

    Attributes:
        now: the tour that they are on, or the next one; None: there is none.
        after: the one that follows; None: nobody planned it.
        over: tours that are over, and nobody said how some of their stops ended.
    """

    looker: Looker
    reasons: Sequence[Reason]
    version: int
    now: ManifestRoute | None
    after: ManifestRoute | None
    over: Sequence[ManifestRoute]

    @classmethod
    def of(cls, looker: Looker, current: Current, reasons: Sequence[Reason]) -> "DriversDay":
        """Take a manifest as it is."""
        over = {ids.shown(ids.ROUTE, route.id) for route in current.look.over}
        routes = whole(current).routes
        now, after = [*(route for route in routes if route.id not in over), None, None][:2]
        of_before = [route for route in routes if route.id in over]
        return cls(looker=looker, reasons=reasons, version=current.version, now=now, after=after, over=of_before)

    def page(self, asked: str) -> dict[str, Any]:
        """Write what the template lays out; `asked`: the id of the stop to show large, else the next one is."""
        rows = self._rows()
        left = [row for row in rows if row[1].status in OPEN]
        done = [row for row in rows if row[1].status not in OPEN]
        large = next((row for row in rows if row[1].id == asked), next(iter(left), None))
        said = self.looker.words["driving_said"]
        return {
            "version": self.version,
            "tour": None if self.now is None else self._tour(self.now),
            "count": self.looker.words["driving"]["count"].format(done=len(done), stops=len(rows)),
            "stop": None if large is None else self._large(*large),
            "ahead": [self._row(*row) for row in left if row is not large],
            "done": [self._row(*row) for row in done if row is not large],
            "after": None if self.after is None else self._tour(self.after),
            "reasons": self._reasons(),
            "words": msgspec.json.encode(said).decode().replace("<", "\\u003c"),
        }

    def _rows(self) -> list[tuple[ManifestRoute, ManifestStop]]:
        """Give the stops of today, those of tours that are over last."""
        today = [*([] if self.now is None else [self.now]), *self.over]
        return [(route, stop) for route in today for stop in _in_order(route)]

    def _reasons(self) -> list[tuple[str, str]]:
        return [(one.code, self.looker.words["fail_reason"].get(one.code, one.text)) for one in self.reasons]

    def _tour(self, route: ManifestRoute) -> dict[str, Any]:
        return {
            "id": route.id,
            "name": route.external_id,
            "hours": self._manner(route).range(route.start_at, route.end_at, self.looker.now),
            "is_planned": route.status == "planned",
            "stops": len(_in_order(route)),
        }

    def _row(self, route: ManifestRoute, stop: ManifestStop) -> dict[str, Any]:
        words, manner, now = self.looker.words, self._manner(route), self.looker.now
        window, planned = stop.window, stop.planned_arrival
        when = words["driving"]["planned"].format(time=manner.moment(planned, now)) if planned else ""
        return {
            "id": stop.id,
            "name": stop.name,
            "address": stop.address or "",
            "kind": words["stop_kind"][stop.kind],
            "status": status_in_words(words, stop.kind, stop.status),
            "tone": tone_of(stop.status),
            "promised": manner.range(window.start, window.end, now) if window else "",
            "when": when,
        }

    def _large(self, route: ManifestRoute, stop: ManifestStop) -> dict[str, Any]:
        pen = Pen(words=certificate_texts(self.looker.language), zone=self._manner(route).zone)
        parcels = [
            {"seq": seq, "text": pen.parcels([msgspec.to_builtins(one)], ())} for seq, one in enumerate(stop.parcels)
        ]
        due, words = stop.cash_on_delivery, self.looker.words["driving"]
        return self._row(route, stop) | {
            "order": stop.external_id,
            "is_open": stop.status in OPEN,
            "is_there": stop.status == "arrived",
            "maps": "https://www.google.com/maps/dir/?"
            + urlencode({"api": 1, "destination": f"{stop.lat},{stop.lon}"}),
            "waze": "https://waze.com/ul?" + urlencode({"ll": f"{stop.lat},{stop.lon}", "navigate": "yes"}),
            "phone": stop.phone or "",
            "instructions": stop.instructions or "",
            "parcels": parcels,
            "cash": f"{pen.amount(due.amount)} {due.currency}" if due else "",
            "asks": stop.proof,
            "handed": "delivered" if stop.kind == "delivery" else "collected",
            "completed": words.get(f"completed_{stop.kind}", words["completed"]),
        }

    def _manner(self, route: ManifestRoute) -> Manner:
        return self.looker.manner(route.timezone)


def _in_order(route: ManifestRoute) -> list[ManifestStop]:
    """Give the stops that are on a tour, in its order."""
    assert isinstance(route.stops, list)
    return sorted((one for one in route.stops if one.order is not None), key=lambda one: one.order or 0)
