"""Uploads of drivers' phones: tus 1.0.0, so that a file arrives through any number of cut connections."""

from contextlib import suppress
from uuid import UUID, uuid4

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL, PROOFS
from api.http.auth import device_of
from api.http.host import public_url
from api.http.ids import PROOF, shown
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import BadRequest, Conflict, Gone, NotFound, Problem, TooLarge
from api.proofs.uploads.about import about_in
from api.proofs.uploads.begin import begin, check_length
from api.proofs.uploads.receive import Receiver
from api.proofs.uploads.tus import (
    CHECKSUM,
    CHECKSUMS,
    EXTENSIONS,
    LENGTH,
    METADATA,
    OFFSET,
    PIECE,
    RESUMABLE,
    VERSION,
    OffsetDiffers,
    check_offset_stream,
    checksum_in,
    http_date,
    metadata_in,
    needed_number_in,
    speaks_tus,
)
from sql.delivery import uploads
from sql.delivery.uploads import Upload, UploadKey
from work.away import Away
from work.proofs.finish import WHY, PartsMissing, finish


class ProofRefused(Problem):
    """The file came whole, and cannot be a proof. Another try needs another file, in an upload of its own."""

    status = 422
    type = "proof-refused"
    title = "This file cannot be a proof"


operations = Operations("uploads")

UPLOADS = "/v1/driver/uploads"


class UploadState(Struct, frozen=True, kw_only=True):
    """How far an upload is, and what became of it.

    `state` is of its proof: pending, stored or refused; `why` of a refusal. `whole` of a stored one is false where
    bytes of the picture are missing or damaged and only what can be seen is shown: ask for another one at the door.
    """

    id: str
    offset: int
    length: int
    state: str
    why: str | None
    whole: bool | None
    proof_id: str


@operations.operation("OPTIONS", UPLOADS, who=Who.ANYONE, status=204)
async def uploads_options(request: web.Request) -> web.Response:
    """Say which tus is spoken here."""
    headers = {
        "Tus-Resumable": VERSION,
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
        "Tus-Max-Size": str(request.app[PROOFS].config.max_upload_bytes),
        "Allow": "OPTIONS, POST",
    }
    return web.Response(status=204, headers=headers)


@operations.operation(
    "POST", UPLOADS, who=Who.DEVICE, status=201, headers=(RESUMABLE, LENGTH, METADATA, CHECKSUM), takes=PIECE
)
@speaks_tus
async def post_upload(request: web.Request) -> web.Response:
    """Begin an upload (tus creation, creation-with-upload).

    `Upload-Metadata` must hold `stop_id` and `kind` (photo, signature or document) and may hold `filename`, `filetype`,
    `taken_at`, `lat`, `lon`, `sha256` and `upload_id`: a UUID made by the phone, by which beginning again gives the
    same upload, and which an event may name before the upload has begun.
    """
    store, device = request.app[PROOFS], device_of(request)
    if "Upload-Defer-Length" in request.headers:
        raise BadRequest("The length of a file must be known when its upload begins: send Upload-Length.")
    length = needed_number_in(request, "Upload-Length")
    checksum = checksum_in(request)
    metadata = request.headers.get("Upload-Metadata", "")
    about = about_in(metadata_in(metadata), at="Upload-Metadata/")
    check_length(store, length)
    brings_bytes = request.body_exists and request.content_length != 0
    if brings_bytes:
        check_offset_stream(request)
        _check_room(request, length)
    upload_id = about.upload_id or uuid4()
    upload, is_new = await begin(request.app[POOL], store, device, upload_id, about, metadata=metadata, length=length)
    headers = {"Location": f"{public_url(request)}{UPLOADS}/{upload.id}"}
    if is_new and brings_bytes:
        receiver = Receiver(request.app[POOL], store, upload.key, offset=0, length=length)
        await receiver.receive(request.content, checksum)
        upload = await finished(request, upload.key)
    return web.Response(status=201, headers={**headers, **_told(upload)})


@operations.operation("HEAD", UPLOADS + "/{upload}", who=Who.DEVICE, headers=(RESUMABLE,))
@speaks_tus
async def head_upload(request: web.Request) -> web.Response:
    """Say how many bytes of an upload are durable.

    A complete one that nobody has finished yet is finished now.
    """
    upload = await _upload_in_path(request)
    if upload.received == upload.length and not upload.is_finished:
        with suppress(Away, ProofRefused):  # the bytes are durable whatever becomes of them
            await finished(request, upload.key)
    headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return web.Response(headers={**headers, **_told(upload)})


@operations.operation("GET", UPLOADS + "/{upload}", who=Who.DEVICE, answer=UploadState)
async def get_upload(request: web.Request) -> web.Response:
    """Read how far an upload is, and what became of it."""
    upload = await _upload_in_path(request)
    return answer(request, state_of(upload), headers={"Cache-Control": "no-store"})


@operations.operation(
    "PATCH",
    UPLOADS + "/{upload}",
    who=Who.DEVICE,
    status=204,
    headers=(RESUMABLE, OFFSET, CHECKSUM),
    takes=PIECE,
)
@speaks_tus
async def patch_upload(request: web.Request) -> web.Response:
    """Append bytes to an upload (`application/offset+octet-stream`).

    What arrived counts even when the connection is cut, but for a body with `Upload-Checksum`, of which all counts or
    nothing. The last bytes make the proof; 422 says that the file came whole and cannot be one.
    """
    check_offset_stream(request)
    offset = needed_number_in(request, "Upload-Offset")
    checksum = checksum_in(request)
    upload = await _upload_in_path(request)
    if offset != upload.received:
        raise OffsetDiffers(f"The upload is at byte {upload.received}, not {offset}; go on from there.")
    _check_room(request, upload.length - offset)
    if offset < upload.length:
        receiver = Receiver(request.app[POOL], request.app[PROOFS], upload.key, offset=offset, length=upload.length)
        await receiver.receive(request.content, checksum)
    return web.Response(status=204, headers=_told(await finished(request, upload.key)))


@operations.operation("DELETE", UPLOADS + "/{upload}", who=Who.DEVICE, status=204, headers=(RESUMABLE,))
@speaks_tus
async def delete_upload(request: web.Request) -> web.Response:
    """Give an upload up that is not complete (tus termination)."""
    upload = await _upload_in_path(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        blobs = await uploads.terminate(db, upload.key)
    if blobs is None:
        raise Conflict("This upload is complete: it is a proof now, and stays.")
    await request.app[PROOFS].blobs.drop(blobs)
    return web.Response(status=204)


_OVERRIDDEN = {"HEAD": head_upload, "PATCH": patch_upload, "DELETE": delete_upload}


@operations.operation(
    "POST",
    UPLOADS + "/{upload}",
    who=Who.DEVICE,
    status=204,
    also={200: "What HEAD says."},
    headers=(
        Parameter(
            name="X-HTTP-Method-Override",
            description="What is really meant.",
            schema={"type": "string", "enum": ["HEAD", "PATCH", "DELETE"]},
        ),
        *(RESUMABLE, OFFSET, CHECKSUM),
    ),
    takes=PIECE,
)
async def post_to_upload(request: web.Request) -> web.Response:
    """Do what `X-HTTP-Method-Override` says, for networks that let only GET and POST through."""
    method = request.headers.get("X-HTTP-Method-Override", "").upper()
    if method not in _OVERRIDDEN:
        raise web.HTTPMethodNotAllowed("POST", ["DELETE", "GET", "HEAD", "PATCH"])
    response = await _OVERRIDDEN[method](request)
    assert isinstance(response, web.Response)
    return response


async def _upload_in_path(request: web.Request) -> Upload:
    """Find the driver's own upload.

    Raises:
        NotFound: they have none of this id.
        Gone: it was given up.
    """
    try:
        upload_id = UUID(request.match_info["upload"])
    except ValueError:
        raise NotFound("There is no upload of this id.") from None
    key = UploadKey(driver_id=device_of(request).driver_id, id=upload_id)
    upload = await uploads.find_upload(request.app[POOL], key)
    if upload is None:
        raise NotFound("There is no upload of this id.")
    if upload.is_over:
        raise Gone("This upload was given up. Begin it again.")
    return upload


def _check_room(request: web.Request, room: int) -> None:
    if (request.content_length or 0) > room and not request.headers.get("Content-Encoding"):
        raise TooLarge(f"The body has {request.content_length} bytes; {room} of the upload are left.")


async def finished(request: web.Request, key: UploadKey) -> Upload:
    """Make the proof if the upload is complete; give the upload as it is now.

    Raises:
        ProofRefused: the file came whole, and is none.
        Gone: it was given up, or bytes of it were lost; the phone begins again.
        Away: the store is away.
    """
    pool, store = request.app[POOL], request.app[PROOFS]
    upload = await uploads.find_upload(pool, key)
    if upload is not None and upload.received == upload.length:
        try:
            await finish(pool, store, key)
        except PartsMissing:  # here is who still has the file: better sent again than waited for in vain
            async with pool.acquire() as db, db.transaction():
                left = await uploads.give_up(db, key)
            await store.blobs.drop(left or [])
        upload = await uploads.find_upload(pool, key)
    if upload is None or upload.is_over:
        raise Gone("This upload was given up. Begin it again.")
    if upload.state == "refused":
        raise ProofRefused(f"{WHY.get(upload.why or '', '')} ({upload.why})", headers=_told(upload))
    return upload


def state_of(upload: Upload) -> UploadState:
    """Show how far an upload is that was not given up."""
    assert upload.state is not None
    assert upload.proof_id is not None
    return UploadState(
        id=str(upload.id),
        offset=upload.received,
        length=upload.length,
        state=upload.state,
        why=upload.why,
        whole=upload.whole if upload.state == "stored" else None,
        proof_id=shown(PROOF, upload.proof_id),
    )


def _told(upload: Upload) -> dict[str, str]:
    told = {"Upload-Offset": str(upload.received)}
    if upload.received < upload.length:
        told["Upload-Expires"] = http_date(upload.expires_at)
    return told
