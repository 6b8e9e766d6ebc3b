"""A provider tried, step by step, before people depend on it: what is good, and in words what is wrong."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from api.desk.oidc.beginning import redirect_uri, secret_of
from api.desk.oidc.discovery import Discovered, Providers
from api.desk.oidc.proof import OidcClient, token_request
from api.desk.oidc.refused import NotLetIn
from api.desk.oidc.setting import OidcSetting
from api.desk.pages import LANG, desk_language
from api.http.app_keys import GUARD, POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.read.bodies import read_body
from api.http.shares.attempts import admit_attempt
from api.pages.catalog import desk_texts
from sql.desk import oidc
from work.outgoing.guard import Guard
from work.outgoing.http import NoAnswer, NotReached, ask, open_session

operations = Operations("account")

Step: TypeAlias = Literal["address", "answer", "issuer", "keys", "flow", "client"]
Outcome: TypeAlias = Literal["good", "wrong", "unknown"]

AN_HOUR = 60
"""Tries of an account: each asks another server up to four times."""


class OidcStep(Struct, frozen=True, kw_only=True):
    """One step of a try: how it went, why (a code, null where it is good), and that in words."""

    step: Step
    outcome: Outcome
    why: str | None
    said: str


class OidcTried(Struct, frozen=True, kw_only=True):
    """How far a sign-in would come, up to what is wrong; `works`: nothing was found wrong."""

    works: bool
    steps: list[OidcStep]


@operations.operation("POST", "/v1/account/oidc/try", who=Who.ADMIN, query=(LANG,), body=OidcSetting, answer=OidcTried)
async def post_try(request: web.Request) -> web.Response:
    """Try a provider, without keeping anything: its address, its keys, and whether it knows this client and secret.

    A secret that is left out is the stored one, as long as the issuer is. What no provider can be asked without
    somebody who signs in stays unknown: whether it knows the redirect address, and which addresses it names.
    """
    body, caller, language = await read_body(request, OidcSetting), caller_of(request), desk_language(request)
    whose = hashlib.sha256(b"provider-try %d" % caller.account_id).digest()
    await admit_attempt(request, whose, "provider-try", AN_HOUR)
    stored = await oidc.provider_of(request.app[POOL], caller.account_id)
    secret = body.secret if isinstance(body.secret, str) else None
    if body.secret is msgspec.UNSET and stored is not None and stored.issuer == body.issuer:
        secret = secret_of(request, stored)
    client = OidcClient(id=body.client_id, secret=secret, redirect_uri=redirect_uri(request))
    texts = desk_texts(language)
    steps = [_in_words(one, texts) for one in await try_provider(request.app[GUARD], body.issuer, client)]
    return answer(request, OidcTried(works=all(one.outcome != "wrong" for one in steps), steps=steps))


Found: TypeAlias = tuple[Step, Outcome, str | None, str]
"""A step, how it went, the code of why, and what was seen there."""


async def try_provider(guard: Guard, issuer: str, client: OidcClient) -> list[Found]:
    """Go the way of a sign-in as far as it goes without a person; nothing is believed from before."""
    if why := guard.why_not(issuer):
        return [("address", "wrong", "address", why)]
    providers = Providers(lambda: guard)
    done: list[Found] = [("address", "good", None, "")]
    try:
        found = await providers.discover(issuer)
        done += [("answer", "good", None, ""), ("issuer", "good", None, "")]
        keys = await providers.keys_of(found)
    except NotLetIn as refused:
        step: Step = "issuer" if refused.why == "issuer" else "answer" if len(done) == 1 else "keys"
        return [*done, (step, "wrong", refused.trouble or refused.why, refused.detail)]
    if not keys:
        return [*done, ("keys", "wrong", "no_keys", "")]
    done.append(("keys", "good", None, ""))
    if (flaw := _flow_flaw(found)) is not None:
        return [*done, ("flow", "wrong", *flaw)]
    return [*done, ("flow", "good", None, ""), await _try_client(guard, found, client)]


def _flow_flaw(found: Discovered) -> tuple[str, str] | None:
    """Say why it does not do what is asked of it; None: it does, or does not say."""
    types, methods = found.response_types_supported, found.code_challenge_methods_supported
    if types is not None and "code" not in types:
        return "no_code", ", ".join(types)
    if methods is not None and "S256" not in methods:
        return "no_pkce", ", ".join(methods)
    return None


async def _try_client(guard: Guard, found: Discovered, client: OidcClient) -> Found:
    """Give back a code that nobody gave: who knows the client and its secret refuses the code, others the client."""
    headers, body = token_request(found, client, secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    both = {"Accept": "application/json", **headers}
    try:
        async with open_session(guard, at_once=1) as session:
            got = await ask(session, "POST", found.token_endpoint, headers=both, body=body)
    except (NotReached, NoAnswer) as error:
        return "client", "unknown", "client_away", str(error)
    refusal = _error_in(got.body)
    if refusal == "invalid_grant":
        return "client", "good", None, ""
    if refusal == "invalid_client" or got.status == 401:
        return "client", "wrong", "client", refusal
    if refusal in ("unauthorized_client", "redirect_uri_mismatch"):
        return "client", "wrong", refusal, ""
    return "client", "unknown", "client_unknown", refusal or str(got.status)


def _error_in(body: bytes) -> str:
    try:
        said: Mapping[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return ""
    error = said.get("error")
    return error[:100] if isinstance(error, str) else ""


def _in_words(found: Found, texts: Mapping[str, str]) -> OidcStep:
    step, outcome, why, seen = found
    said = texts[f"oidc_good_{step}"] if why is None else texts[f"oidc_{why}"].format(seen=seen[:300])
    return OidcStep(step=step, outcome=outcome, why=why, said=said)
