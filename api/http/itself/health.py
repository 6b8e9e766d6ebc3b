"""Whether this process lives, and whether it can serve: for load balancers and containers."""

import msgspec
from aiohttp import web

from api.http.app_keys import POOL
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import Unavailable
from sql.migrate import migrations
from sql.operate.health import ANSWERS_WITHIN_S, schema_version
from sql.pool import DATABASE_AWAY

operations = Operations("system")


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """All is well."""

    status: str


@operations.operation("GET", "/health/live", who=Who.ANYONE, answer=Health)
async def get_live(request: web.Request) -> web.Response:
    """Tell whether the process answers.

    It needs nothing else: a process that cannot reach its database is not mended by a restart.
    """
    return answer(request, Health(status="ok"))


@operations.operation("GET", "/health/ready", who=Who.ANYONE, answer=Health)
async def get_ready(request: web.Request) -> web.Response:
    """Tell whether requests can be served.

    The database answers and has every migration this program knows. A newer schema is as good: migrations are made to
    be safe under the release before them.
    """
    try:
        version = await schema_version(request.app[POOL])
    except DATABASE_AWAY as error:
        raise Unavailable(f"The database does not answer within {ANSWERS_WITHIN_S:.0f} s.") from error
    known = len(migrations())
    if version < known:
        raise Unavailable(f"The database is at migration {version} of {known}: run `reparto migrate`.")
    return answer(request, Health(status="ok"))
