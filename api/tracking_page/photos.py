"""Photos of a delivery, for its recipient: by their link, for as long as it shows anything."""

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL, PROOFS
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.recipient.held import HeldRoutes
from api.recipient.looks import Seen
from api.recipient.stream import link_in
from api.recipient.view import Ended
from api.stream.hub import HUB
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
