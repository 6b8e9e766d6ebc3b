"""Bodies in and out: JSON or MessagePack by content negotiation."""

import json
import re
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from api.http.problem import BadRequest, FieldError, Invalid, UnsupportedMediaType

JSON = "application/json"
MSGPACK = "application/msgpack"
_MSGPACK_TYPES = frozenset({MSGPACK, "application/x-msgpack", "application/vnd.msgpack"})
_JSON_TYPES = frozenset({JSON, "text/json", "application/x-json", "application/octet-stream", "text/plain", ""})
_WHERE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")

T = TypeVar("T")


def is_msgpack(content_type: str) -> bool:
    """Tell whether a media type is MessagePack, under any of its names."""
    return content_type in _MSGPACK_TYPES


def is_json(content_type: str) -> bool:
    """Tell whether a media type may be JSON: under any of its names, or of a client that says nothing, or anything."""
    return content_type in _JSON_TYPES or content_type.endswith("+json")


def as_utf8(body: bytes) -> bytes:
    """Give JSON that may have come as UTF-16 or UTF-32 in the encoding in which it is read (RFC 8259, 8.1)."""
    if len(body) > 1 and 0 < body[0] < 0x80 and body[1]:  # no mark and no zero is at its beginning
        return body
    encoding = json.detect_encoding(body)
    return body if encoding == "utf-8" else body.decode(encoding, "replace").encode()


def field_error(error: msgspec.ValidationError) -> FieldError:
    """Say where in the body it is and why, from msgspec's own words (`… - at `$.stops[0].lat``)."""
    text = str(error)
    where = _WHERE.search(text)
    if where is None:
        return FieldError(at="", why=text)
    pointer = "".join("/" + (step["name"] or step["index"]) for step in _STEP.finditer(where["path"]))
    return FieldError(at=pointer, why=text[: where.start()])


def parse(content_type: str, body: bytes, kind: type[T]) -> T:
    """Read a body as a value of `kind`.

    Raises:
        UnsupportedMediaType: it is neither JSON nor MessagePack.
        BadRequest: it is not what it says it is.
        Invalid: a field is missing, unknown or of a wrong type.
    """
    try:
        if is_msgpack(content_type):
            return msgspec.convert(msgspec.msgpack.decode(body), kind, strict=True)
        if not is_json(content_type):
            raise UnsupportedMediaType(f"{content_type} is not read here; send {JSON} or {MSGPACK}.")
        return msgspec.json.decode(as_utf8(body), type=kind)
    except msgspec.ValidationError as error:
        raise Invalid("A field is not usable.", errors=[field_error(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"The body is not readable: {error}") from error


def wants_msgpack(request: web.Request) -> bool:
    """Tell whether the client asks for MessagePack rather than JSON."""
    accept = request.headers.get("Accept", "")
    return any(part.split(";", 1)[0].strip() in _MSGPACK_TYPES for part in accept.split(","))


def answer(
    request: web.Request, value: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Answer with a value in the shape the client asked for; times are RFC 3339 text in both."""
    headers = {"Vary": "Accept", **(headers or {})}
    if wants_msgpack(request):
        packed = msgspec.msgpack.encode(msgspec.to_builtins(value))
        return web.Response(status=status, body=packed, content_type=MSGPACK, headers=headers)
    return web.Response(status=status, body=msgspec.json.encode(value), content_type=JSON, headers=headers)
