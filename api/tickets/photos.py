"""Photos that recipients send by their link: judged and drawn anew like a driver's; only the picture is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import IO
from zoneinfo import ZoneInfo

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL, PROOFS, now_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import refuse
from api.http.who import parties_of
from api.portal.change import counted, linked_stop
from api.proofs.links import OF_A_PHOTO, Signer, check_link
from api.proofs.uploads.form import FORMS
from api.proofs.uploads.parts import read_form
from api.proofs.uploads.state import ProofRefused
from sql.account.accounts import read_instance
from sql.pool import Db
from sql.portal import photos, stops
from sql.portal.photos import PhotoRow
from sql.portal.stops import PortalStop
from work.proofs.blobs import BlobMissing
from work.proofs.finish import WHY
from work.proofs.images import RefusedFile
from work.proofs.pictures import PICTURES
from work.proofs.store import SHOWN, THUMBNAIL, ProofStore, photo_name

operations = Operations("tracking")

MOST_PHOTOS = 20
"""Of one stop: some tickets, each from all sides."""

MOST_BYTES = 100 * 2**20
"""Of one stop, as they were sent."""

_UTC = ZoneInfo("UTC")
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
    "Referrer-Policy": "no-referrer",
}
_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": {"type": "string", "format": "binary"}},
    }
}


class PhotoQuota(Conflict):
    """So many photos are enough for one delivery."""

    type = "photo-quota"
    title = "No more photos are taken for this delivery"


class PhotoView(Struct, frozen=True, kw_only=True):
    """A photo, with short-lived links to its bytes."""

    id: str
    url: str
    thumbnail_url: str


class PhotoKept(Struct, frozen=True, kw_only=True):
    """A photo that was taken: name its `id` in `photos` of a report, an answer or a return."""

    id: str


@operations.operation("POST", "/v1/track/{token}/photos", who=Who.ANYONE, answer=PhotoKept, status=201, takes=_FORM)
async def post_photo(request: web.Request) -> web.Response:
    """Send a photo (`multipart/form-data`, field `file`: JPEG, PNG, WebP or HEIC), to be named afterwards.

    Sent again, the same file is the same photo. What is kept is drawn anew: no place, no time, no name in it.
    """
    await counted(request)
    now = now_of(request)
    stop = await linked_stop(request, now)
    with request.app[FORMS].held(parties_of(request)):
        store = request.app[PROOFS]
        with store.unfinished() as disk:
            form = await read_form(request, disk, max_bytes=store.config.max_upload_bytes)
            photo_id = await keep_photo(request, stop, disk, bytes.fromhex(form.sha256), now)
    return answer(request, PhotoKept(id=ids.shown(ids.PHOTO, photo_id)), status=201)


async def keep_photo(request: web.Request, stop: PortalStop, file: IO[bytes], sha256: bytes, now: datetime) -> int:
    """Keep a photo of a stop; return its id, the same one for the same bytes.

    Args:
        file: its bytes, with their hash `sha256`.

    Raises:
        PhotoQuota: there are enough.
        ProofRefused: it is no picture, or damaged.
        Away: the store is away; nothing is lost by sending it again.
    """
    pool, store = request.app[POOL], request.app[PROOFS]
    known = await photos.find_sent(pool, account_id=stop.account_id, stop_id=stop.id, sha256=sha256)
    if known is not None and known.is_stored:
        return known.id
    async with store.turn:
        file.seek(0)
        content = await store.slow(file.read)
        try:
            shown = await store.slow(
                PICTURES.judge, "photo", content, max_pixels=store.config.max_photo_pixels, zone=_UTC, now=now
            )
        except RefusedFile as refused:
            raise ProofRefused(f"{WHY.get(refused.why, '')} ({refused.why})") from None
        async with pool.acquire() as db, db.transaction():
            photo = known or await _begin(db, stop, sha256, len(content), now)
        await _put(store, photo, {SHOWN: shown.served, THUMBNAIL: shown.thumbnail or shown.served})
    await photos.photo_is_stored(pool, photo.id, now)
    return photo.id


async def _begin(db: Db, stop: PortalStop, sha256: bytes, size_bytes: int, now: datetime) -> PhotoRow:
    await stops.hold_stop(db, stop.id)
    sent = await photos.sent_photos(db, stop.id)
    if sent.photos >= MOST_PHOTOS or sent.size_bytes + size_bytes > MOST_BYTES:
        raise PhotoQuota(f"{sent.photos} photos were sent for this delivery; please describe the rest in words.")
    return await photos.begin_photo(
        db, account_id=stop.account_id, stop_id=stop.id, sha256=sha256, size_bytes=size_bytes, now=now
    )


async def _put(store: ProofStore, photo: PhotoRow, blobs: dict[str, bytes]) -> None:
    for what, blob in blobs.items():
        await store.blobs.put(photo_name(photo.account_id, photo.id, what), blob)


async def named_photos(db: Db, stop_id: int, account_id: int, named: Sequence[str]) -> list[int]:
    """Read which photos of a stop a body names.

    Raises:
        Invalid: one is no photo of this stop, or its bytes never came.
    """
    numbers = [ids.number_of(ids.PHOTO, text) for text in named]
    asked = [number for number in numbers if number is not None]
    there = await photos.stored_of_stop(db, account_id=account_id, stop_id=stop_id, photo_ids=asked) if asked else set()
    refuse(
        [
            FieldError(at=f"/photos/{place}", why="is no photo that was sent for this delivery")
            for place, number in enumerate(numbers)
            if number not in there
        ]
    )
    return list(dict.fromkeys(asked))


def shown_photos(photo_ids: Sequence[int], signer: Signer) -> list[PhotoView]:
    """Show photos, with links to their bytes."""
    return [
        PhotoView(
            id=ids.shown(ids.PHOTO, number),
            url=signer.photo(number, SHOWN),
            thumbnail_url=signer.photo(number, THUMBNAIL),
        )
        for number in photo_ids
    ]


@operations.operation(
    "GET",
    "/v1/photos/{photo}/{what}",
    who=Who.ANYONE,
    query=(
        Parameter(name="expires", description="When the link ends, seconds since 1970.", schema={"type": "integer"}),
        Parameter(name="signature", description="Of this address."),
    ),
    media=("image/jpeg",),
)
async def get_recipient_photo(request: web.Request) -> web.Response:
    """Fetch a recipient's photo by a signed link: `shown`, or its `thumbnail`."""
    photo_id, what, pool = ids.id_in_path(request, "photo", ids.PHOTO), request.match_info["what"], request.app[POOL]
    check_link(request, (await read_instance(pool)).secret, photo_id, what, now_of(request).timestamp(), of=OF_A_PHOTO)
    account_id = await photos.photo_account(pool, photo_id)
    if account_id is None:
        raise NotFound("There is nothing at this address.")
    try:
        content = await request.app[PROOFS].blobs.get(photo_name(account_id, photo_id, what))
    except BlobMissing:
        raise NotFound("There is nothing at this address.") from None
    name = f'attachment; filename="{ids.shown(ids.PHOTO, photo_id)}-{what}.jpg"'
    return web.Response(body=content, content_type="image/jpeg", headers={**_HEADERS, "Content-Disposition": name})
