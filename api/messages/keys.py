"""What the operations on messages and webhooks need of the application."""

from aiohttp import web

from api.http.app_keys import POOL
from api.http.host import public_url
from sql.account.accounts import read_instance
from work.messages.words.render import Source


async def source_of(request: web.Request) -> Source:
    """Say where addresses in messages lead."""
    return Source(secret=(await read_instance(request.app[POOL])).secret, public_url=public_url(request))
