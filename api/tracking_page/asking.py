"""The page as a client of the operations that programs ask by the same link: what they refuse, it refuses."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from aiohttp import web

from api.http.operation import Handler
from api.http.read.bodies import SAID
from api.portal import by_link

_OPERATIONS: Mapping[str, Handler] = MappingProxyType(
    {
        "instructions": by_link.post_instructions,
        "safe-place": by_link.post_safe_place,
        "pin-drop": by_link.post_pin_drop,
        "rating": by_link.post_rating,
    }
)


async def ask_options(request: web.Request) -> Mapping[str, Any]:
    """Ask what the link in the path may change, as `GET /v1/track/{token}/options` says it.

    Raises:
        NotFound, Gone: there is no such link, or it opens nothing any more.
    """
    options: Mapping[str, Any] = await _answer(by_link.get_options, request)
    return options


async def make_change(request: web.Request, change: str, body: dict[str, Any]) -> None:
    """Make a change as `POST /v1/track/{token}/{change}` does.

    Raises:
        Problem: it is refused.
    """
    await _answer(_OPERATIONS[change], request, body)


async def _answer(operation: Handler, request: web.Request, body: dict[str, Any] | None = None) -> Any:
    asked = request.clone(headers={"Accept": "application/json", **_passed_on(request)})
    if body is not None:
        asked[SAID] = body
    response = await operation(asked)
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return msgspec.json.decode(response.body)


def _passed_on(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in ("Host", "X-Forwarded-For") if name in request.headers}
