"""A sign-in that is half done: the browser has a cookie, the database what was said so far. Each is taken up once."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import hash_of, is_secure, new_secret
from sql.desk import steps
from sql.desk.steps import HalfSignIn

HalfKind: TypeAlias = Literal["code", "passkey", "passkey-new", "provider"]
"""What is missing: a code of the phone, what a passkey signs, a passkey that is being made, what a provider says."""

LASTS_S = 600
_PREFIX = "rph_"


async def begin_half(
    request: web.Request, kind: HalfKind, *, person_id: int | None = None, said: Mapping[str, Any] | None = None
) -> str:
    """Keep what was said so far; give the secret for the browser's cookie."""
    secret = new_secret(_PREFIX)
    kept = {} if said is None else said
    await steps.keep_step(request.app[POOL], hash_of(secret), kind, person_id=person_id, said=kept, lasts_s=LASTS_S)
    return secret


async def half_in(request: web.Request, kind: HalfKind) -> HalfSignIn | None:
    """Read what this browser has half done; None: nothing, or too long ago."""
    secret = _secret_in(request, kind)
    return None if secret is None else await steps.find_step(request.app[POOL], hash_of(secret), kind)


async def take_half(request: web.Request, kind: HalfKind) -> HalfSignIn | None:
    """Take up what this browser has half done, once; None: nothing, too long ago, or it was taken up."""
    secret = _secret_in(request, kind)
    return None if secret is None else await steps.use_step(request.app[POOL], hash_of(secret), kind)


def set_half_cookie(request: web.Request, response: web.Response, kind: HalfKind, secret: str) -> None:
    """Hand a browser its half of it."""
    response.set_cookie(
        _cookie(request, kind),
        secret,
        max_age=LASTS_S,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="Lax" if kind == "provider" else "Strict",  # a page of the provider's sends the browser back
    )


def end_half_cookie(request: web.Request, response: web.Response, kind: HalfKind) -> None:
    """Have a browser forget its half."""
    response.del_cookie(_cookie(request, kind), path="/", secure=is_secure(request), httponly=True)


def _cookie(request: web.Request, kind: HalfKind) -> str:
    return f"{'__Host-' if is_secure(request) else ''}reparto-{kind}"


def _secret_in(request: web.Request, kind: HalfKind) -> str | None:
    return request.cookies.get(_cookie(request, kind)) or None
