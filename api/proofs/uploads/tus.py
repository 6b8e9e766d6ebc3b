"""The words of tus 1.0.0: what its headers say, and what every answer carries.

https://tus.io/protocols/resumable-upload, with its extensions `EXTENSIONS`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import wraps
from typing import Any

from aiohttp import web

from api.http.operation import Parameter
from api.http.problem import BadRequest, Conflict, FieldError, Invalid, Problem, UnsupportedMediaType

VERSION = "1.0.0"
RESUMABLE = Parameter(name="Tus-Resumable", description="The protocol's version.", schema={"const": VERSION})
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
CHECKSUMS = ("sha1", "sha256", "md5")
OFFSET_STREAM = "application/offset+octet-stream"
_BYTES: dict[str, Any] = {"type": "integer", "minimum": 0}
LENGTH = Parameter(name="Upload-Length", description="Bytes of the whole file.", schema=_BYTES)
OFFSET = Parameter(name="Upload-Offset", description="The byte that the body goes on from.", schema=_BYTES)
METADATA = Parameter(name="Upload-Metadata", description="Names, each with its value in base64, separated by commas.")
CHECKSUM = Parameter(name="Upload-Checksum", description="Of the body: algorithm, a space, the digest in base64.")
PIECE = {OFFSET_STREAM: {"type": "string", "format": "binary"}}
MOST_METADATA_BYTES = 4_096
_NUMBER = re.compile(r"[0-9]{1,15}")
_METADATA_KEY = re.compile(r"[!-+\--~]{1,200}")  # printable ASCII without space and comma


class OtherTusVersion(Problem):
    """`Tus-Resumable` is missing or names another version of the protocol."""

    status = 412
    type = "tus-version"
    title = "Another version of tus is spoken here"

    def __init__(self) -> None:
        super().__init__(f"Send `Tus-Resumable: {VERSION}`.", headers={"Tus-Version": VERSION})


class OffsetDiffers(Conflict):
    """The upload is at another byte than the request continues from."""

    type = "upload-offset"
    title = "The upload is at another place"


class UploadBusy(Problem):
    """Another request appends to this upload just now."""

    status = 423
    type = "upload-busy"
    title = "Another request appends to this upload"

    def __init__(self) -> None:
        super().__init__(
            "Another request appends to this upload. Ask with HEAD where it is, and go on from there.",
            headers={"Retry-After": "1"},
        )


class ChecksumDiffers(Problem):
    """The bytes of a request are not those its checksum is of; they count for nothing."""

    status = 460
    type = "upload-checksum"
    title = "The bytes are not what their checksum says"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What the bytes of one request must hash to."""

    algorithm: str
    digest: bytes

    def new(self) -> Any:
        """Begin to hash."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def speaks_tus(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Hold a request to the protocol's version, and say it in every answer, problems too."""

    @wraps(handler)
    async def spoken(request: web.Request) -> web.Response:
        try:
            if request.headers.get("Tus-Resumable") != VERSION:
                raise OtherTusVersion
            response = await handler(request)
        except Problem as problem:
            problem.headers["Tus-Resumable"] = VERSION
            raise
        response.headers["Tus-Resumable"] = VERSION
        return response

    return spoken


async def say_version(request: web.Request, response: web.StreamResponse) -> None:
    """Say the protocol's version in every answer about uploads, also where nobody came as far as asking for one.

    A signal for `on_response_prepare`.
    """
    if request.path.startswith("/v1/driver/uploads"):
        response.headers.setdefault("Tus-Resumable", VERSION)


def number_in(request: web.Request, header: str) -> int | None:
    """Read a header that is a number of bytes; None where it is missing.

    Raises:
        BadRequest: it is no number.
    """
    text = request.headers.get(header)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text.strip()):
        raise BadRequest(f"{header} must be a whole number of bytes.", errors=[FieldError(at=header, why="no number")])
    return int(text)


def needed_number_in(request: web.Request, header: str) -> int:
    """Read a header that is a number of bytes.

    Raises:
        BadRequest: it is no number, or missing.
    """
    number = number_in(request, header)
    if number is None:
        raise BadRequest(f"{header} is missing.", errors=[FieldError(at=header, why="is missing")])
    return number


def check_offset_stream(request: web.Request) -> None:
    """Make sure that the body is bytes of the upload.

    Raises:
        UnsupportedMediaType: it says something else.
    """
    if request.content_type != OFFSET_STREAM:
        raise UnsupportedMediaType(f"The bytes of an upload come as {OFFSET_STREAM}.")


def checksum_in(request: web.Request) -> Checksum | None:
    """Read `Upload-Checksum`; None where it is missing.

    Raises:
        BadRequest: it cannot be read, or names an algorithm that is not offered.
    """
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.strip().partition(" ")
    try:
        digest = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if algorithm not in CHECKSUMS or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        why = f"must be one of {', '.join(CHECKSUMS)}, a space and the digest in base64"
        raise BadRequest(f"Upload-Checksum {why}.", errors=[FieldError(at="Upload-Checksum", why=why)])
    return Checksum(algorithm=algorithm, digest=digest)


def metadata_in(text: str) -> Mapping[str, str]:
    """Read `Upload-Metadata`: names, each with its value in base64.

    Raises:
        BadRequest: it is too long, or not that.
        Invalid: a value is not text.
    """
    if len(text) > MOST_METADATA_BYTES:
        raise BadRequest(f"Upload-Metadata may have {MOST_METADATA_BYTES} characters at most.")
    values: dict[str, str] = {}
    errors = []
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = pair.partition(" ")
        if not _METADATA_KEY.fullmatch(name) or name in values:
            raise BadRequest("Upload-Metadata must be names, each with its value in base64, separated by commas.")
        try:
            values[name] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            errors.append(FieldError(at=f"Upload-Metadata/{name}", why="is not text in base64"))
    if errors:
        raise Invalid("Some metadata are not usable; nothing was changed.", errors=errors)
    return values


def http_date(at: datetime) -> str:
    """Write a time as HTTP headers have it."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)
