"""Uploads of drivers' phones: tus 1.0.0, so that a file arrives through any number of cut connections."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID, uuid4

from aiohttp import web

from api.http.app_keys import POOL, PROOFS
from api.http.auth import device_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import BadRequest, Conflict, NotFound, TooLarge
from api.proofs.uploads.about import About, about_in
from api.proofs.uploads.begin import begin, check_length
from api.proofs.uploads.prove import proven
from api.proofs.uploads.receive import Arriving, Receiver
from api.proofs.uploads.state import Action, ProofRefused, UploadState, headers_of, may, state_of
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
    Checksum,
    check_offset_stream,
    checksum_in,
    metadata_in,
    needed_number_in,
    speaks_tus,
)
from sql.delivery import uploads
from sql.delivery.uploads import Upload, UploadKey
from work.away import Away

operations = Operations("uploads")

UPLOADS = "/v1/driver/uploads"


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
    pool, store, device = request.app[POOL], request.app[PROOFS], device_of(request)
    new = _creation_in(request)
    check_length(store, new.length)
    if new.brings_bytes:
        check_offset_stream(request)
        _check_room(request, new.length)
    upload_id = new.about.upload_id or uuid4()
    upload, is_new = await begin(pool, store, device, upload_id, new.about, metadata=new.metadata, length=new.length)
    headers = {"Location": f"{public_url(request)}{UPLOADS}/{upload.id}"}
    if is_new and new.brings_bytes:
        receiver = Receiver(pool, store, upload.key, offset=0, length=new.length)
        await receiver.receive(Arriving(request), new.checksum)
        upload = await proven(pool, store, upload.key)
    return web.Response(status=201, headers={**headers, **headers_of(upload)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Creation:
    """What a request says that begins an upload; `brings_bytes`: the first ones are in its body."""

    about: About
    metadata: str
    length: int
    checksum: Checksum | None
    brings_bytes: bool


def _creation_in(request: web.Request) -> _Creation:
    if "Upload-Defer-Length" in request.headers:
        raise BadRequest("The length of a file must be known when its upload begins: send Upload-Length.")
    metadata = request.headers.get("Upload-Metadata", "")
    return _Creation(
        length=needed_number_in(request, "Upload-Length"),
        checksum=checksum_in(request),
        metadata=metadata,
        about=about_in(metadata_in(metadata), at="Upload-Metadata/"),
        brings_bytes=request.body_exists and request.content_length != 0,
    )


@operations.operation("HEAD", UPLOADS + "/{upload}", who=Who.DEVICE, headers=(RESUMABLE,))
@speaks_tus
async def head_upload(request: web.Request) -> web.Response:
    """Say how many bytes of an upload are durable.

    A complete one that nobody has finished yet is finished now.
    """
    upload = await _upload_in_path(request)
    if upload.received == upload.length and not upload.is_finished:
        with suppress(Away, ProofRefused):  # the bytes are durable whatever becomes of them
            await proven(request.app[POOL], request.app[PROOFS], upload.key)
    headers = {"Upload-Length": str(upload.length), "Cache-Control": "no-store"}
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return web.Response(headers={**headers, **headers_of(upload)})


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
    pool, store = request.app[POOL], request.app[PROOFS]
    upload = may(await _upload_in_path(request), Action.APPEND, offset=offset)
    _check_room(request, upload.length - offset)
    if offset < upload.length:
        receiver = Receiver(pool, store, upload.key, offset=offset, length=upload.length)
        await receiver.receive(Arriving(request), checksum)
    return web.Response(status=204, headers=headers_of(await proven(pool, store, upload.key)))


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
    return may(await uploads.find_upload(request.app[POOL], key), Action.SEE)


def _check_room(request: web.Request, room: int) -> None:
    if (request.content_length or 0) > room and not request.headers.get("Content-Encoding"):
        raise TooLarge(f"The body has {request.content_length} bytes; {room} of the upload are left.")
