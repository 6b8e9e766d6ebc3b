"""Scripts, styles and pictures of the pages: read once, served from memory under an address that changes with them.

src="{assets.PATH}/page/start.js"
"""

import gzip
import hashlib
import mimetypes
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web

from api.http.problem import NotFound

ROOT = files("api") / "static"

_SERVED = (".css", ".js", ".mjs", ".svg")  # pages themselves are templates, licences are for readers of the source
WORKERS = {"page/worker.js": "/t/", "desk/worker.js": "/desk/"}
"""Scripts that work for pages of other addresses than their own."""
_FOR_EVER = "public, max-age=31536000, immutable"


def _read(folder: Traversable, prefix: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            found |= _read(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SERVED):
            found[prefix + entry.name] = entry.read_bytes()
    return found


_ASSETS = _read(ROOT)
VERSION = hashlib.sha256(b"".join(_ASSETS.values())).hexdigest()[:12]
PATH = f"/static/{VERSION}"


def text_of(name: str) -> str:
    """Give what an asset says, for pages that bring it with them."""
    return _ASSETS[name].decode()


def add_to(app: web.Application) -> None:
    """Serve the assets."""
    app.router.add_get("/static/{version}/{name:.+}", _get)


async def _get(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _ASSETS:
        raise NotFound("There is no such file.")
    # a page of another release, asked from one that is being replaced, gets what there is, and does not keep it
    is_this = request.match_info["version"] == VERSION
    headers = {"Cache-Control": _FOR_EVER if is_this else "no-store", "Vary": "Accept-Encoding"}
    if name in WORKERS:
        headers["Service-Worker-Allowed"] = WORKERS[name]
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = _packed(name) if packed else _ASSETS[name]
    content_type = "text/javascript" if name.endswith(".mjs") else mimetypes.guess_type(name)[0]
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_ASSETS[name])
