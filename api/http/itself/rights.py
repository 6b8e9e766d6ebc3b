"""Addresses that carry a right: who knows one may read or write, so nothing may pass it on or keep what it opens."""

from collections.abc import MutableMapping

from aiohttp import web

PREFIXES = (
    *("/t/", "/v1/track/", "/v1/blobs/", "/v1/photos/", "/v1/driver/uploads", "/ingest/", "/u/", "/hooks/"),
    *("/desk/link/", "/api/session", "/api/socket"),
)
"""What such addresses begin with: tracking links, signed links to proofs and photos, uploads, doors of store apps,
links that end messages, addresses that providers call back, links that let somebody in, the doors of Traccar's clients.
"""

_NO_STORE = "no-store"


async def guard_rights(request: web.Request, response: web.StreamResponse) -> None:
    """Keep the address out of `Referer`, out of search engines, and its answer out of every cache; problems too.

    A signal for `on_response_prepare`.
    """
    guard(request.path, response.headers)


def guard(path: str, headers: MutableMapping[str, str]) -> None:
    """Put into the headers of an answer what keeps an address to whoever has it."""
    if not path.startswith(PREFIXES):
        return
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Robots-Tag"] = "noindex"
    said = headers.get("Cache-Control", "")
    if _NO_STORE not in said:
        headers["Cache-Control"] = f"{said}, {_NO_STORE}" if said else _NO_STORE
