"""Who asks, as Traccar's clients say it: HTTP Basic, a token in the query, or the cookie of `/api/session`.

The cookie holds what was shown: an API key, or the secret of a session that a person opened here. It is sent to `/api`
alone, where nothing can be changed, and is worth nothing once the key is revoked or the session over.
"""

from aiohttp import web

from api.http.auth import (
    KEY_PREFIX,
    Caller,
    Role,
    authorize,
    authorize_secret,
    bearer_of,
    from_this_site,
    is_secure,
    password_of,
)
from api.http.problem import Unauthorized

COOKIE = "JSESSIONID"
PATH = "/api"

TAKE_TOKENS = frozenset({"/api/session", "/api/socket"})
"""Where `?token=` is read; addresses get into the logs of proxies, so it is read nowhere else."""


async def authorize_traccar(request: web.Request, least: Role, *, polled: bool = False) -> Caller:
    """Find out who asks, as `api.http.auth.authorize` does, in the ways of Traccar's clients too.

    Raises:
        Unauthorized: nobody says who they are, or not a known key or session.
        Forbidden: the role is below `least`, or another site's page had a browser ask.
    """
    secret = _said(request)
    if secret is None:
        from_this_site(request)  # a browser sends cookies by itself
        secret = request.cookies.get(COOKIE)
    if secret:
        return await authorize_secret(request, secret, least, polled=polled)
    return await authorize(request, least, polled=polled)


def set_cookie(request: web.Request, response: web.Response, secret: str) -> None:
    """Hand a client what it sends from now on, until it is closed."""
    response.set_cookie(COOKIE, secret, path=PATH, secure=is_secure(request), httponly=True, samesite="Strict")


def end_cookie(request: web.Request, response: web.Response) -> None:
    """Have a client forget it."""
    response.del_cookie(COOKIE, path=PATH, secure=is_secure(request), httponly=True, samesite="Strict")


def token_of(request: web.Request) -> str | None:
    """Read `?token=`; None: there is none, or this is no place for it."""
    resource = request.match_info.route.resource
    if resource is None or resource.canonical not in TAKE_TOKENS:
        return None
    return request.query.get("token") or None


def _said(request: web.Request) -> str | None:
    """Read the API key of the header, or of the query; None: the request brings none."""
    header = request.headers.get("Authorization")
    if header is None:
        return token_of(request)
    return _basic(header) if header.lower().startswith("basic ") else bearer_of(request.headers)


def _basic(header: str) -> str:
    """Read the API key of HTTP Basic: it is the password, whoever the user is said to be."""
    secret = password_of(header)
    if not secret.startswith(KEY_PREFIX):
        raise Unauthorized("Send an API key as the password; people sign in with `POST /api/session`.")
    return secret
