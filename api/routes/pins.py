"""PINs: four digits that a recipient tells the driver at the door, so that both were there.

A PIN is derived, never stored: HMAC-SHA256 of the installation's secret over the stop and a generation. Guesses are
counted (docs/reference/stop-states.md).
"""

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Conflict, NotFound
from sql.account.accounts import read_instance
from sql.delivery import pins
from work.links import pin_of as pin_of
from work.messages.notices import note_stops

operations = Operations("stops")


class Pin(Struct, frozen=True, kw_only=True):
    """The PIN of a stop that counts now."""

    stop_id: str
    pin: str


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
        await note_stops(
            db,
            "pin",
            account_id=caller_of(request).account_id,
            route_id=found.route_id,
            stop_ids=[stop_id],
            data={},
            now=now_of(request),
        )
    shown = Pin(stop_id=ids.shown(ids.STOP, stop_id), pin=pin_of(secret, stop_id, generation))
    return answer(request, shown, headers={"Cache-Control": "no-store"})
