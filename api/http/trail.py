"""The audit log is written here: whoever declares an operation that changes something has an entry of it.

An operation that opens a transaction of its own notes it there, with what was before and is after. Of the others the
entry is written right after: an answer that says it is done is given only when the entry is on disk too.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import CHANGES_NOTHING, Caller, caller_of
from api.http.media import JSON
from api.http.who import address_of
from sql.desk.audit import AuditDeed, write_entry
from sql.pool import Db, Pool

_NOTED: web.RequestKey[bool] = web.RequestKey("noted", bool)

_NEVER_KEPT = frozenset({"token", "hook", "address"})
"""What paths name that is a right, or an address of a person."""


class _Made(msgspec.Struct):
    id: Any = None


async def note(
    request: web.Request,
    db: Db | Pool,
    *,
    caller: Caller | None = None,
    made: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the entry of a request, in the transaction of its change.

    Args:
        caller: who it was; None: whom the request was let in as.
        made: the id of what it made; None: nothing, or it is in the path.
        before, after: what was changed, where that is little. No secrets.
    """
    who = caller or caller_of(request)
    resource = request.match_info.route.resource
    named = {name: text for name, text in request.match_info.items() if name not in _NEVER_KEPT}
    deed = AuditDeed(
        account_id=who.account_id,
        key_id=who.key_id,
        person_id=who.person_id,
        operation=f"{request.method} {resource.canonical if resource else request.path}",
        thing=named | ({"id": made} if made else {}),
        address=address_of(request),
        before=before,
        after=after,
    )
    await write_entry(db, deed)
    request[_NOTED] = True


async def note_after(request: web.Request, response: web.StreamResponse) -> None:
    """Write the entry of a request that changed something, unless that was done with the change."""
    if request.method in CHANGES_NOTHING or response.status >= 400 or _NOTED in request:
        return
    await note(request, request.app[POOL], made=_made_in(response))


def _made_in(response: web.StreamResponse) -> str | None:
    """Read the id of what was made in the answer that says so."""
    body = response.body if isinstance(response, web.Response) and response.status == 201 else None
    if not isinstance(body, bytes) or response.content_type != JSON:
        return None
    try:
        made = msgspec.json.decode(body, type=_Made).id
    except msgspec.DecodeError:  # a list
        return None
    return made if isinstance(made, str) else None
