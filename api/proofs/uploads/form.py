"""A small proof in one request: a form with the file in it. What follows is what follows an upload."""

from uuid import UUID, uuid5

from aiohttp import web

from api.http.app_keys import POOL, PROOFS
from api.http.auth import device_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.shares.ledger import Ledger
from api.http.who import parties_of
from api.proofs.said import KINDS
from api.proofs.uploads.about import About, about_in
from api.proofs.uploads.begin import begin, check_length
from api.proofs.uploads.parts import FILE, read_form
from api.proofs.uploads.prove import proven
from api.proofs.uploads.receive import Receiver
from api.proofs.uploads.state import UploadState, state_of

FORMS: web.AppKey[Ledger] = web.AppKey("forms", Ledger)

FORMS_AT_ONCE = 32
"""Each is a file of ours until its bytes are in the store: with `REPARTO_MAX_UPLOAD_BYTES` as it is, 800 MB of disk at
most. In memory is a megabyte of each."""


def _prepare(app: web.Application) -> None:
    app[FORMS] = Ledger("forms", FORMS_AT_ONCE)


operations = Operations("uploads", prepare=_prepare)

_SAME = UUID("7a1f3a56-5f0c-4a8e-9d39-0f5b8d1f6c11")
"""The namespace of ids of files that come without one: the same bytes for the same stop are the same proof."""


_TEXT = {"type": "string"}
_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["stop_id", "kind", FILE],
        "properties": {
            "stop_id": _TEXT,
            "kind": {"type": "string", "enum": [*KINDS]},
            FILE: {"type": "string", "format": "binary"},
            "upload_id": {"type": "string", "format": "uuid"},
            **dict.fromkeys(("filename", "taken_at", "lat", "lon", "sha256"), _TEXT),
        },
    }
}


@operations.operation(
    "POST",
    "/v1/driver/proofs",
    who=Who.DRIVER,
    answer=UploadState,
    status=201,
    also={200: "It was there."},
    takes=_FORM,
)
async def post_proof(request: web.Request) -> web.Response:
    """Send a small proof in one request (`multipart/form-data`).

    Fields are `stop_id`, `kind` (photo, signature or document), `file` and those that an upload's metadata may have.
    Sent again, the same file for the same stop, or the same `upload_id`, is the same proof; then the answer is 200.
    422 says that the file came whole and cannot be a proof.
    """
    with request.app[FORMS].held(parties_of(request)):
        return await _keep_proof(request)


async def _keep_proof(request: web.Request) -> web.Response:
    pool, store, device = request.app[POOL], request.app[PROOFS], device_of(request)
    with store.unfinished() as disk:
        form = await read_form(request, disk, max_bytes=store.config.max_upload_bytes)
        about = about_in(form.fields, at="")
        check_length(store, form.size)
        upload_id = about.upload_id or _id_of(device.driver_id, about, form.sha256)
        upload, _ = await begin(pool, store, device, upload_id, about, metadata="", length=form.size)
        was_finished = upload.is_finished
        if upload.received < upload.length:
            disk.seek(upload.received)
            receiver = Receiver(pool, store, upload.key, offset=upload.received, length=upload.length)
            await receiver.receive_file(disk)
    upload = await proven(pool, store, upload.key)
    return answer(request, state_of(upload), status=200 if was_finished else 201)


def _id_of(driver_id: int, about: About, sha256: str) -> UUID:
    return uuid5(_SAME, f"{driver_id}/{about.stop_id}/{about.kind}/{sha256}")
