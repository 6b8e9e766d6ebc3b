"""The company as recipients see it: name, logo, colour, languages; with a look at it before it counts."""

import re
import secrets
from typing import get_args

from aiohttp import web

from api.desk.pages import LANG, desk_page
from api.desk_page.settings.account import account_page
from api.desk_page.settings.fields import Fields
from api.desk_page.settings.frame import ALSO, NOT_ADMINS
from api.desk_page.shown import Looker, for_people
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from api.pages.catalog import desk_texts
from api.pages.colours import is_dark, legible
from sql.account.settings import AddressForm, Language, read_settings

operations = Operations("desk")

PREVIEW = "/desk/settings/brand/preview"

_COLOUR = re.compile("#[0-9a-f]{6}")
_LONGEST_BRAND = 60


@operations.operation("GET", "/desk/settings/brand", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_brand_page(request: web.Request, looker: Looker) -> web.Response:
    """Show how the company looks to recipients."""
    now, of = await read_settings(request.app[POOL], looker.caller.account_id), Fields(desk_texts(looker.language))
    fields = [
        of.make("brand", "text", now.brand, most=_LONGEST_BRAND),
        of.make("colours/primary", "color", now.colours.primary),
        of.make("languages", "order", now.languages, choices=of.choices("language", get_args(Language))),
        of.make("address_form", "choice", now.address_form, choices=of.choices("form", get_args(AddressForm))),
    ]
    return account_page(request, looker, "brand", fields, previews=PREVIEW, logo=now.logo)


@operations.operation(
    "GET",
    PREVIEW,
    who=Who.ANYONE,
    query=(
        LANG,
        Parameter(name="brand", description="Another name than the one that is kept."),
        Parameter(name="colours/primary", description="Another colour, as #rrggbb."),
    ),
    media=("text/html",),
    also=ALSO,
)
@for_people(but=NOT_ADMINS)
async def get_brand_preview(request: web.Request, looker: Looker) -> web.Response:
    """Show a recipient's card in the brand that is being typed; nothing of it is kept."""
    now, t = await read_settings(request.app[POOL], looker.caller.account_id), desk_texts(looker.language)
    colour = request.query.get("colours/primary", "")
    accent = colour if _COLOUR.fullmatch(colour) else now.colours.primary
    return desk_page(
        "brand_preview.html",
        looker.language,
        nonce=secrets.token_urlsafe(12),
        t=dict(t),
        title=t["brand_preview"],
        brand=request.query.get("brand", now.brand)[:_LONGEST_BRAND],
        logo=f"/logo/{now.logo}" if now.logo else "",
        accent=accent,
        on_accent="#fff" if is_dark(accent) else "#111",
        legible=legible(accent),
    )
