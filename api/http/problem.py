"""Errors as clients see them: `application/problem+json` (RFC 9457), made in one place.

Raise a `Problem`; the middleware answers. Every type is described in docs/reference/problems.md, checked by a test.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from api.http.who import nobody_yet, over
from sql.pool import is_away
from work.away import Away

log = logging.getLogger(__name__)


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One bad field: `at` is a JSON pointer into the body, or the name of a query parameter."""

    at: str
    why: str


class Problem(Exception):  # noqa: N818 (the word of RFC 9457)
    """What a client did, or must wait for, in words they can act on.

    Attributes:
        status: HTTP status.
        type: stable name of the kind of problem.
        title: what is wrong, the same for every problem of this type.
        detail: what is wrong this time.
        errors: the bad fields, if any.
        headers: extra headers of the answer.
    """

    status: ClassVar[int] = 400
    type: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be understood"

    def __init__(
        self, detail: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


class BadRequest(Problem):
    """The body or a parameter cannot be read at all."""


class Invalid(Problem):
    """The body can be read, but fields are wrong."""

    status = 422
    type = "invalid-fields"
    title = "Some fields are not usable"


class Unauthorized(Problem):
    """No credential, or one that is not (or no longer) known."""

    status = 401
    type = "unauthorized"
    title = "A valid credential is needed"

    def __init__(self, detail: str, *, basic: bool = False) -> None:
        """Refuse; `basic`: the credential may come as HTTP Basic, too."""
        bearer = 'Bearer realm="reparto"'
        super().__init__(detail, headers={"WWW-Authenticate": f'Basic realm="reparto", {bearer}' if basic else bearer})


class Forbidden(Problem):
    """The credential is known but does not give this right."""

    status = 403
    type = "forbidden"
    title = "This credential may not do that"


class NotFound(Problem):
    """There is no such thing, or it is another account's."""

    status = 404
    type = "not-found"
    title = "There is no such thing"


class Conflict(Problem):
    """The request contradicts what is there."""

    status = 409
    type = "conflict"
    title = "The request contradicts what is there"


class Gone(Problem):
    """It was there and has ended."""

    status = 410
    type = "gone"
    title = "This has ended"


class PreconditionFailed(Problem):
    """`If-Match` names another version than the one in force."""

    status = 412
    type = "version-changed"
    title = "Somebody else changed this first"


class TooLarge(Problem):
    """The body, or a list in it, is over a limit."""

    status = 413
    type = "too-large"
    title = "The request is too large"


class UnsupportedMediaType(Problem):
    """The body's type is not one that is read here."""

    status = 415
    type = "unsupported-media-type"
    title = "This kind of body is not read here"


class TooManyRequests(Problem):
    """The client is over its rate."""

    status = 429
    type = "too-many-requests"
    title = "Too much at once from one client"

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


class Unavailable(Problem):
    """The database cannot take more now; nothing was kept, ask again."""

    status = 503
    type = "unavailable"
    title = "Not now, please try again"

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})


def document(problem: Problem) -> dict[str, Any]:
    """Give the problem as the members of its JSON document."""
    members: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        members["errors"] = [{"at": error.at, "why": error.why} for error in problem.errors]
    return members


def respond(problem: Problem) -> web.Response:
    """Answer with a problem."""
    return web.Response(
        status=problem.status,
        body=msgspec.json.encode(document(problem)),
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _of_http(error: web.HTTPException) -> web.Response:
    """Say aiohttp's own refusals (no such route, method not allowed, body too large) in the same manner."""
    status = HTTPStatus(error.status)
    nothing = "There is nothing at this address; the API's description, /docs, lists what there is."
    members = {
        "type": {404: "not-found", 405: "method-not-allowed", 413: "too-large"}.get(error.status, "bad-request"),
        "title": status.phrase,
        "status": error.status,
        "detail": nothing if error.status == 404 else status.description or status.phrase,
    }
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    body = msgspec.json.encode(members)
    return web.Response(status=error.status, body=body, content_type="application/problem+json", headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into its document; what nobody foresaw is logged and says only that."""
    nobody_yet(request)
    try:
        response = await _answered(request, handler)
    finally:
        over(request)
    if request.content.exception() is not None:
        # Behind a body that breaks off or does not unpack no request can follow. aiohttp would find that out only when
        # it reads on after the answer: log it as a defect, and hang up on a client that has been told to go on.
        request.content.feed_eof()
        response.force_close()
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return respond(problem)
    except Away as away:
        return respond(Unavailable(away.detail, retry_after_s=away.retry_after_s))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(error)
    except Exception as error:
        if isinstance(error, OSError) and (request.transport is None or request.transport.is_closing()):
            return respond(BadRequest("The client hung up."))  # for the log: there is nobody to answer
        if is_away(error):
            log.warning("database away: %s", type(error).__name__)
            return respond(Unavailable("The database cannot take this now; nothing was changed. Please try again."))
        log.exception("%s %s failed", request.method, request.match_info.route.resource)
        return web.json_response(
            {
                "type": "internal",
                "title": "Something broke on our side",
                "status": 500,
                "detail": "This is a defect of the server and has been logged. Nothing you sent should cause it.",
            },
            status=500,
            content_type="application/problem+json",
        )
