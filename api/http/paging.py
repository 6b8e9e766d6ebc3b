"""Lists in pages: an opaque cursor out, the same cursor in.

A cursor holds the sort key of the last thing shown, so a page never repeats or skips what was there all the time.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
from aiohttp import web

from api.http.app_keys import CONFIG
from api.http.operation import Parameter
from api.http.problem import FieldError, Invalid

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A number in a cursor, as Postgres can take it."""

Micros: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**55)]
"""A time in a cursor: microseconds since 1970, until some year that `datetime` and Postgres have."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

DEFAULT_PAGE = 100

T = TypeVar("T")

PAGING = (
    Parameter(name="cursor", description="`next` of the page before; none for the first page."),
    Parameter(
        name="limit",
        description=f"Things on a page; {DEFAULT_PAGE} unless given.",
        schema={"type": "integer", "minimum": 1},
    ),
)
"""The query parameters that every list takes."""


def micros_of(time: datetime) -> int:
    """Write a time from 1970 on for a cursor."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(micros: int) -> datetime:
    """Read a time of a cursor."""
    return _EPOCH + micros * _MICROSECOND


def cursor_of(*key: Any) -> str:
    """Write the sort key of the last thing on a page as a cursor."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).rstrip(b"=").decode()


def cut(rows: Sequence[T], limit: int, key: Callable[[T], tuple[Any, ...]]) -> tuple[Sequence[T], str | None]:
    """Make a page of rows of which one more was asked for than it holds; the cursor is None on the last page.

    Args:
        key: gives the sort key of a row.
    """
    page = rows[:limit]
    return page, cursor_of(*key(page[-1])) if len(rows) > limit else None


def cursor_in(request: web.Request, kind: Any) -> Any:
    """Read `?cursor=` as a value of a tuple type; None for the first page.

    Raises:
        Invalid: it is not a cursor that this list gave.
    """
    text = request.query.get("cursor", "")
    if not text:
        return None
    try:
        packed = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=kind)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError) as error:
        raise Invalid(
            "This cursor is not one of this list.",
            errors=[FieldError(at="cursor", why="must be `next` of an earlier page of the same list")],
        ) from error


def limit_in(request: web.Request, most: int | None = None) -> int:
    """Read `?limit=`; `most` is the setting REPARTO_MAX_PAGE when None.

    Raises:
        Invalid: it is not a number from 1 to `most`.
    """
    most = most or request.app[CONFIG].max_page
    text = request.query.get("limit", "")
    if not text:
        return min(DEFAULT_PAGE, most)
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise Invalid("The limit is not usable.", errors=[FieldError(at="limit", why=f"must be from 1 to {most}")])
    return int(text)
