"""What people and programs ask: all of it but the doors of phones, and what it needs while it runs."""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from api.account import endpoints as account
from api.account import keys
from api.addresses import book as address_book
from api.addresses import geocoder
from api.brand import logo
from api.certificate import endpoints as certificate
from api.desk import alerts, audit, invitations, link_page, passkeys, session, totp, users
from api.desk import push as alert_push
from api.desk.oidc import endpoints as oidc
from api.desk.oidc import setting as oidc_setting
from api.desk.oidc import trying as oidc_trying
from api.desk_page import board as desk_board
from api.desk_page import driving as desk_driving
from api.desk_page import endpoints as desk_page
from api.desk_page import find as desk_find
from api.desk_page import imports as desk_imports
from api.desk_page import inbox as desk_inbox
from api.desk_page import replay as desk_replay
from api.desk_page import reports as desk_reports
from api.desk_page import stop as desk_stop
from api.desk_page import tiles as desk_tiles
from api.desk_page import tour as desk_tour
from api.desk_page.replan import asking as desk_asking
from api.desk_page.replan import proposal as desk_proposal
from api.desk_page.settings import account as account_settings
from api.desk_page.settings import brand as brand_settings
from api.desk_page.settings import company as company_settings
from api.desk_page.settings import fences as fence_settings
from api.desk_page.settings import me as own_settings
from api.desk_page.settings import messages as message_settings
from api.desk_page.settings import offers as offer_settings
from api.desk_page.settings import people as people_settings
from api.desk_page.settings import phones as phone_settings
from api.desk_page.settings import webhooks as webhook_settings
from api.dispatch import moving, notes, sequence
from api.driver.events import endpoints as driver_events
from api.driver.manifest import endpoints as manifest
from api.exports import endpoints as exports
from api.find import endpoints as find
from api.fleet import applying, devices, drivers, erasures, positions, quarantine, shifts
from api.history import detours, events, reports, track, visits
from api.http.app_keys import GUARD, POOL, PROOFS, ROADS, SEALER
from api.imports import endpoints as imports
from api.imports import errors_file as import_errors
from api.messages import channels as message_channels
from api.messages import consent, hooks, kinds, listing, stop
from api.messages import demo as demo_messages
from api.offers import points
from api.offers import slots as recipient_slots
from api.places import geofences
from api.planning import orders, plans, publish, replan, resources, slots
from api.portal import by_code, by_link, company, proposals, push, redirect, reschedule, step_up
from api.proofs import endpoints as proofs
from api.proofs.uploads import endpoints as uploads
from api.proofs.uploads import form as proofs_post
from api.proofs.uploads.tus import say_version
from api.recipient import stream as tracking
from api.reports import endpoints as tour_reports
from api.returns import by_link as returns_by_link
from api.returns import company as returns
from api.routes import ending, eta, links, pins, reopening
from api.routes import endpoints as routes
from api.stream.hub import HUB, Hub
from api.tickets import by_link as tickets_by_link
from api.tickets import company as tickets
from api.tickets import photos
from api.traccar import events as traccar_events
from api.traccar import fences as traccar_fences
from api.traccar import fleet as traccar_fleet
from api.traccar import session as traccar_session
from api.traccar import socket as traccar_socket
from api.tracking_page import asides
from api.tracking_page import changing as tracking_forms
from api.tracking_page import endpoints as tracking_page
from api.tracking_page import photos as tracking_photos
from api.tracking_page.elsewhere import answers, widget
from api.webhooks import asyncapi
from api.webhooks import endpoints as webhooks
from ingest.doors.app_keys import DOORS_CONFIG, OLDEST_PING_DAYS
from reparto.command import CannotRun
from reparto.run.applying import APPLIERS
from reparto.run.system import Part
from reparto.settings.outgoing import guard_of, sealer_of
from reparto.settings.proof_store import proofs_of
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from work.roads.in_time import RoadsInTime
from work.roads.protocol import Roads

DESK = (
    *(session, totp, passkeys, oidc, oidc_setting, oidc_trying, users, invitations, link_page),
    *(audit, alerts, alert_push),
)
"""How people of the company get in, who did what, and what somebody has to look at."""

ASKED = (
    *DESK,
    *(desk_page, desk_find, desk_stop, desk_tour, desk_replay, desk_tiles, desk_inbox, desk_board, desk_driving),
    *(desk_asking, desk_proposal, desk_imports, desk_reports),
    *(own_settings, people_settings, phone_settings, webhook_settings, company_settings),
    *(account_settings, brand_settings, message_settings, offer_settings, fence_settings),
    *(account, logo, keys, drivers, devices, geofences),
    *(routes, links, pins, reopening, ending, track, visits, detours, eta),
    *(driver_events, manifest, shifts),
    *(orders, resources, plans, replan, publish, slots, imports, import_errors),
    *(sequence, moving, notes),
    *(geocoder, address_book),
    *(positions, events, reports, tour_reports, exports, quarantine, applying, erasures),
    *(tracking, tracking_page, widget, tracking_forms, tracking_photos, asides, answers, by_link, push, company),
    *(by_code, step_up, reschedule, redirect, proposals, recipient_slots, points),
    *(tickets_by_link, tickets, photos, returns_by_link, returns, find),
    *(uploads, proofs_post, proofs, certificate),
    *(traccar_session, traccar_fleet, traccar_fences, traccar_events, traccar_socket),
    *(message_channels, kinds, listing, consent, hooks, stop, webhooks, asyncapi),
)
"""What people and programs ask."""


def add_to(app: web.Application, settings: Settings, database: DatabaseConfig, roads: Roads) -> None:
    """Add everything that the role `api` answers.

    Args:
        roads: makes paths for routes that bring none; open for as long as the application runs.
    """
    app.cleanup_ctx.append(_hub(database, settings.api.stream_clients))
    app.on_shutdown.append(_close_streams)
    app.on_response_prepare.append(_note_write)
    app.on_response_prepare.append(say_version)
    app[ROADS] = RoadsInTime(roads)
    app.cleanup_ctx.append(_proofs(settings))
    app.cleanup_ctx.append(_outgoing(settings))
    if settings.api.tile_file:
        app.cleanup_ctx.append(_tiles(settings.api.tile_file))
    if settings.outgoing.demo_messages:
        demo_messages.operations.add_to(app)
    app[applying.APPLIERS] = APPLIERS
    app[DOORS_CONFIG] = settings.doors
    app[OLDEST_PING_DAYS] = settings.ingest.oldest_ping_days
    app[shifts.LONGEST_SHIFT] = timedelta(hours=settings.ingest.longest_shift_hours)
    app[driver_events.OLDEST] = timedelta(days=settings.ingest.oldest_ping_days)
    for module in ASKED:
        module.operations.add_to(app)


def _hub(database: DatabaseConfig, stream_clients: int) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with Hub(database, app[POOL], stream_clients=stream_clients) as app[HUB]:
            yield

    return opened


def _proofs(settings: Settings) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        async with proofs_of(settings) as app[PROOFS]:
            yield

    return opened


def _tiles(path: str) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        try:
            with desk_tiles.street_tiles(path) as app[desk_tiles.TILES]:
                yield
        except desk_tiles.NoTiles as error:
            raise CannotRun(f"REPARTO_TILE_FILE={path} cannot be used: {error}.") from error

    return opened


def _outgoing(settings: Settings) -> Part:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[SEALER], app[GUARD] = sealer_of(settings), guard_of(settings)
        yield

    return opened


async def _note_write(request: web.Request, response: web.StreamResponse) -> None:
    await request.app[HUB].note_write(request, response)


async def _close_streams(app: web.Application) -> None:
    app[HUB].close_streams()
