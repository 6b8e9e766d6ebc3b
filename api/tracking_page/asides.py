"""Pages of what goes on beside a delivery: a ticket with its answers, and taking a return back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from api.http.operation import Operations, Who
from api.http.problem import Problem
from api.http.read.forms import Typed
from api.tracking_page.asking import ask
from api.tracking_page.changing import send_form, summary_of, takes_form
from api.tracking_page.endpoints import LANG, Reader, reader_of, seen_by
from api.tracking_page.forms import ANSWER, shown_fields
from api.tracking_page.plain import or_later, unknown_page
from api.tracking_page.respond import respond

operations = Operations("tracking")

_TICKET, _CANCEL = "/t/{token}/tickets/{ticket}", "/t/{token}/returns/{return}/cancel"
_MAY_BE_CANCELLED = frozenset({"requested", "approved"})
_NO_SUCH = {404: "A page that says that there is no such link, ticket or return."}


@operations.operation("GET", _TICKET, who=Who.ANYONE, query=(LANG,), media=("text/html",), also=_NO_SUCH)
async def get_ticket_page(request: web.Request) -> web.Response:
    """Open a ticket: what was said by both sides, with a form to answer."""
    return await or_later(request, _ticket_page)


@takes_form(operations, _TICKET)
async def post_ticket_page(request: web.Request) -> web.Response:
    """Answer in a ticket by its form, with photos or without; back to the page of the link."""

    async def again(typed: Typed, problem: Problem) -> web.Response:
        return await _ticket_page(request, typed, problem)

    return await send_form(request, ANSWER, "tickets/{ticket}/answers", again)


@operations.operation("GET", _CANCEL, who=Who.ANYONE, query=(LANG,), media=("text/html",), also=_NO_SUCH)
async def get_cancel_page(request: web.Request) -> web.Response:
    """Ask once whether a return is to be taken back."""
    return await or_later(request, _cancel_page)


@takes_form(operations, _CANCEL)
async def post_cancel_page(request: web.Request) -> web.Response:
    """Take a return back by its form, as long as no van is on its way for it; back to the page of the link."""

    async def again(_: Typed, problem: Problem) -> web.Response:
        return await _cancel_page(request, problem)

    return await send_form(request, (), "returns/{return}/cancel", again)


async def _ticket_page(
    request: web.Request, typed: Typed | None = None, problem: Problem | None = None
) -> web.Response:
    seen, found = await seen_by(request), await _found(request, "tickets", request.match_info["ticket"])
    if seen is None or found is None:
        return unknown_page(request)
    reader = reader_of(request, seen)
    t, until = reader.t, found["reopen_until"]
    return respond(
        request,
        "case.html",
        reader.settings,
        reader.language,
        status=problem.status if problem else 200,
        about=t["answer"],
        title=t["change"]["problem"]["choice"].get(found["kind"], found["kind"]),
        state=t["case_state"][found["state"]],
        entries=[_entry(one, reader) for one in found["entries"] if one["text"] or one["photos"]],
        is_open=until is None or reader.now < datetime.fromisoformat(until),
        fields=shown_fields(ANSWER, typed or {}, problem, door=(seen.stop.lat, seen.stop.lon)),
        **_of_form(problem, t),
    )


async def _cancel_page(request: web.Request, problem: Problem | None = None) -> web.Response:
    seen, found = await seen_by(request), await _found(request, "returns", request.match_info["return"])
    if seen is None or found is None:
        return unknown_page(request)
    reader = reader_of(request, seen)
    t = reader.t
    return respond(
        request,
        "case.html",
        reader.settings,
        reader.language,
        status=problem.status if problem else 200,
        about=t["cancel"],
        title=t["cancel"]["title"],
        state=t["case_state"][found["state"]],
        entries=[],
        is_open=found["state"] in _MAY_BE_CANCELLED,
        fields=[],
        **_of_form(problem, t),
    )


async def _found(request: web.Request, what: str, wanted: str) -> Mapping[str, Any] | None:
    shown = await ask(request, what) or {}
    return next((one for one in shown.get(what, ()) if one["id"] == wanted), None)


def _of_form(problem: Problem | None, t: Mapping[str, Any]) -> dict[str, Any]:
    return {"summary": summary_of(problem, t), "offers": (), "step": None, "code": "", "needs_code": False}


def _entry(one: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    return {
        "by": reader.t["answer"]["by"][one["by"]],
        "text": one["text"] or "",
        "when": reader.manner.moment(datetime.fromisoformat(one["at"]), reader.now),
        "photos": [(photo["url"], photo["thumbnail_url"]) for photo in one["photos"]],
    }
