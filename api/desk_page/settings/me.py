"""What somebody sets for themselves: name, password, codes of a phone, passkeys."""

from aiohttp import web

from api.desk.pages import LANG
from api.desk.passwords import LONGEST, SHORTEST
from api.desk_page.settings.frame import day, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.desk import passkeys, people

operations = Operations("desk")


@operations.operation(
    "GET",
    "/desk/settings/me",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the desk."},
)
@for_people(but=frozenset())
async def get_own_settings(request: web.Request, looker: Looker) -> web.Response:
    """Show whoever is signed in how they sign in, and let them change it."""
    pool, t, person_id = request.app[POOL], desk_texts(looker.language), looker.caller.person_id
    assert person_id is not None
    person = await people.person_by_id(pool, person_id)
    return settings_page(
        request,
        looker,
        "me.html",
        title="me_title",
        by_provider=looker.caller.by_provider,
        person={"name": person.name, "totp": person.has_totp},
        passkeys=[
            {
                "id": ids.shown(ids.PASSKEY, row.id),
                "name": row.name,
                "made": day(looker, row.created_at),
                "used": day(looker, row.last_used_at, t["me_never"]),
            }
            for row in await passkeys.list_passkeys(pool, person_id)
        ],
        shortest=SHORTEST,
        longest=LONGEST,
    )
