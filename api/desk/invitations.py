"""Invitations: a link by which somebody becomes a user of the account, once."""

import hashlib
from datetime import datetime
from typing import cast

from aiohttp import web
from msgspec import Struct

from api.desk.addresses import address_in
from api.desk.session import GivenEmail, can_mail
from api.desk.users import GivenDriver, UserRole, driver_to_be, may_give, noted_role
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.shares.attempts import DAY_S, admit_attempt
from api.http.trail import note
from sql.account.accounts import read_instance
from sql.desk import links, people
from sql.desk.links import DeskLink
from work.links import desk_token

operations = Operations("invitations")

A_DAY = 200
"""Invitations that an account makes at most: a firm that begins invites all of its people at once."""


class NewInvitation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to invite, and as what.

    Attributes:
        driver: of the role driver: whom they drive as, by either id; else null.
    """

    email: GivenEmail
    role: UserRole
    driver: GivenDriver | None = None


class Invitation(Struct, frozen=True, kw_only=True):
    """An invitation that nobody took yet; `driver_id`: whom it has them drive as, null: they are no driver."""

    id: str
    email: str
    role: UserRole
    driver_id: str | None
    created_at: datetime
    expires_at: datetime


class InvitationMade(Invitation, frozen=True, kw_only=True):
    """A new invitation.

    Attributes:
        link: to hand over, shown only this once; null: the account's mail server sends it.
    """

    link: str | None


class InvitationPage(Struct, frozen=True, kw_only=True):
    """Invitations, in the order of their ids."""

    invitations: list[Invitation]
    next: str | None


@operations.operation("POST", "/v1/invitations", who=Who.ADMIN, body=NewInvitation, answer=InvitationMade, status=201)
async def post_invitation(request: web.Request) -> web.Response:
    """Invite somebody; the link works once, for a week. An earlier invitation of the same address ends.

    Where [e-mail](messages-email.md) is switched on it goes to them by mail, else it is in the answer.
    """
    caller = caller_of(request)
    new = await read_body(request, NewInvitation)
    may_give(caller, new.role)
    driver_id = await driver_to_be(request, new.role, new.driver)
    email = address_in(new.email)
    if email is None:
        refuse([FieldError(at="/email", why="must be an e-mail address")])
    assert email is not None
    whose = hashlib.sha256(b"invitations %d" % caller.account_id).digest()
    await admit_attempt(request, whose, "invitation", A_DAY, window_s=DAY_S)
    async with request.app[POOL].acquire() as db, db.transaction():
        person = await people.find_person(db, email)
        if person is not None and await people.role_of(db, caller.account_id, person.id) is not None:
            raise Conflict("This person is a user of the account already.")
        is_mailed = await can_mail(db, caller.account_id)
        made = await links.make_link(
            db,
            account_id=caller.account_id,
            kind="invitation",
            email=email,
            makes=links.InvitedAs(new.role, driver_id),
            hours=links.INVITED_HOURS,
            is_mailed=is_mailed,
        )
        secret = (await read_instance(db)).secret
        made_id = ids.shown(ids.INVITATION, made.id)
        await note(request, db, made=made_id, after={"email": email} | noted_role(new.role, driver_id))
    link = None if is_mailed else f"{public_url(request)}/desk/link/{desk_token(secret, made.id)}"
    shown = InvitationMade(
        id=made_id,
        email=made.email,
        role=new.role,
        driver_id=ids.shown_or_none(ids.DRIVER, driver_id),
        created_at=made.created_at,
        expires_at=made.expires_at,
        link=link,
    )
    return answer(request, shown, status=201, headers={"Cache-Control": "no-store"})


@operations.operation("GET", "/v1/invitations", who=Who.ADMIN, query=PAGING, answer=InvitationPage)
async def list_invitations(request: web.Request) -> web.Response:
    """List the invitations that nobody took yet."""
    limit, (after,) = limit_in(request), cursor_in(request, tuple[Id]) or (0,)
    rows = await links.list_invitations(request.app[POOL], caller_of(request).account_id, after=after, limit=limit + 1)
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, InvitationPage(invitations=[_shown(row) for row in page], next=following))


@operations.operation("DELETE", "/v1/invitations/{invitation}", who=Who.ADMIN, status=204)
async def delete_invitation(request: web.Request) -> web.Response:
    """Take an invitation back; its link works no more."""
    link_id = ids.id_in_path(request, "invitation", ids.INVITATION)
    async with request.app[POOL].acquire() as db, db.transaction():
        ended = await links.end_invitation(db, caller_of(request).account_id, link_id)
        if ended is None:
            raise NotFound("There is no open invitation of this id.")
        email, role = ended
        await note(request, db, before={"email": email, "role": role})
    return web.Response(status=204)


def _shown(row: DeskLink) -> Invitation:
    return Invitation(
        id=ids.shown(ids.INVITATION, row.id),
        email=row.email,
        role=cast(UserRole, row.role),
        driver_id=ids.shown_or_none(ids.DRIVER, row.driver_id),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
