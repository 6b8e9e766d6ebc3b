"""A company's logo: judged and drawn anew like a photo, served from here, shown on every page of its recipients."""

import hashlib
import re
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL, PROOFS, now_of
from api.http.auth import caller_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.http.shares.rates import ACCOUNT_WRITES
from api.http.who import parties_of
from api.proofs.uploads.form import FORMS
from api.proofs.uploads.parts import FILE, read_form
from api.proofs.uploads.state import ProofRefused
from sql.account import accounts
from sql.account.settings import read_settings
from sql.track.live import tell_live
from work.proofs.blobs import BlobMissing
from work.proofs.finish import WHY
from work.proofs.images import RefusedFile
from work.proofs.pictures import PICTURES

operations = Operations("account")

MOST_BYTES = 2 * 2**20
"""Of what is sent; a logo that is more is a photo."""

_NAME = re.compile(r"(?P<account>[0-9]{1,18})-[0-9a-f]{24}")
_UTC = ZoneInfo("UTC")
_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": [FILE],
        "properties": {FILE: {"type": "string", "format": "binary"}},
    }
}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # another logo has another address
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class LogoKept(Struct, frozen=True, kw_only=True):
    """The address of a logo, for everybody; null: there is none."""

    logo_url: str | None


@operations.operation("PUT", "/v1/account/logo", who=Who.ADMIN, answer=LogoKept, takes=_FORM)
async def put_logo(request: web.Request) -> web.Response:
    """Set the logo (`multipart/form-data`, field `file`: JPEG, PNG, WebP or HEIC, 2 MiB).

    What is kept is drawn anew, 320 pixels at most on its longer side; what is transparent becomes white.
    """
    account_id, store = caller_of(request).account_id, request.app[PROOFS]
    request.app[ACCOUNT_WRITES].admit(account_id)
    with request.app[FORMS].held(parties_of(request)), store.unfinished() as disk:
        await read_form(request, disk, max_bytes=MOST_BYTES)
        disk.seek(0)
        content = await store.slow(disk.read)
    async with store.turn:
        try:
            shown = await store.slow(
                PICTURES.judge,
                "photo",
                content,
                max_pixels=store.config.max_photo_pixels,
                zone=_UTC,
                now=now_of(request),
            )
        except RefusedFile as refused:
            raise ProofRefused(f"{WHY.get(refused.why, '')} ({refused.why})") from None
    picture = shown.thumbnail or shown.served
    name = f"{account_id}-{hashlib.sha256(picture).hexdigest()[:24]}"
    await store.blobs.put(_blob(account_id, name), picture)
    await _use(request, account_id, name)
    return answer(request, LogoKept(logo_url=f"{public_url(request)}/logo/{name}"))


@operations.operation("DELETE", "/v1/account/logo", who=Who.ADMIN, answer=LogoKept)
async def delete_logo(request: web.Request) -> web.Response:
    """Take the logo away; pages show the name again."""
    account_id = caller_of(request).account_id
    request.app[ACCOUNT_WRITES].admit(account_id)
    await _use(request, account_id, "")
    return answer(request, LogoKept(logo_url=None))


@operations.operation("GET", "/logo/{logo}", who=Who.ANYONE, media=("image/jpeg",))
async def get_logo(request: web.Request) -> web.Response:
    """Fetch the logo of a company, as its pages name it."""
    named = _NAME.fullmatch(request.match_info["logo"])
    if named is None:
        raise _no_logo()
    try:
        content = await request.app[PROOFS].blobs.get(_blob(int(named["account"]), named[0]))
    except BlobMissing:
        raise _no_logo() from None
    return web.Response(body=content, content_type="image/jpeg", headers=_HEADERS)


async def _use(request: web.Request, account_id: int, name: str) -> None:
    """Show this logo from now on, and drop the one before; where that fails, nobody knows its address any more."""
    pool = request.app[POOL]
    before = (await read_settings(pool, account_id)).logo
    await accounts.change_account_settings(pool, account_id, {"logo": name})
    await tell_live(pool, [(account_id, 0, 0)])
    if before and before != name:
        await request.app[PROOFS].blobs.drop([_blob(account_id, before)])


def _blob(account_id: int, name: str) -> str:
    return f"logos/{account_id}/{name}"


def _no_logo() -> NotFound:
    return NotFound("There is no such logo.")
