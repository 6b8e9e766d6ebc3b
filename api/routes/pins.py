"""PINs: four digits that a recipient tells the driver at the door, so that both were there.

A PIN is derived, never stored: HMAC-SHA256 of the installation's secret over the stop and a generation. Guesses are
counted (docs/reference/stop-states.md).
"""

import hmac

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from sql.account.accounts import read_instance
from sql.delivery import pins
from sql.feed.outbox import send_again

operations = Operations("stops")


class Pin(Struct, frozen=True, kw_only=True):
    """The PIN of a stop that counts now."""

    stop_id: str
    pin: str


def pin_of(secret: bytes, stop_id: int, generation: int) -> str:
    """Derive the PIN of a stop."""
    mac = hmac.digest(secret, b"reparto pin %d %d" % (stop_id, generation), "sha256")
    return f"{int.from_bytes(mac[:8]) % 10_000:04d}"


@operations.operation("POST", "/v1/stops/{stop}/pin/rotate", who=Who.DISPATCHER, answer=Pin)
async def rotate_pin(request: web.Request) -> web.Response:
    """Give a stop another PIN.

    The one before counts no more, and guesses are counted anew. The recipient sees the new one on the tracking page;
    who had been sent the old one is sent the new one.
    """
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    async with request.app[POOL].acquire() as db, db.transaction():
        found = await pins.stop_with_pin(db, account_id=caller_of(request).account_id, stop_id=stop_id)
        if found is None:
            raise NotFound("There is no stop of this id.")
        if not found.asks_pin:
            raise Conflict("This stop asks for no PIN.")
        secret = (await read_instance(db)).secret
        generation = found.pin_generation + 1
        while pin_of(secret, stop_id, generation) == pin_of(secret, stop_id, found.pin_generation):
            generation += 1  # one time in ten thousand the next one is the same
        await pins.replace_pin(db, stop_id=stop_id, generation=generation)
        await send_again(db, stop_id=stop_id, kind="pin")
    shown = Pin(stop_id=ids.shown(ids.STOP, stop_id), pin=pin_of(secret, stop_id, generation))
    return answer(request, shown, headers={"Cache-Control": "no-store"})
