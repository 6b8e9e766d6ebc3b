"""A small proof in one request: a form with the file in it. What follows is what follows an upload."""

import asyncio
import hashlib
from dataclasses import dataclass
from uuid import UUID, uuid5

from aiohttp import BodyPartReader, MultipartReader, web

from api.http.app_keys import POOL, PROOFS
from api.http.auth import device_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import BadRequest, FieldError, Invalid, Problem, TooLarge, Unavailable, UnsupportedMediaType
from api.http.shares.ledger import Ledger
from api.http.who import parties_of
from api.proofs.said import KINDS
from api.proofs.uploads.about import About, about_in
from api.proofs.uploads.begin import begin, check_length
from api.proofs.uploads.prove import proven
from api.proofs.uploads.receive import Receiver
from api.proofs.uploads.state import UploadState, state_of

FORMS: web.AppKey[Ledger] = web.AppKey("forms", Ledger)

FORMS_AT_ONCE = 32
"""Each is in memory until its bytes are in the store: with `REPARTO_MAX_UPLOAD_BYTES` as it is, 800 MB at most. Larger
files go by tus, which keeps a quarter of a megabyte of each."""

_SILENT_S = 20.0  # a form of which nothing comes for so long is given up


def _prepare(app: web.Application) -> None:
    app[FORMS] = Ledger("forms", FORMS_AT_ONCE)


operations = Operations("uploads", prepare=_prepare)

_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 4_096
_FILE = "file"
_SAME = UUID("7a1f3a56-5f0c-4a8e-9d39-0f5b8d1f6c11")
"""The namespace of ids of files that come without one: the same bytes for the same stop are the same proof."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentForm:
    """What a form holds beside its file, and the file."""

    fields: dict[str, str]
    content: bytes


_TEXT = {"type": "string"}
_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["stop_id", "kind", _FILE],
        "properties": {
            "stop_id": _TEXT,
            "kind": {"type": "string", "enum": [*KINDS]},
            _FILE: {"type": "string", "format": "binary"},
            "upload_id": {"type": "string", "format": "uuid"},
            **dict.fromkeys(("filename", "taken_at", "lat", "lon", "sha256"), _TEXT),
        },
    }
}


@operations.operation(
    "POST",
    "/v1/driver/proofs",
    who=Who.DEVICE,
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
    form = await read_form(request, store.config.max_upload_bytes)
    about = about_in(form.fields, at="")
    check_length(store, len(form.content))
    upload_id = await store.slow(_id_of, device.driver_id, about, form.content)
    upload, _ = await begin(pool, store, device, upload_id, about, metadata="", length=len(form.content))
    was_finished = upload.is_finished
    if upload.received < upload.length:
        receiver = Receiver(pool, store, upload.key, offset=upload.received, length=upload.length)
        await receiver.receive_bytes(form.content[upload.received :])
    upload = await proven(pool, store, upload.key)
    return answer(request, state_of(upload), status=200 if was_finished else 201)


def _id_of(driver_id: int, about: About, content: bytes) -> UUID:
    if about.upload_id is not None:
        return about.upload_id
    return uuid5(_SAME, f"{driver_id}/{about.stop_id}/{about.kind}/{hashlib.sha256(content).hexdigest()}")


async def read_form(request: web.Request, most: int) -> SentForm:
    """Read the whole form within its limits.

    Raises:
        UnsupportedMediaType: it is no form with files.
        TooLarge: the file is over `most` bytes, or a field is too long.
        BadRequest: it cannot be read.
        Invalid: there is no file in it.
    """
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data with the file in the field `file`.")
    if (request.content_length or 0) > most + _MOST_FIELDS * _MOST_FIELD_BYTES:
        raise TooLarge(f"The form has {request.content_length} bytes; a file may have {most}.")
    try:
        fields, content = await _read_parts(await request.multipart(), most)
    except Problem:
        raise
    except TimeoutError as error:
        raise Unavailable("The form stopped coming. Please send it again.") from error
    except UnicodeDecodeError as error:
        raise BadRequest("A field of the form is not UTF-8 text.") from error
    except Exception as error:  # aiohttp's reader of forms raises whatever a damaged one leads it into
        raise BadRequest("The form cannot be read, or breaks off.") from error
    if content is None:
        raise Invalid("There is no file in the form.", errors=[FieldError(at=_FILE, why="is missing")])
    return SentForm(fields=fields, content=content)


async def _read_parts(reader: MultipartReader, most: int) -> tuple[dict[str, str], bytes | None]:
    """Read the fields of a form, and the file if there is one."""
    fields: dict[str, str] = {}
    content: bytes | None = None
    while (part := await reader.next()) is not None:
        name = part.name if isinstance(part, BodyPartReader) else None
        if not isinstance(part, BodyPartReader) or name is None:
            raise BadRequest("Every part of the form needs a name, and none may be a form itself.")
        if name == _FILE and content is None:
            content = await _read_part(part, most)
            fields.setdefault("filename", part.filename or "")
        elif name == _FILE or name in fields or len(fields) >= _MOST_FIELDS:
            raise BadRequest("The form has a field twice, or too many.")
        else:
            fields[name] = (await _read_part(part, _MOST_FIELD_BYTES)).decode()
    return fields, content


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    content = bytearray()
    while True:
        async with asyncio.timeout(_SILENT_S):
            come = await part.read_chunk()
        if not come:
            return bytes(content)
        content += part.decode(come)
        if len(content) > most:
            raise TooLarge(f"A part of the form has more than {most} bytes.")
