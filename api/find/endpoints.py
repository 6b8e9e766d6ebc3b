"""Finding a delivery, for programs and on a page without a script."""

import secrets
from html import escape
from math import ceil
from string import Template
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.find.lookup import company_of, token_for
from api.http import assets
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import NotFound, TooManyRequests
from api.http.read.bodies import read_body
from api.http.read.forms import first, read_form
from api.pages.catalog import LANGUAGES, choose, help_texts
from api.pages.colours import is_dark, legible
from api.routes.links import tracking_url
from sql.account.settings import AccountSettings, settings_of
from sql.portal.lookup import Company

operations = Operations("tracking")

_PAGE = Template((assets.ROOT / "find.html").read_text(encoding="utf-8"))
_LONGEST = 200
_LANGUAGE = Parameter(name="lang", description="es, pt or en; else as the browser asks.")
_COMPANY = Parameter(name="company", description="Name of the account whose deliveries are looked for; else any.")

Asked = Annotated[str, Meta(min_length=1, max_length=_LONGEST)]


class FindBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody knows: the order's number, and the postcode of its address or the last four digits of its phone."""

    order: Asked
    proof: Asked
    company: Annotated[str, Meta(max_length=_LONGEST)] = ""


class FoundDelivery(Struct, frozen=True, kw_only=True):
    """The tracking link of a delivery."""

    tracking_url: str


@operations.operation("POST", "/v1/find", who=Who.ANYONE, body=FindBody, answer=FoundDelivery)
async def post_find(request: web.Request) -> web.Response:
    """Find the tracking link of a delivery.

    404 is the same, and takes as long, whether there is no such order or the proof is not its own.
    """
    body = await read_body(request, FindBody)
    company = await company_of(request, body.company)
    token = await token_for(request, body.order, body.proof, company)
    if token is None:
        raise NotFound("There is no delivery of this number that goes with this postcode or these digits.")
    return answer(
        request, FoundDelivery(tracking_url=tracking_url(request, token)), headers={"Cache-Control": "no-store"}
    )


@operations.operation("GET", "/find", who=Who.ANYONE, query=(_LANGUAGE, _COMPANY), media=("text/html",))
async def get_find(request: web.Request) -> web.Response:
    """Show the page where a delivery is found."""
    company = await company_of(request, request.query.get("company", "")[:_LONGEST])
    return _page(request, company, company_name=request.query.get("company", "")[:_LONGEST])


@operations.operation(
    "POST",
    "/find",
    who=Who.ANYONE,
    query=(_LANGUAGE,),
    media=("text/html",),
    takes={
        "application/x-www-form-urlencoded": {
            "type": "object",
            "properties": {name: {"type": "string"} for name in ("order", "proof", "company")},
        }
    },
    also={
        303: "It was found: its tracking page.",
        404: "The page again, which says that nothing was found.",
        422: "The page again: something is missing.",
        429: "The page again: that was tried very often.",
    },
)
async def post_find_form(request: web.Request) -> web.Response:
    """Find a delivery by the form of the page, and go to its tracking page."""
    form = await read_form(request)
    order, proof, name = (first(form, name)[:_LONGEST] for name in ("order", "proof", "company"))
    company = await company_of(request, name)
    if not order.strip() or not proof.strip():
        return _page(request, company, status=422, said="find_missing", order=order, company_name=name)
    try:
        token = await token_for(request, order, proof, company)
    except TooManyRequests as often:
        wait_s = int(often.headers["Retry-After"])
        page = _page(request, company, status=429, said="find_often", minutes=ceil(wait_s / 60), company_name=name)
        page.headers["Retry-After"] = str(wait_s)
        return page
    if token is None:
        return _page(request, company, status=404, said="find_none", order=order, company_name=name)
    return web.Response(status=303, headers={"Location": f"/t/{token}", "Cache-Control": "no-store"})


def _page(
    request: web.Request,
    company: Company | None,
    *,
    status: int = 200,
    said: str = "",
    minutes: int = 0,
    order: str = "",
    company_name: str,
) -> web.Response:
    settings = settings_of(dict(company.settings)) if company else AccountSettings()
    offered = settings.languages or LANGUAGES
    language = choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), offered)
    words, nonce, accent = help_texts(language), secrets.token_urlsafe(12), settings.colours.primary
    shown = {
        **{name: words[f"find_{name}"] for name in ("title", "lead", "order", "proof", "go")},
        "language": language,
        "assets": assets.PATH,
        "nonce": nonce,
        "accent": accent,
        "on_accent": "#fff" if is_dark(accent) else "#111",
        "legible": legible(accent),
        "value": order,
        "company": company_name,
        "said": words[said].format(minutes=minutes) if said else "",
    }
    hidden = "" if said else " hidden"
    brand = escape(settings.brand)
    mark = f'<img class="logo" src="/logo/{settings.logo}" alt="{brand}" height="32">' if settings.logo else brand
    text = _PAGE.substitute({name: escape(str(value)) for name, value in shown.items()}, hidden=hidden, mark=mark)
    return web.Response(
        status=status,
        text=text,
        content_type="text/html",
        headers={
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; form-action 'self';"
                " base-uri 'none'; frame-ancestors 'self'"
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
            "Vary": "Accept-Language",
        },
    )
