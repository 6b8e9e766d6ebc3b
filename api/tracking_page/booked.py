"""The page of an order that is on no route yet: that it was received, for when it is, and where it is where we ask."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from api.http.app_keys import CONFIG, now_of
from api.http.problem import NotFound, Problem
from api.http.read.forms import Typed
from api.pages.catalog import texts
from api.pages.times import Manner
from api.recipient.booked import BookedOrder, led_on, window_of
from api.tracking_page.forms import FORMS, shown_fields
from api.tracking_page.plain import page_without_van, unknown_page
from api.tracking_page.respond import filled, language_of, respond
from api.tracking_page.scene import scene_of
from api.tracking_page.words import variant_of
from sql.account.settings import settings_of
from sql.planning.orders import LinkedOrder


def booked_page(request: web.Request, booked: BookedOrder) -> web.Response:
    """Answer with the page of an order, or with where its stop is followed."""
    if booked.stop_token is not None:
        return led_on(booked, request)
    order, settings = booked.order, settings_of(booked.order.settings)
    language = language_of(request, settings, order.body.get("locale"))
    t, variant = texts(language), variant_of(order.body.get("kind", "delivery"))
    if booked.ended is not None:
        title = t["gone_revoked"] if booked.ended == "revoked" else t[f"gone_cancelled{variant}"]
        more = t[f"gone_{booked.ended}_more"]
        return page_without_van(request, settings, language, status=410, title=title, more=more)
    words = t["change"]["place"]
    opened = [{"name": "pin-drop", "link": words["link"], "until": ""}] if booked.is_asked else []
    return page_without_van(
        request,
        settings,
        language,
        status=200,
        title=t[f"booked{variant}"],
        more=t["asked_more"] if booked.is_asked else _when(order, request, language, t),
        scene=scene_of("planned"),
        opened=opened,
    )


def place_form(
    request: web.Request, booked: BookedOrder, typed: Typed | None = None, problem: Problem | None = None
) -> web.Response:
    """Answer with the form in which the recipient of an order shows where it is."""
    if booked.stop_token is not None:
        return led_on(booked, request)
    if request.match_info["change"] != "pin-drop" or isinstance(problem, NotFound):
        return unknown_page(request)
    order, settings, config = booked.order, settings_of(booked.order.settings), request.app[CONFIG]
    language = language_of(request, settings, order.body.get("locale"))
    t = texts(language)
    return respond(
        request,
        "form.html",
        settings,
        language,
        status=problem.status if problem else 200,
        tile_url=config.tile_url,
        attribution=config.tile_attribution,
        change="pin-drop",
        about=t["change"]["place"],
        until="",
        is_open=booked.is_asked,
        why=t["form"]["ended"] if booked.ended else t["why"]["not-offered"],
        instead=[],
        fields=shown_fields(FORMS["pin-drop"], typed or {}, problem, door=order.near),
        offers=[],
        step=None,
        code="",
        needs_code=False,
        summary=t["form"]["not_saved"] if problem else "",
    )


def _when(order: LinkedOrder, request: web.Request, language: str, t: Mapping[str, Any]) -> str:
    """Say for when an order is planned; where several days will do, nothing is promised."""
    manner = Manner.of(language, order.timezone or "UTC", request.headers.get("Accept-Language", ""))
    window, now = window_of(order), now_of(request)
    if window and window["start"] and window["end"]:
        return filled(t["booked_day"], when=manner.range(window["start"], window["end"], now)).replace("m..", "m.")
    if order.earliest == order.latest:
        noon = datetime.combine(order.earliest, time(12), ZoneInfo(order.timezone or "UTC"))
        return filled(t["booked_day"], when=manner.day(noon))
    return str(t["booked_more"])
