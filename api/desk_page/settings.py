"""What somebody sets for themselves: name, password, codes of a phone, passkeys. Its forms ask the API."""

import msgspec
from aiohttp import web

from api.desk.pages import LANG, desk_language, desk_page
from api.desk.passwords import LONGEST, SHORTEST
from api.desk_page.who import who_looks
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account.accounts import account_by_id
from sql.desk import passkeys, people

operations = Operations("desk")

_PROBLEMS = (
    *("stopped", "away", "conflict", "forbidden", "unauthorized"),
    *("invalid-fields", "second-factor-wrong", "too-many-requests"),
)
"""What the page says in its own words: types of problems, and what is none of the API's."""


@operations.operation(
    "GET",
    "/desk/settings/me",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the desk."},
)
async def get_own_settings(request: web.Request) -> web.Response:
    """Show whoever is signed in how they sign in, and let them change it."""
    language, caller, pool = desk_language(request), await who_looks(request), request.app[POOL]
    if caller is None or caller.person_id is None:
        return web.Response(status=303, headers={"Location": f"/desk?lang={language}", "Cache-Control": "no-store"})
    t, person = desk_texts(language), await people.person_by_id(pool, caller.person_id)
    rows = await passkeys.list_passkeys(pool, person.id)
    return desk_page(
        "me.html",
        language,
        has_scripts=True,
        t=dict(t),
        title=t["me_title"],
        account=(await account_by_id(pool, caller.account_id)).name,
        person={"email": person.email, "name": person.name, "totp": person.has_totp},
        passkeys=[
            {
                "id": ids.shown(ids.PASSKEY, row.id),
                "name": row.name,
                "made": f"{row.created_at:%Y-%m-%d}",
                "used": t["me_never"] if row.last_used_at is None else f"{row.last_used_at:%Y-%m-%d}",
            }
            for row in rows
        ],
        shortest=SHORTEST,
        longest=LONGEST,
        words=msgspec.json.encode({name: t[f"problem_{name}"] for name in _PROBLEMS}).decode().replace("<", "\\u003c"),
    )
