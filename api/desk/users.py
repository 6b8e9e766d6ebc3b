"""Users: the people of an account, and what each may do there."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias, cast

from aiohttp import web
from msgspec import Meta, Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import Caller, Role, caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, Forbidden, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import driver_named
from api.http.trail import note
from sql.desk import people, sessions
from sql.desk.people import Member
from sql.pool import Db

operations = Operations("users")

UserRole: TypeAlias = Literal["owner", "admin", "dispatcher", "support", "viewer", "driver"]

GivenDriver: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]


class UserChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another role.

    Attributes:
        driver: of the role driver: whom they drive as, by either id; else null.
    """

    role: UserRole
    driver: GivenDriver | None = None


class DeskUser(Struct, frozen=True, kw_only=True):
    """A member of the account.

    Attributes:
        driver_id: whom they drive as; null: they are no driver.
        state: invited: has not set a password yet.
        totp: a code of their phone is asked for when they sign in.
        last_used_at: when they last used a session in this account that is not over; null: there is none.
    """

    id: str
    email: str
    name: str
    role: UserRole
    driver_id: str | None
    state: Literal["active", "invited"]
    totp: bool
    created_at: datetime
    last_used_at: datetime | None


class UserPage(Struct, frozen=True, kw_only=True):
    """Members, in the order of their ids."""

    users: list[DeskUser]
    next: str | None


@operations.operation("GET", "/v1/users", who=Who.ADMIN, query=PAGING, answer=UserPage)
async def list_users(request: web.Request) -> web.Response:
    """List who may sign in at this account."""
    limit, (after,) = limit_in(request), cursor_in(request, tuple[Id]) or (0,)
    rows = await people.list_members(request.app[POOL], caller_of(request).account_id, after=after, limit=limit + 1)
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, UserPage(users=[_shown(row) for row in page], next=following))


@operations.operation("GET", "/v1/users/{user}", who=Who.ADMIN, answer=DeskUser)
async def get_user(request: web.Request) -> web.Response:
    """Read one of them."""
    person_id = ids.id_in_path(request, "user", ids.USER)
    async with request.app[POOL].acquire() as db:
        return answer(request, await _user(db, caller_of(request).account_id, person_id))


@operations.operation("PATCH", "/v1/users/{user}", who=Who.ADMIN, body=UserChange, answer=DeskUser)
async def patch_user(request: web.Request) -> web.Response:
    """Give somebody another role; it counts at once. Only owners make owners, and change what they are.

    Of a driver, `driver` says whom they drive as. 409 where the account would have no owner left.
    """
    caller, person_id = caller_of(request), ids.id_in_path(request, "user", ids.USER)
    change = await read_body(request, UserChange)
    may_give(caller, change.role)
    driver_id = await driver_to_be(request, change.role, change.driver)
    async with request.app[POOL].acquire() as db, db.transaction():
        role = await _hold(db, caller, person_id, still_owner=change.role == "owner")
        await people.set_role(db, caller.account_id, person_id, change.role, driver_id=driver_id)
        await note(request, db, before={"role": role}, after=noted_role(change.role, driver_id))
        user = await _user(db, caller.account_id, person_id)
    return answer(request, user)


@operations.operation("DELETE", "/v1/users/{user}", who=Who.ADMIN, status=204)
async def delete_user(request: web.Request) -> web.Response:
    """Take somebody out of the account, and sign them out of it at once; other accounts keep them.

    Who is in no other account is forgotten. 409 where the account would have no owner left.
    """
    caller, person_id = caller_of(request), ids.id_in_path(request, "user", ids.USER)
    async with request.app[POOL].acquire() as db, db.transaction():
        role = await _hold(db, caller, person_id, still_owner=False)
        await people.drop_member(db, caller.account_id, person_id)
        await note(request, db, before={"role": role})
    return web.Response(status=204)


@operations.operation("DELETE", "/v1/users/{user}/sessions", who=Who.ADMIN, status=204)
async def delete_user_sessions(request: web.Request) -> web.Response:
    """Sign somebody out of this account in all browsers, when a phone or a computer was lost.

    They may sign in again. Only owners sign out owners.
    """
    caller, person_id = caller_of(request), ids.id_in_path(request, "user", ids.USER)
    async with request.app[POOL].acquire() as db, db.transaction():
        await _hold(db, caller, person_id, still_owner=True)
        await sessions.end_sessions_there(db, caller.account_id, person_id)
        await note(request, db)
    return web.Response(status=204)


def may_give(caller: Caller, role: UserRole) -> None:
    """Make sure that the caller may make somebody this.

    Raises:
        Forbidden: only owners make owners.
    """
    if role == "owner" and caller.role < Role.OWNER:
        raise Forbidden("Only an owner, signed in, makes somebody an owner.")


async def driver_to_be(request: web.Request, role: UserRole, driver: str | None) -> int | None:
    """Find whom somebody of a role drives as; None: they are no driver.

    Raises:
        Invalid: a driver is named without the role or the role without one, or the account has none such.
    """
    if role != "driver":
        refuse([] if driver is None else [FieldError(at="/driver", why="is for the role driver alone")])
        return None
    row = await driver_named(request.app[POOL], caller_of(request).account_id, driver)
    if row is None:
        refuse([FieldError(at="/driver", why="must be one of the account's drivers")])
    assert row is not None
    return row.id


def noted_role(role: str, driver_id: int | None) -> dict[str, str]:
    """Say in the audit log what somebody is made."""
    return {"role": role} if driver_id is None else {"role": role, "driver_id": ids.shown(ids.DRIVER, driver_id)}


async def _hold(db: Db, caller: Caller, person_id: int, *, still_owner: bool) -> str:
    """Keep a member as they are until the transaction ends; give their role.

    Raises:
        NotFound: there is no such member.
        Forbidden: an owner, whom only owners change.
        Conflict: the last owner, who would be none any more.
    """
    await people.hold_members(db, caller.account_id)
    role = await people.role_of(db, caller.account_id, person_id)
    if role is None:
        raise NotFound("There is no user of this id.")
    if role == "owner" and caller.role < Role.OWNER:
        raise Forbidden("Only an owner, signed in, changes what an owner is.")
    if role == "owner" and not still_owner and not await people.other_owners(db, caller.account_id, person_id):
        raise Conflict("This is the last owner of the account; make somebody else one first.")
    return role


async def _user(db: Db, account_id: int, person_id: int) -> DeskUser:
    rows = await people.list_members(db, account_id, after=person_id - 1, limit=1)
    if not rows or rows[0].id != person_id:
        raise NotFound("There is no user of this id.")
    return _shown(rows[0])


def _shown(row: Member) -> DeskUser:
    return DeskUser(
        id=ids.shown(ids.USER, row.id),
        email=row.email,
        name=row.name,
        role=cast(UserRole, row.role),
        driver_id=ids.shown_or_none(ids.DRIVER, row.driver_id),
        state="active" if row.has_password else "invited",
        totp=row.has_totp,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
