"""What a page's form sends: read within the limits of a form, and the share of whoever sends it."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from urllib.parse import parse_qs

from aiohttp import web

from api.http.problem import BadRequest
from api.http.read.limited import read_limited

MOST_BYTES = 20_000
MOST_FIELDS = 40

Typed: TypeAlias = Mapping[str, Sequence[str]]
"""What was typed, by field."""


async def read_form(request: web.Request) -> Typed:
    """Read the body of a form.

    Raises:
        BadRequest: no form of ours sends that.
        TooLarge, Unavailable, TooManyRequests: as `read_limited` does.
    """
    try:
        return parse_qs(
            (await read_limited(request, MOST_BYTES)).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise BadRequest("This is not what the form of this page sends.") from error


def first(typed: Typed, name: str) -> str:
    """Give what was typed into a field; empty for nothing."""
    return next(iter(typed.get(name, ())), "")
