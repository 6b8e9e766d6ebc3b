"""`reparto demo`, what `make run` calls: the product, a city of its own making, and vans that drive through it.

The product is `reparto up` in a child process; the vans and their drivers' apps speak to it over HTTP like any phone.
They are found in the middle of their tours, the day so far comes as a backlog, and when a tour is over the next one
begins. Tours are planned from orders where the extra `plan` is installed, and else made up.
"""

import argparse
import asyncio
import os
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from rich.markup import escape

from geo.times import ms_of
from reparto.child import Child
from reparto.client.client import Client, Phone, RequestRefused, route_path, target_key, target_url, together
from reparto.client.tally import Tally
from reparto.command import CannotRun, Subparsers, err, out
from reparto.process.process import run_until_stopped, stopped_within
from reparto.process.serve import bind
from reparto.run.first import FirstLink, first_link
from reparto.settings.database import database_at_hand
from reparto.settings.settings import Settings
from reparto.simulate.day import Deed, make_day
from reparto.simulate.driver_app import DriverApp, open_app
from reparto.simulate.fleet import (
    GUADALAJARA,
    Report,
    Trip,
    drive_tour,
    enlist,
    make_trip,
    names,
    report,
    route_of_tour,
    tour_of_route,
)
from reparto.simulate.planned import plan_day
from reparto.simulate.simulate import Clock, send_report, work
from work.planning.process import require_installed
from work.planning.protocol import PlannerFailed

VANS = 6
EVERY_S = 2.0
SERVICE = 0.4
"""Of the usual time at a stop, so that somebody who watches sees the van move most of the time."""

BRAND = "Envíos Tapatíos"
"""Who delivers, as recipients read it, where the account did not say."""

STOPS_BEFORE = 2
"""Before the one whose page is shown: near enough to be seen, far enough to be waited for."""

_BREAK_MS = 60_000  # between two tours
_DRIVEN_MS = 15 * 60_000  # before somebody sees the vans of a city that is planned
_CITY_PLAN_S, _VAN_PLAN_S = 2.0, 1.0
_LOOK_EVERY_S = 0.5


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto demo`."""
    words = "start everything, with a made-up city and vans that drive through it"
    parser = subparsers.add_parser("demo", help=words, description=f"demo: {words}. Ctrl-C ends it.")
    parser.set_defaults(run=run, url=None, key=None)


def run(args: argparse.Namespace) -> int:
    """Run until stopped."""
    settings = Settings.read()
    bind(settings.server.listen, "REPARTO_LISTEN").close()  # says in a sentence when somebody else has the address
    data_dir = Path(settings.server.data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = data_dir / "demo.log"
    log.unlink(missing_ok=True)
    ours = {name: value for name, value in os.environ.items() if name.startswith("REPARTO_")}
    ours["REPARTO_DEMO_MESSAGES"] = "true"
    product = Child("up", settings=ours, log=log)
    try:
        run_until_stopped(lambda stop: _demo(product, args, data_dir, stop))
    finally:
        product.stop()
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoTour:
    """A tour that a van is on.

    Attributes:
        leaves_ms: when it began, epoch milliseconds.
        app: where its driver says what they do.
        links: of every stop's tracking page, in the order of the tour.
        recipients: their names.
    """

    route: str
    trip: Trip
    told: Report
    leaves_ms: int
    deeds: Sequence[Deed]
    app: DriverApp
    links: Sequence[str]
    recipients: Sequence[str]

    def stop_to_watch(self) -> int | None:
        """Find the stop whose page is worth watching now; None when the tour is as good as over."""
        stop = int(np.searchsorted(self.trip.truth.departed_ms, time.time() * 1000 - self.leaves_ms)) + STOPS_BEFORE
        return stop if stop < len(self.links) else None

    def is_served(self, stop: int) -> bool:
        """Tell whether the van has left a stop."""
        return bool(self.leaves_ms + int(self.trip.truth.departed_ms[stop]) < time.time() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDriver:
    """A driver with a phone and a van.

    Attributes:
        name, vehicle: external ids.
        token: of the phone.
    """

    name: str
    vehicle: str
    token: str
    phone: Phone
    chance: random.Random


@dataclass(slots=True, kw_only=True)
class DemoVan:
    """A driver, and the tour they are on."""

    driver: DemoDriver
    tour: DemoTour


Watched: TypeAlias = tuple[DemoTour, int]
"""A tour, and the stop on it whose page is shown."""


async def _demo(product: Child, args: argparse.Namespace, data_dir: Path, stop: asyncio.Event) -> None:
    """Show the city until asked to stop.

    Raises:
        CannotRun: the product ended by itself, or refused something.
    """
    show = asyncio.create_task(_show(product, args, data_dir))
    try:
        while not show.done() and not await stopped_within(stop, _LOOK_EVERY_S):
            if product.exit_code is not None:
                raise CannotRun(f"The product ended. {product.last_words()}")
    finally:
        show.cancel()
        await asyncio.wait({show})
    if not show.cancelled():
        await show


async def _show(product: Child, args: argparse.Namespace, data_dir: Path) -> None:
    url = target_url(args)
    with err.status("starting the product …"):
        await product.ready(url)
    with database_at_hand(Settings.read(), "demo") as database:
        link = await first_link(database, Settings.read().api.public_url.rstrip("/") or url)
    async with Client(url, target_key(args), connections=2 * VANS) as client:
        with err.status("making a city …"):
            await _forget_earlier(client)
            await client.ask("PUT", "/v1/account/channels/log", body={"enabled": True})
            if not (await client.ask("GET", "/v1/account"))["brand"]:
                await client.ask("PATCH", "/v1/account", body={"brand": BRAND})
            people, planner = names(time.time_ns()), _planner()
            drivers = await asyncio.gather(*(_enlist(client, number, next(people)) for number in range(VANS)))
        with err.status("planning its day …"):
            vans = await _first_tours(client, drivers, planner)
        _greet(client.url, data_dir, link)
        await together([*(_drive(client, van, planner) for van in vans), _guide(client, vans)])


def _planner() -> bool:
    """Tell whether tours can be planned; say so when they cannot."""
    try:
        require_installed("pyvrp")
    except PlannerFailed as why:
        out.print(f"Tours are made up, not planned: {why}", markup=False, soft_wrap=True)
        return False
    return True


async def _forget_earlier(client: Client) -> None:
    """Let go of the drivers of an earlier demo and their shifts, so that they do not stand on the map for ever."""
    for path in ("drivers", "shifts"):
        earlier = [
            one.get("id", one["external_id"])
            async for page in client.pages(f"/v1/{path}")
            for one in page[path]
            if one["external_id"].startswith("demo-")
        ]
        for name in earlier:
            await client.ask("DELETE", f"/v1/{path}/{name}")


async def _enlist(client: Client, number: int, name: str) -> DemoDriver:
    driver = f"demo-{time.time():.0f}-{number}"
    _, _, token = await enlist(client, driver, name)
    chance = random.Random(driver)
    phone = Phone(client.session, client.url, token, Tally(), chance)
    return DemoDriver(name=driver, vehicle=f"demo-van-{number + 1}", token=token, phone=phone, chance=chance)


async def _first_tours(client: Client, drivers: Sequence[DemoDriver], planner: bool) -> list[DemoVan]:
    """Put every driver into the middle of a tour: all of one plan, or each of their own."""
    leaves_ms = round(time.time() * 1000) - _DRIVEN_MS
    routes = await _planned_routes(client, drivers, leaves_ms, limit_s=_CITY_PLAN_S) if planner else {}
    tours = [_begin(client, driver, routes.get(driver.name), leaves_ms=None) for driver in drivers]
    return [
        DemoVan(driver=driver, tour=tour) for driver, tour in zip(drivers, await asyncio.gather(*tours), strict=True)
    ]


async def _planned_routes(
    client: Client, drivers: Sequence[DemoDriver], leaves_ms: int, *, limit_s: float
) -> Mapping[str, Mapping[str, Any]]:
    """Plan tours and publish them; give the routes by driver, none with the reason told where that cannot be done."""
    crews = {driver.name: driver.vehicle for driver in drivers}
    name, leaves = f"{drivers[0].name}-{leaves_ms // 1000}", datetime.fromtimestamp(leaves_ms // 1000, UTC)
    try:
        day = await plan_day(client, crews, name=name, city=GUADALAJARA, leaves=leaves, limit_s=limit_s)
    except CannotRun as why:
        out.print(f"  made up, since there is no plan: {why}", markup=False, soft_wrap=True)
        return {}
    out.print(f"  planned         {day.orders} orders on {len(day.routes)} vans, {day.km:.0f} km", markup=False)
    return day.routes


async def _drive(client: Client, van: DemoVan, planner: bool) -> None:
    """Drive one tour after the other, for ever."""
    driver = van.driver
    while True:
        clock, tour = Clock(starts_ms=round(time.time() * 1000), speed=1.0), van.tour
        await together(
            [
                send_report(driver.phone, tour.told, tour.leaves_ms, clock, batch=1, chance=driver.chance),
                work(tour.app, tour.deeds, tour.told, tour.leaves_ms, clock),
            ]
        )
        leaves_ms = tour.leaves_ms + tour.trip.home_ms + _BREAK_MS
        await clock.until(leaves_ms)
        with suppress(RequestRefused):  # a finished route needs no end
            await client.ask("DELETE", route_path(tour.route))
        routes = await _planned_routes(client, [driver], leaves_ms, limit_s=_VAN_PLAN_S) if planner else {}
        van.tour = await _begin(client, driver, routes.get(driver.name), leaves_ms=leaves_ms)


async def _begin(
    client: Client, driver: DemoDriver, planned: Mapping[str, Any] | None, *, leaves_ms: int | None
) -> DemoTour:
    """Begin a tour.

    Args:
        planned: its route; None: it is made up, and the product is told.
        leaves_ms: when one that is made up begins; None: so that the van is in the middle of it now.
    """
    seed = driver.chance.randrange(2**32)
    if planned is not None:
        trip = await asyncio.to_thread(drive_tour, tour_of_route(planned), seed, every_s=EVERY_S)
        leaves_ms = ms_of(datetime.fromisoformat(planned["start_at"]))
        return _tour(client, driver, trip, seed, planned["external_id"], planned["stops"], leaves_ms)
    stops = driver.chance.randint(20, 40)
    trip = await asyncio.to_thread(make_trip, seed, city=GUADALAJARA, stops=stops, every_s=EVERY_S, service=SERVICE)
    if leaves_ms is None:
        driven_ms = int(trip.truth.departed_ms[driver.chance.randint(stops // 4, stops // 2)])
        leaves_ms = round(time.time() * 1000) - driven_ms
    name = f"{driver.name}-{leaves_ms // 1000}"
    route = route_of_tour(trip.tour, name, driver=driver.name, leaves_ms=leaves_ms, city=GUADALAJARA)
    answer = await client.put_route(route)
    people = [stop["name"] for stop in route.body["stops"]]
    told = [{**stop, "name": name} for stop, name in zip(answer["stops"], people, strict=True)]
    return _tour(client, driver, trip, seed, name, told, leaves_ms)


def _tour(
    client: Client,
    driver: DemoDriver,
    trip: Trip,
    seed: int,
    route: str,
    stops: Sequence[Mapping[str, Any]],
    leaves_ms: int,
) -> DemoTour:
    """Get a phone and an app ready for a tour; what was driven of it already is told as a backlog."""
    told = report(trip, seed, from_ms=0, to_ms=trip.home_ms, offline_per_h=0, gaps_per_h=0)
    now_ms = max(0, round(time.time() * 1000) - leaves_ms)  # by the trip's clock
    told = replace(told, due_ms=np.maximum(told.due_ms, now_ms), offline_ms=[(0, now_ms)])
    names_of_stops = [stop["external_id"] for stop in stops]
    return DemoTour(
        route=route,
        trip=trip,
        told=told,
        leaves_ms=leaves_ms,
        deeds=make_day(route, trip.stays_ms, from_ms=0, to_ms=trip.home_ms, stops=names_of_stops),
        app=open_app(client, driver.token, Tally(), driver.chance, route=route, stops=stops),
        links=[stop["tracking_url"] for stop in stops],
        recipients=[stop["name"] for stop in stops],
    )


def _greet(url: str, data_dir: Path, link: FirstLink | None) -> None:
    key = data_dir / "admin.key"
    out.print(f"[bold]{VANS} vans drive through a made-up Guadalajara.[/bold] Ctrl-C ends it.")
    out.print(f"  API docs        {url}/docs", markup=False)
    out.print(f'  live positions  curl -H "Authorization: Bearer $(cat {key})" {url}/v1/positions', markup=False)
    out.print(f"  messages        {url}/dev/messages", markup=False)
    out.print(f"  admin key       {key}", markup=False)
    out.print(f"  desk            {link.url if link else f'{url}/desk'}", markup=False, soft_wrap=True)


async def _guide(client: Client, vans: Sequence[DemoVan]) -> None:
    """Print the page of a stop that a van comes to soon, and another one when that was served."""
    watched: Watched | None = None
    while True:
        if watched is None or watched[0].is_served(watched[1]):
            watched = await _choose(client, vans)
            if watched is not None:
                tour, stop = watched
                out.print(f"  tracking page   [bold]{escape(tour.links[stop])}[/bold]  ({tour.recipients[stop]} waits)")
        await asyncio.sleep(_LOOK_EVERY_S)


async def _choose(client: Client, vans: Sequence[DemoVan]) -> Watched | None:
    """Choose a stop whose page shows its van; of those the van with the most stops left. None while there is none."""
    choices = [(van.tour, stop) for van in vans if (stop := van.tour.stop_to_watch()) is not None]
    for tour, stop in sorted(choices, key=lambda choice: choice[1] - len(choice[0].links)):
        token = tour.links[stop].rpartition("/")[2]
        if (await client.ask("GET", f"/v1/track/{token}"))["position"]:
            return tour, stop
    return None
