"""Who may sign in at the account, and which programs may ask: seen and changed by admins."""

from collections.abc import Mapping
from typing import get_args

from aiohttp import web

from api.account.keys import RoleName
from api.desk.pages import LANG
from api.desk.users import UserRole
from api.desk_page.settings.frame import ALSO, MOST_SHOWN, NOT_ADMINS, day, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import Role
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account import drivers, keys
from sql.desk import links, people
from sql.desk.people import Member

operations = Operations("desk")


@operations.operation("GET", "/desk/settings/users", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_users_page(request: web.Request, looker: Looker) -> web.Response:
    """Show who may sign in, and who is invited."""
    pool, account_id, t = request.app[POOL], looker.caller.account_id, desk_texts(looker.language)
    members = await people.list_members(pool, account_id, after=0, limit=MOST_SHOWN + 1)
    invited = await links.list_invitations(pool, account_id, after=0, limit=MOST_SHOWN + 1)
    working = await drivers.list_drivers(pool, account_id=account_id, after=0, limit=MOST_SHOWN)
    name_of = {one.id: one.name or one.external_id for one in working}
    is_owner = looker.caller.role is Role.OWNER
    role_words = looker.words["role"]
    return settings_page(
        request,
        looker,
        "users.html",
        title="users_title",
        users=[_user(looker, one, name_of) for one in members[:MOST_SHOWN]],
        invited=[
            {
                "id": ids.shown(ids.INVITATION, one.id),
                "email": one.email,
                "role": role_words[one.role or ""],
                "driver": name_of.get(one.driver_id or 0, ""),
                "until": day(looker, one.expires_at),
            }
            for one in invited[:MOST_SHOWN]
        ],
        more=t["settings_more"].format(most=MOST_SHOWN) if max(len(members), len(invited)) > MOST_SHOWN else "",
        roles=[(role, role_words[role]) for role in get_args(UserRole) if role != "owner" or is_owner],
        drivers=[{"id": ids.shown(ids.DRIVER, one.id), "name": name_of[one.id]} for one in working],
    )


def _user(looker: Looker, one: Member, name_of: Mapping[int, str]) -> dict[str, object]:
    t = desk_texts(looker.language)
    return {
        "id": ids.shown(ids.USER, one.id),
        "email": one.email,
        "name": one.name,
        "role": one.role,
        "driver_id": ids.shown_or_none(ids.DRIVER, one.driver_id),
        "driver": name_of.get(one.driver_id or 0, ""),
        "is_me": one.id == looker.caller.person_id,
        "is_kept": one.role == "owner" and looker.caller.role is not Role.OWNER,
        "used": day(looker, one.last_used_at, t["me_never"]),
        "state": t["users_first"] if not one.has_password else t["users_codes"] if one.has_totp else "",
    }


@operations.operation("GET", "/desk/settings/keys", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_keys_page(request: web.Request, looker: Looker) -> web.Response:
    """Show which programs may ask."""
    pool, t, role_words = request.app[POOL], desk_texts(looker.language), looker.words["role"]
    rows = await keys.list_keys(pool, looker.caller.account_id)
    return settings_page(
        request,
        looker,
        "keys.html",
        title="keys_title",
        keys=[
            {
                "id": ids.shown(ids.KEY, one.id),
                "label": one.label or ids.shown(ids.KEY, one.id),
                "role": role_words[one.role],
                "made": day(looker, one.created_at),
                "used": day(looker, one.last_used_at, t["me_never"]),
                "until": day(looker, one.expires_at, t["keys_always"]),
                "is_over": one.expires_at is not None and one.expires_at <= looker.now,
            }
            for one in rows
        ],
        tomorrow=f"{looker.now:%Y-%m-%d}",
        roles=[(role, role_words[role]) for role in get_args(RoleName)],
    )
