"""Who looks at a page of the desk."""

from aiohttp import web

from api.http.auth import Caller, Role, authorize, session_secret_of
from api.http.problem import Unauthorized


async def who_looks(request: web.Request) -> Caller | None:
    """Find out who is signed in in this browser; None: nobody."""
    if session_secret_of(request) is None:
        return None
    try:
        caller = await authorize(request, Role.VIEWER)
    except Unauthorized:
        return None
    return None if caller.person_id is None else caller
