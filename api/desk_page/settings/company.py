"""The identity provider of the account: seen and tried by admins, set by owners."""

from aiohttp import web

from api.desk.oidc.beginning import redirect_uri
from api.desk.pages import LANG
from api.desk_page.settings.frame import ALSO, NOT_ADMINS, settings_page
from api.desk_page.shown import Looker, for_people
from api.http.app_keys import POOL
from api.http.auth import Role
from api.http.host import public_url
from api.http.operation import Operations, Who
from sql.desk import oidc

operations = Operations("desk")


@operations.operation("GET", "/desk/settings/company", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_company_page(request: web.Request, looker: Looker) -> web.Response:
    """Show by which identity provider people sign in, with a way to try one before it counts."""
    provider = await oidc.provider_of(request.app[POOL], looker.caller.account_id)
    return settings_page(
        request,
        looker,
        "provider.html",
        title="settings_company",
        may_change=looker.caller.role is Role.OWNER,
        provider=None
        if provider is None
        else {
            "issuer": provider.issuer,
            "client_id": provider.client_id,
            "has_secret": provider.sealed is not None,
            "domains": list(provider.domains),
        },
        redirect_uri=redirect_uri(request),
        link=f"{public_url(request)}/desk",
    )
