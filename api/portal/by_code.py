"""What needs the code that went to the contact on file: who else may take it."""

from dataclasses import replace
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.read.bodies import read_body
from api.portal.change import ChangeAccepted, put_wish
from api.portal.step_up import CODE, stepped_up

operations = Operations("tracking")

_BLANK = r"\S"


class NeighbourBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who else may take it, and where they live."""

    name: Annotated[str, Meta(max_length=100, pattern=_BLANK)]
    address: Annotated[str, Meta(max_length=200, pattern=_BLANK)]


@operations.operation(
    "POST",
    "/v1/track/{token}/neighbour",
    who=Who.ANYONE,
    body=NeighbourBody,
    answer=ChangeAccepted,
    headers=(CODE,),
)
async def post_neighbour(request: web.Request) -> web.Response:
    """Say who else may take it. Needs a code. Not where something is to be paid."""
    await stepped_up(request, "neighbour")
    body = await read_body(request, NeighbourBody)
    name, address = body.name.strip(), body.address.strip()
    accepted = await put_wish(
        request, "neighbour", lambda _, wish: (replace(wish, neighbour_name=name, neighbour_address=address), {})
    )
    return answer(request, accepted)
