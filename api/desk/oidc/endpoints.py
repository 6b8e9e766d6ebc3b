"""Signing in by a provider: off to it, and back."""

import hmac
import logging

from aiohttp import web
from msgspec import Struct

from api.desk.half import end_half_cookie, half_in, take_half
from api.desk.oidc.beginning import CALLBACK, redirect_uri, secret_of, send_there
from api.desk.oidc.binding import open_by_provider
from api.desk.oidc.discovery import PROVIDERS, open_providers
from api.desk.oidc.proof import OidcClient, exchange, named_by
from api.desk.oidc.refused import NotLetIn
from api.desk.pages import LANG, desk_language, desk_page
from api.desk.session import AccountName, GivenEmail, set_cookie
from api.http.app_keys import POOL, now_of
from api.http.auth import from_this_site
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Unavailable
from api.http.read.bodies import read_body, refuse
from api.pages.catalog import LANGUAGES, desk_texts
from sql.desk import oidc
from sql.desk.steps import HalfSignIn

log = logging.getLogger(__name__)

operations = Operations("session", prepare=open_providers)

_LONGEST = 4_000
"""Characters of a code, and of a state, that are looked at."""


class ProviderSignIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """By which provider: that of an account, by its name, or that for the domain of an e-mail address."""

    account: AccountName | None = None
    email: GivenEmail | None = None


class SendThere(Struct, frozen=True, kw_only=True):
    """Where the browser goes to now; it comes back within ten minutes."""

    url: str


@operations.operation(
    "POST", "/v1/session/oidc", who=Who.ANYONE, query=(LANG,), body=ProviderSignIn, answer=SendThere, status=201
)
async def post_provider_sign_in(request: web.Request) -> web.Response:
    """Begin to sign in by the identity provider of one's company: the browser goes to `url`, and is sent back.

    The session that it opens then is for that account alone. 422 where there is no such provider.
    """
    from_this_site(request)
    body = await read_body(request, ProviderSignIn)
    try:
        sent = await send_there(
            request, account=body.account or "", email=body.email or "", language=desk_language(request)
        )
    except NotLetIn as refused:
        if refused.why in ("away", "issuer"):
            raise Unavailable("The identity provider of this account does not answer as it should.") from refused
        at = "/account" if body.account else "/email"
        refuse([FieldError(at=at, why="is of no account that has a provider, or not of one alone")])
        raise AssertionError from None
    response = answer(request, SendThere(url=sent.url), status=201, headers={"Cache-Control": "no-store"})
    sent.keep_in(request, response)
    return response


@operations.operation(
    "GET",
    CALLBACK,
    who=Who.ANYONE,
    query=(
        Parameter(name="code", description="Stands for what the provider says."),
        Parameter(name="state", description="As it was sent there."),
        Parameter(name="iss", description="Who sends them back (RFC 9207)."),
        Parameter(name="error", description="Why there is no code."),
    ),
    media=("text/html",),
    also={401: "A page that says why nobody is let in."},
)
async def get_back_from_provider(request: web.Request) -> web.Response:
    """Come back from the provider: signed in at its account, on the way to the desk. Counts once."""
    language = desk_language(request)
    try:
        half = await half_in(request, "provider")
        if half is None:
            raise NotLetIn("over")
        language = half.said["language"] if half.said["language"] in LANGUAGES else language
        secret = await _back(request, half)
    except NotLetIn as refused:
        log.warning("a sign-in by a provider was refused: %s", refused.why)
        t = desk_texts(language)
        response = company_page(language, "refused", status=401, said=t[f"company_{refused.why}"], to="/desk")
    else:
        response = company_page(language, "done", to="/desk")
        set_cookie(request, response, secret)
    end_half_cookie(request, response, "provider")
    return response


async def _back(request: web.Request, half: HalfSignIn) -> str:
    """Find out whom the provider sends back, and sign them in; give the secret of the session.

    Raises:
        NotLetIn: nobody, or not for this browser and now.
    """
    given = {name: request.query.get(name, "")[:_LONGEST] for name in ("code", "state", "iss", "error")}
    said, app = half.said, request.app
    if not hmac.compare_digest(given["state"].encode(errors="replace"), said["state"].encode()):
        raise NotLetIn("over")
    if await take_half(request, "provider") is None:
        raise NotLetIn("over")
    provider = await oidc.provider_of(app[POOL], said["account_id"])
    if provider is None or (provider.issuer, provider.client_id) != (said["issuer"], said["client_id"]):
        raise NotLetIn("over")
    found = await app[PROVIDERS].discover(provider.issuer)
    if given["iss"] and given["iss"] != found.issuer:
        raise NotLetIn("issuer")
    if given["error"] or not given["code"]:
        raise NotLetIn("stopped")
    client = OidcClient(
        id=provider.client_id,
        secret=secret_of(request, provider),
        redirect_uri=redirect_uri(request),
    )
    tokens = await exchange(app[PROVIDERS], found, client, given["code"], said["verifier"])
    named = await named_by(app[PROVIDERS], found, client, tokens, nonce=said["nonce"], now=now_of(request))
    return await open_by_provider(request, provider, found.issuer, named)


def company_page(language: str, kind: str, *, to: str, status: int = 200, said: str = "") -> web.Response:
    """Give the page between here and a provider: it leads on by itself, unless somebody is not let in.

    The browser counts what it asks for from there as of this site, or as of none; a redirect would not be.
    """
    t = desk_texts(language)
    return desk_page(
        "company.html",
        language,
        status=status,
        t=dict(t),
        title=t[f"company_{kind}_title"],
        said=said,
        to=f"{to}?lang={language}" if to.startswith("/") else to,
        goes=kind != "refused",
    )
