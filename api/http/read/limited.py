"""A whole body, read within its limit and within the share of whoever sends it."""

from codecs import BOM_UTF8

from aiohttp import web

from api.http.problem import BadRequest, TooLarge
from api.http.shares.bodies import BODIES, Pace


async def read_limited(request: web.Request, max_bytes: int) -> bytes:
    """Read the whole body, unpacked if it came compressed, without a byte order mark before it (RFC 8259, 8.1).

    Raises:
        TooLarge: it is (or unpacks to) more than `max_bytes`; no more than that is ever held.
        BadRequest: it breaks off or does not unpack.
        Unavailable: it comes too slowly, or all bodies together are too much now.
        TooManyRequests: those of whoever sends it are.
    """
    if (request.content_length or 0) > max_bytes:
        raise TooLarge(f"The body has {request.content_length} bytes; at most {max_bytes} are read.")
    parts: list[bytes] = []
    size = 0
    bodies = request.app[BODIES]
    pace = Pace(bodies.wait_s)
    holding = bodies.until_answered(request)
    try:
        while part := await pace.next(request.content):
            holding.take(len(part))
            size += len(part)
            if size > max_bytes:
                raise TooLarge(f"The body unpacks to more than {max_bytes} bytes.")
            parts.append(part)
    except web.RequestPayloadError as error:
        raise BadRequest("The body breaks off or its compression is damaged.") from error
    return b"".join(parts).removeprefix(BOM_UTF8)
