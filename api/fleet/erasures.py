"""Erasing a person who asks for it: a driver, or a recipient by phone or e-mail."""

import logging
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from api.fleet.drivers import take_out
from api.http import ids
from api.http.app_keys import POOL, PROOFS
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from sql.operate import erasure
from sql.operate.erasure import ErasureRow, FoundOfRecipient, Named
from sql.operate.planning import orders_of_contact, orders_of_stops
from sql.pool import Db, is_away
from work.away import Away
from work.erasure.erase import erase

log = logging.getLogger(__name__)

operations = Operations("erasures")

_WITHIN_S = 10.0
"""Who asks waits no longer; `work` goes on."""

_JOB_AFTER_S = 60.0
"""`work` goes on with one whose request has ended; until then the request is at it."""

_MOST_STOPS = 10_000
"""Of one contact; asked again, the next ones go."""

_FEWEST_DIGITS = 6
"""A shorter number would name many people."""

_ID = "er_"


class NewErasure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to erase; exactly one of these.

    Attributes:
        contact: phone or e-mail of a recipient, as routes had it; of a phone only the digits count.
        stop: the recipient of one stop.
        driver: id or external id; by id also one that was deleted.
    """

    contact: Annotated[str, Meta(min_length=1, max_length=320)] | None = None
    stop: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    driver: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class Erasure(Struct, frozen=True, kw_only=True):
    """A certificate.

    Attributes:
        status: `running` while `work` goes on with it.
        erased: class of data to how many things.
        remains: the same of what stays: numbers without persons.
    """

    id: str
    of: Literal["driver", "recipient"]
    status: Literal["running", "done"]
    asked_at: datetime
    done_at: datetime | None
    erased: dict[str, int]
    remains: dict[str, int]


@operations.operation("POST", "/v1/erasures", who=Who.ADMIN, body=NewErasure, answer=Erasure, status=201)
async def post_erasure(request: web.Request) -> web.Response:
    """Erase a driver or a recipient.

    Everything that tells of the person goes at once; what stays are numbers without persons. A large one is gone on
    with after the answer, whose `status` is `running` then: read it again. A driver is taken out of the account as by
    `DELETE`. Asked again it erases what came since.
    """
    new = await read_body(request, NewErasure)
    refuse(_mistakes(new))
    pool = request.app[POOL]
    if new.driver is not None:
        erasure_id = await _begin_driver(request, new.driver)
    else:
        async with pool.acquire() as db, db.transaction():
            erasure_id = await _begin_recipient(db, request, new)
    try:
        row = await erase(pool, request.app[PROOFS], erasure_id, within_s=_WITHIN_S)
    except Exception as error:
        if not (isinstance(error, Away) or is_away(error)):
            raise
        log.warning("erasure %d waits: %s", erasure_id, type(error).__name__)
        found = await erasure.find(pool, erasure_id)
        assert found is not None
        row = found
    return answer(request, _shown(row), status=201, headers={"Cache-Control": "no-store"})


@operations.operation("GET", "/v1/erasures/{erasure}", who=Who.ADMIN, answer=Erasure)
async def get_erasure(request: web.Request) -> web.Response:
    """Read the certificate of an erasure."""
    erasure_id = ids.id_in_path(request, "erasure", _ID)
    row = await erasure.find(request.app[POOL], erasure_id, account_id=caller_of(request).account_id)
    if row is None:
        raise NotFound("There is no erasure of this id.")
    return answer(request, _shown(row))


def _mistakes(new: NewErasure) -> list[FieldError]:
    if sum(one is not None for one in (new.contact, new.stop, new.driver)) != 1:
        return [FieldError(at="", why="must name exactly one of contact, stop and driver")]
    if new.contact is not None and "@" not in new.contact:
        digits = sum(one in "0123456789" for one in new.contact)
        if digits < _FEWEST_DIGITS:
            why = f"must be an e-mail address, or a phone number of {_FEWEST_DIGITS} digits or more"
            return [FieldError(at="/contact", why=why)]
    return []


async def _begin_driver(request: web.Request, name: str) -> int:
    caller = caller_of(request)
    number = ids.number_of(ids.DRIVER, name)
    pool = request.app[POOL]
    async with pool.acquire() as db:
        driver = await erasure.driver_to_erase(
            db, account_id=caller.account_id, driver_id=number, external_id=None if number else name
        )
        if driver is None:
            raise NotFound("There is no such driver.")
    await take_out(request, driver)
    async with pool.acquire() as db:
        return await erasure.begin(
            db,
            account_id=caller.account_id,
            asked_by=(caller.key_id, caller.person_id),
            driver_id=driver.id,
            again_s=_JOB_AFTER_S,
        )


async def _begin_recipient(db: Db, request: web.Request, new: NewErasure) -> int:
    caller = caller_of(request)
    if new.contact is not None:
        contact = new.contact.strip()
        found = await erasure.stops_of_contact(db, account_id=caller.account_id, contact=contact, at_most=_MOST_STOPS)
        orders = await orders_of_contact(db, account_id=caller.account_id, contact=contact, at_most=_MOST_STOPS)
    else:
        contact = ""
        number = ids.number_of(ids.STOP, new.stop or "")
        found = [] if number is None else await erasure.stop_by_id(db, account_id=caller.account_id, stop_id=number)
        if not found:
            raise NotFound("There is no such stop.")
        orders = await orders_of_stops(db, [number or 0])
    return await erasure.begin(
        db,
        account_id=caller.account_id,
        asked_by=(caller.key_id, caller.person_id),
        recipient=FoundOfRecipient(
            stop_ids=[one.id for one in found],
            order_ids=[one.id for one in orders],
            words=_words(contact, found, orders),
        ),
        again_s=_JOB_AFTER_S,
    )


def _words(contact: str, found: list[Named], orders: list[Named]) -> list[str]:
    """What names them: short words would be found in what others sent."""
    words = {contact, *(word for one in (*found, *orders) for word in one.words)}
    words |= {ids.shown(ids.STOP, one.id) for one in found}
    return sorted(word for word in words if len(word) >= _FEWEST_DIGITS)


def _shown(row: ErasureRow) -> Erasure:
    return Erasure(
        id=ids.shown(_ID, row.id),
        of="recipient" if row.driver_id is None else "driver",
        status="running" if row.done_at is None else "done",
        asked_at=row.asked_at,
        done_at=row.done_at,
        erased=dict(row.erased),
        remains=dict(row.remains),
    )
