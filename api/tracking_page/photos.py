"""Photos on the page: those of the delivery, and those that its recipient sends with a form."""

from contextlib import ExitStack

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL, PROOFS, now_of
from api.http.operation import Operations, Who
from api.http.problem import NotFound, Problem
from api.http.read.forms import Typed
from api.http.who import parties_of
from api.portal.change import counted, linked_stop
from api.proofs.uploads.form import FORMS
from api.proofs.uploads.parts import read_files
from api.proofs.uploads.state import ProofRefused
from api.recipient.held import HeldRoutes
from api.recipient.looks import Seen
from api.recipient.stream import link_in
from api.recipient.view import Ended
from api.stream.hub import HUB
from api.tickets.photos import PhotoQuota, keep_photo
from sql.account.settings import settings_of
from sql.delivery.proofs import find_blob, photos_of_stop
from sql.pool import Db, Pool
from work.proofs.blobs import BlobMissing
from work.proofs.store import SHOWN, THUMBNAIL, blob_name

operations = Operations("tracking")

_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


MOST_AT_ONCE = 4
"""In one form: what is damaged, from all sides; more come with an answer."""

_HANDED_OVER = frozenset({"completed", "partially_completed"})


async def photos_shown(db: Db | Pool, seen: Seen) -> list[str]:
    """Give the ids of the photos that a recipient is shown: once it was handed over, if the account lets them."""
    may_not = "photos" in settings_of(seen.route.settings).visibility.never
    if may_not or isinstance(seen.view, Ended) or seen.view.status not in _HANDED_OVER:
        return []
    return [ids.shown(ids.PROOF, proof_id) for proof_id in await photos_of_stop(db, seen.stop.id)]


@operations.operation("GET", "/t/{token}/photos/{proof}/{what}", who=Who.ANYONE, media=("image/jpeg", "image/png"))
async def get_photo(request: web.Request) -> web.Response:
    """Fetch a photo of a delivery by its tracking link: `shown`, or its `thumbnail`."""
    seen = await request.app[HUB].part(HeldRoutes).seen(link_in(request))
    if seen is None:
        raise NotFound("There is no such tracking link. Please check that the address is complete.")
    proof_id, what = ids.id_in_path(request, "proof", ids.PROOF), request.match_info["what"]
    pool = request.app[POOL]
    row = await find_blob(pool, proof_id)
    shown = await photos_shown(pool, seen)
    if row is None or what not in (SHOWN, THUMBNAIL) or ids.shown(ids.PROOF, proof_id) not in shown:
        raise NotFound("There is no such photo of this delivery.")
    try:
        content = await request.app[PROOFS].blobs.get(blob_name(row.account_id, proof_id, what))
    except BlobMissing:
        raise NotFound("There is no such photo of this delivery.") from None
    kind = row.served_type if what == SHOWN else "image/jpeg"
    return web.Response(body=content, content_type=kind or "image/jpeg", headers=_HEADERS)


async def typed_with_photos(request: web.Request) -> Typed:
    """Read a form with photos in it: they are kept, and `photos` names those and the ones that were sent before.

    Raises:
        Problem: it cannot be read, too much comes, or the link opens nothing.
        PhotoRefused: one is no picture that can be kept; what was typed is in it.
    """
    await counted(request)
    now, store = now_of(request), request.app[PROOFS]
    stop = await linked_stop(request, now)
    with request.app[FORMS].held(parties_of(request)), ExitStack() as open_files:
        disks = [open_files.enter_context(store.unfinished()) for _ in range(MOST_AT_ONCE)]
        form = await read_files(request, disks, max_bytes=store.config.max_upload_bytes)
        kept = [one for one in form.fields.get("photos", "").split(",") if one]
        typed = {name: [text] for name, text in form.fields.items()}
        try:
            for file in form.files:
                if file.size:
                    photo_id = await keep_photo(request, stop, file.disk, bytes.fromhex(file.sha256), now)
                    kept.append(ids.shown(ids.PHOTO, photo_id))
        except (ProofRefused, PhotoQuota) as refused:
            raise PhotoRefused(refused, typed | {"photos": [",".join(kept)]}) from refused
    return typed | {"photos": [",".join(dict.fromkeys(kept))]}


class PhotoRefused(Exception):  # noqa: N818 (it is no error of ours)
    """A photo was not taken; with why, and what was typed beside it."""

    def __init__(self, problem: Problem, typed: Typed) -> None:
        super().__init__(problem.detail)
        self.problem, self.typed = problem, typed
