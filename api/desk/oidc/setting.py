"""Which provider an account has: set by its owner, for whoever chooses it says who everybody is."""

import re
from typing import Annotated, TypeAlias

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.desk.oidc.beginning import redirect_uri
from api.desk.oidc.discovery import PROVIDERS
from api.desk.oidc.refused import NotLetIn
from api.http.app_keys import GUARD, POOL, SEALER
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.trail import note
from sql.desk import oidc
from sql.desk.oidc import OidcProvider

operations = Operations("account")

MailDomain: TypeAlias = Annotated[str, Meta(min_length=1, max_length=253)]

_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class OidcSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An identity provider.

    Attributes:
        issuer: its address, as its tokens name it.
        client_id: what it calls this server.
        secret: its secret for this server; left out: the one before stays; null: none, where it asks for none.
        domains: of the e-mail addresses that it may name; none: any. By its domain an address finds its provider.
    """

    issuer: Annotated[str, Meta(min_length=1, max_length=1_000, examples=["https://login.example.com"])]
    client_id: Annotated[str, Meta(min_length=1, max_length=500)]
    secret: Annotated[str, Meta(min_length=1, max_length=2_000)] | UnsetType | None = UNSET
    domains: Annotated[list[MailDomain], Meta(max_length=50)] = []


class OidcView(Struct, frozen=True, kw_only=True):
    """The provider of the account; `redirect_uri`: the address that it must know as ours."""

    issuer: str
    client_id: str
    has_secret: bool
    domains: list[str]
    redirect_uri: str


@operations.operation("GET", "/v1/account/oidc", who=Who.ADMIN, answer=OidcView)
async def get_provider(request: web.Request) -> web.Response:
    """Read by which identity provider people may sign in; 404: by none. The secret is never shown."""
    provider = await oidc.provider_of(request.app[POOL], caller_of(request).account_id)
    if provider is None:
        raise NotFound("People of this account sign in by no identity provider.")
    return answer(request, _view(request, provider))


@operations.operation("PUT", "/v1/account/oidc", who=Who.OWNER, body=OidcSetting, answer=OidcView)
async def put_provider_(request: web.Request) -> web.Response:
    """Have people sign in by an identity provider too, by OpenID Connect; it says who everybody is.

    It is asked at once for its keys: 422 where it does not answer. With another issuer or client whom the one before
    named is forgotten, and the sessions that it opened end.
    """
    caller = caller_of(request)
    body = await read_body(request, OidcSetting)
    domains = sorted({one.strip().lower().removeprefix("@") for one in body.domains})
    refuse(
        [FieldError(at="/domains", why=f"{one!r} is no domain") for one in domains if not _DOMAIN.fullmatch(one)][:10]
    )
    if why := request.app[GUARD].why_not(body.issuer):
        refuse([FieldError(at="/issuer", why=why)])
    issuer = await _asked(request, body.issuer)
    async with request.app[POOL].acquire() as db, db.transaction():
        before = await oidc.provider_to_change(db, caller.account_id)
        sealed = before.sealed if before is not None and body.secret is UNSET else None
        if isinstance(body.secret, str):
            sealed = request.app[SEALER].seal({"secret": body.secret})
        provider = OidcProvider(
            account_id=caller.account_id, issuer=issuer, client_id=body.client_id, sealed=sealed, domains=domains
        )
        await oidc.put_provider(db, provider)
        if before is not None and (before.issuer, before.client_id) != (issuer, body.client_id):
            await oidc.forget_identities(db, caller.account_id)
        await note(request, db, before=None if before is None else _noted(before), after=_noted(provider))
    return answer(request, _view(request, provider))


@operations.operation("DELETE", "/v1/account/oidc", who=Who.OWNER, status=204)
async def delete_provider(request: web.Request) -> web.Response:
    """Let nobody sign in by the provider any more. The sessions that it opened end at once."""
    caller = caller_of(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        before = await oidc.provider_to_change(db, caller.account_id)
        if before is None:
            raise NotFound("People of this account sign in by no identity provider.")
        await oidc.drop_provider(db, caller.account_id)
        await note(request, db, before=_noted(before))
    return web.Response(status=204)


async def _asked(request: web.Request, issuer: str) -> str:
    """Ask a provider who it is; give its name as its tokens have it."""
    try:
        found = await request.app[PROVIDERS].discover(issuer)
        await request.app[PROVIDERS].keys_of(found)
    except NotLetIn as refused:
        if refused.why == "issuer":
            refuse([FieldError(at="/issuer", why="answers as another issuer")])
        refuse([FieldError(at="/issuer", why="does not answer as a provider of OpenID Connect does")])
        raise AssertionError from None
    return found.issuer


def _view(request: web.Request, provider: OidcProvider) -> OidcView:
    return OidcView(
        issuer=provider.issuer,
        client_id=provider.client_id,
        has_secret=provider.sealed is not None,
        domains=list(provider.domains),
        redirect_uri=redirect_uri(request),
    )


def _noted(provider: OidcProvider) -> dict[str, object]:
    return {"issuer": provider.issuer, "client_id": provider.client_id, "domains": list(provider.domains)}
