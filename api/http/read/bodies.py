"""Bodies of the operations API: read once, and every mistake in them named at once."""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from aiohttp import web

from api.http.app_keys import CONFIG
from api.http.media import field_error, parse
from api.http.problem import FieldError, Invalid
from api.http.read.limited import read_limited
from api.http.read.why import why_of

T = TypeVar("T")

SAID: web.RequestKey[dict[str, Any]] = web.RequestKey("said", dict)
"""The body of a request that a page's form was read into: what `read_body` reads then."""

MOST_ERRORS = 100
"""Mistakes named in one answer."""

DEEPEST = 32
"""Levels of lists and objects in one body."""


async def read_body(request: web.Request, kind: type[T]) -> T:
    """Read a body as a value of `kind`.

    Raises:
        Invalid: names every field that is missing, unknown, of a wrong type or cannot be stored.
        TooLarge, UnsupportedMediaType, BadRequest: it cannot be read at all.
    """
    raw: Any = request.get(SAID)
    if raw is None:
        content = await read_limited(request, request.app[CONFIG].max_body_bytes)
        raw = parse(request.content_type, content, Any)
    refuse(list(islice(unstorable(raw), MOST_ERRORS)))
    body: T = converted(raw, kind, "")
    return body


def refuse(errors: list[FieldError]) -> None:
    """Answer with the mistakes, if there are any.

    Raises:
        Invalid: there are.
    """
    if errors:
        count = "One field is" if len(errors) == 1 else f"{len(errors)} fields are"
        raise Invalid(f"{count} not usable; nothing was changed.", errors=errors)


def converted(raw: Any, kind: Any, at: str) -> Any:
    """Turn decoded JSON or MessagePack into a value of `kind`.

    Raises:
        Invalid: names every mistake, at JSON pointers that begin with `at`.
    """
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        refuse(list(islice(_mistakes(raw, kind, at), MOST_ERRORS)))
        raise


def _mistakes(raw: Any, kind: Any, at: str) -> Iterator[FieldError]:
    """Name each mistake, where msgspec stops at the first."""
    try:
        msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        inner = _without_none(kind)
        yield from list(_mistakes_inside(raw, inner, at)) or [_own_mistake(error, inner, at)]


def _mistakes_inside(raw: Any, kind: Any, at: str) -> Iterator[FieldError]:
    """Name the mistakes in the parts of a value; none where it is the value itself that is of a wrong type."""
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _field_mistakes(raw, kind, at)
    elif isinstance(raw, list) and get_origin(kind) is list:
        (item,) = get_args(kind)
        for index, one in enumerate(raw):
            yield from _mistakes(one, item, f"{at}/{index}")
    elif isinstance(raw, dict) and get_origin(kind) is dict:
        name_kind, item = get_args(kind)
        for name, one in raw.items():
            inside = f"{at}/{_escaped(str(name))}"
            yield from (FieldError(at=inside, why=f"its name {wrong.why}") for wrong in _mistakes(name, name_kind, ""))
            yield from _mistakes(one, item, inside)


def _own_mistake(error: msgspec.ValidationError, kind: Any, at: str) -> FieldError:
    first = field_error(error)
    offered = ", ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else ""
    return FieldError(at=at + first.at, why=f"must be one of {offered}" if offered else why_of(first.why))


def _field_mistakes(raw: dict[Any, Any], struct: type[msgspec.Struct], at: str) -> Iterator[FieldError]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        if name in raw:
            yield from _mistakes(raw[name], field.type, f"{at}/{_escaped(name)}")
        elif field.required:
            yield FieldError(at=f"{at}/{_escaped(name)}", why="is missing")
    if struct.__struct_config__.forbid_unknown_fields:
        for name in raw.keys() - fields.keys():
            yield FieldError(at=f"{at}/{_escaped(str(name))}", why="there is no such field")


def _without_none(kind: Any) -> Any:
    """Look through `Annotated[…]` and `… | None` at what is inside."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
            continue
        if get_origin(kind) not in (Union, UnionType):
            return kind
        inner = [one for one in get_args(kind) if one not in (type(None), msgspec.UnsetType)]
        if len(inner) != 1:
            return kind
        kind = inner[0]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def unstorable(raw: Any) -> Iterator[FieldError]:
    """Find what JSON and MessagePack can say but no column can keep."""
    waiting = [("", raw, 0)]
    while waiting:
        at, one, depth = waiting.pop()
        if depth > DEEPEST:
            yield FieldError(at=at, why="is nested too deeply")
        elif isinstance(one, dict):
            for name, inner in one.items():
                if isinstance(name, str) and "\0" not in name:
                    waiting.append((f"{at}/{_escaped(name)}", inner, depth + 1))
                else:
                    yield FieldError(at=at, why="the names of fields must be text without the character U+0000")
        elif isinstance(one, list):
            waiting += [(f"{at}/{index}", inner, depth + 1) for index, inner in enumerate(one) if not _is_plain(inner)]
        elif (why := _why_unstorable(one)) is not None:
            yield FieldError(at=at, why=why)


def _why_unstorable(one: Any) -> str | None:
    """Say why a value with nothing inside cannot be kept; None: it can."""
    if isinstance(one, str):
        return "must not contain the character U+0000" if "\0" in one else None
    if isinstance(one, (int, float)):
        return None if _is_plain(one) else "must be a number that is finite and not huge"
    if one is None or isinstance(one, datetime):
        return None
    return "must be text, a number, true, false, null, a list or an object"


def _is_plain(one: Any) -> bool:
    """Tell whether it is a number that can be kept; a long path is a long list of them."""
    return (type(one) is float and math.isfinite(one)) or (isinstance(one, int) and -(2**63) < one < 2**63)
