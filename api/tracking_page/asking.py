"""The page as a client of the operations that programs ask by the same link: what they refuse, it refuses.

What an installation does not answer is not shown.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from api.http.operation import DECLARED
from api.http.problem import Conflict, Forbidden, Gone, NotFound
from api.http.read.bodies import SAID

_PREFIX = "/v1/track/{token}/"


async def ask(request: web.Request, what: str) -> Any:
    """Ask `GET /v1/track/{token}/…` of the link in the path; None: nobody answers that, or the link opens nothing."""
    try:
        return await _answer(request, "GET", what)
    except (NotFound, Gone, Forbidden, Conflict):
        return None


async def ask_options(request: web.Request) -> Mapping[str, Any]:
    """Ask what may be changed; nothing where the link opens nothing any more."""
    options: Mapping[str, Any] = await ask(request, "options") or {}
    return options


async def post(request: web.Request, what: str, body: dict[str, Any], code: str = "") -> Any:
    """Do as `POST /v1/track/{token}/…` does; give its answer.

    Args:
        code: what was sent to the contact on file; empty for none.

    Raises:
        Problem: it is refused.
    """
    return await _answer(request, "POST", what, body, code)


async def _answer(
    request: web.Request, method: str, what: str, body: dict[str, Any] | None = None, code: str = ""
) -> Any:
    wanted = (method, _PREFIX + what)
    handler = next((one.handler for _, one in request.app[DECLARED] if (one.method, one.path) == wanted), None)
    if handler is None:
        raise NotFound("Nobody answers that here.")
    passed_on = {name: request.headers[name] for name in ("Host", "X-Forwarded-For") if name in request.headers}
    asked = request.clone(headers={"Accept": "application/json", "Reparto-Code": code, **passed_on})
    if body is not None:
        asked[SAID] = body
    response = await handler(asked)
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return msgspec.json.decode(response.body)
