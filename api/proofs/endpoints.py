"""Proofs of delivery: what was taken, where and when, everything of one delivery, and the bytes."""

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL, PROOFS, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import NotFound
from api.proofs.links import check_link
from api.proofs.stop import StopProof, read_stop_proof, shown_proofs
from api.proofs.view import Proof
from sql.account.accounts import read_instance
from sql.delivery import proofs
from work.proofs.blobs import BlobMissing
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, blob_name

operations = Operations("proofs")

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}
_NO_STORE = {"Cache-Control": "private, no-store"}
_FORGET = {
    **_NO_STORE,
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-site",
    "Referrer-Policy": "no-referrer",
}
_SIGNED = (
    Parameter(name="expires", description="When the link ends, seconds since 1970.", schema={"type": "integer"}),
    Parameter(name="signature", description="Of this address."),
)


class ProofList(Struct, frozen=True, kw_only=True):
    """The proofs of a stop in the order they were taken, all on one page."""

    proofs: list[Proof]
    next: str | None = None


@operations.operation("GET", "/v1/stops/{stop}/proofs", who=Who.VIEWER, answer=ProofList)
async def get_proofs(request: web.Request) -> web.Response:
    """List the proofs of a stop, with short-lived links to their bytes."""
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    account_id = caller_of(request).account_id
    rows = await proofs.proofs_of_stop(request.app[POOL], account_id=account_id, stop_id=stop_id)
    if rows is None:
        raise NotFound("There is no stop of this id.")
    return answer(request, ProofList(proofs=await shown_proofs(request, rows)), headers=_NO_STORE)


@operations.operation("GET", "/v1/proofs/{proof}", who=Who.VIEWER, answer=Proof)
async def get_proof(request: web.Request) -> web.Response:
    """Read a proof, with short-lived links to its bytes."""
    proof_id = ids.id_in_path(request, "proof", ids.PROOF)
    row = await proofs.find_proof(request.app[POOL], account_id=caller_of(request).account_id, proof_id=proof_id)
    if row is None:
        raise NotFound("There is no proof of this id.")
    return answer(request, (await shown_proofs(request, [row]))[0], headers=_NO_STORE)


@operations.operation("GET", "/v1/stops/{stop}/proof", who=Who.VIEWER, answer=StopProof)
async def get_stop_proof(request: web.Request) -> web.Response:
    """Read everything that shows how a stop was served: what was said, by whom, where, photos and signature."""
    whole = await read_stop_proof(request, ids.id_in_path(request, "stop", ids.STOP))
    return answer(request, whole, headers=_NO_STORE)


@operations.operation(
    "GET",
    "/v1/blobs/{proof}/{what}",
    who=Who.ANYONE,
    query=_SIGNED,
    media=("image/jpeg", "image/png", "application/pdf", "application/octet-stream"),
)
async def get_blob(request: web.Request) -> web.Response:
    """Fetch bytes of a proof by a signed link: `shown`, its `thumbnail`, or the `original`.

    Always as an attachment. The original is what the phone sent, whatever that is: it is served as bytes of no type.
    """
    proof_id, what = ids.id_in_path(request, "proof", ids.PROOF), request.match_info["what"]
    pool = request.app[POOL]
    check_link(request, (await read_instance(pool)).secret, proof_id, what, now_of(request).timestamp())
    row = await proofs.find_blob(pool, proof_id)
    if row is None:
        raise NotFound("There is nothing at this address.")
    media_type = {SHOWN: row.served_type, THUMBNAIL: "image/jpeg", ORIGINAL: "application/octet-stream"}.get(what)
    try:
        content = await request.app[PROOFS].blobs.get(blob_name(row.account_id, proof_id, what))
    except BlobMissing:
        raise NotFound("There is nothing at this address.") from None
    ending = _ENDINGS.get(media_type or "", "bin")
    name = f'attachment; filename="{ids.shown(ids.PROOF, proof_id)}-{what}.{ending}"'
    headers = {**_FORGET, "Content-Disposition": name}
    return web.Response(body=content, content_type=media_type or "application/octet-stream", headers=headers)
