"""The audit log, read: who did what to which thing, when and from where."""

from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, Micros, cursor_in, cut, limit_in, micros_of, time_of
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.times import time_in
from sql.desk.audit import AuditFilter, AuditRow, list_entries

operations = Operations("audit")

_TIME = {"type": "string", "format": "date-time"}
_NEWEST = (2**52, 2**63 - 1)  # in 2112


class AuditEntry(Struct, frozen=True, kw_only=True):
    """Something that somebody did, by an API key or signed in; by neither: whoever runs the machine, or a `rule`.

    Attributes:
        user_email: null once they are gone.
        thing: what the path named, and the `id` of what was made.
        address: of the network; an IPv6 address stands for its household. Empty: the command line.
        before, after: what was changed, where that is little; null: not kept.
    """

    id: str
    at: datetime
    user_id: str | None
    user_email: str | None
    key_id: str | None
    key_label: str | None
    operation: str
    thing: dict[str, str]
    address: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditPage(Struct, frozen=True, kw_only=True):
    """Entries, the newest first."""

    entries: list[AuditEntry]
    next: str | None


@operations.operation(
    "GET",
    "/v1/audit",
    who=Who.ADMIN,
    answer=AuditPage,
    query=(
        *PAGING,
        Parameter(name="user", description="Only what this user did, by their id."),
        Parameter(name="key", description="Only what was done by this API key, by its id."),
        Parameter(name="operation", description="Only this operation, like `PUT /v1/routes/{route}`."),
        Parameter(name="thing", description="Only what was done to this thing, named as the path named it, or made."),
        Parameter(name="from", description="Only from this time on.", schema=_TIME),
        Parameter(name="to", description="Only before this time.", schema=_TIME),
    ),
)
async def list_audit(request: web.Request) -> web.Response:
    """List what was changed by whom. Entries are only added; they go with their retention."""
    limit, (before, id_before) = limit_in(request), cursor_in(request, tuple[Micros, Id]) or _NEWEST
    only = AuditFilter(
        person_id=_number_in(request, "user", ids.USER),
        key_id=_number_in(request, "key", ids.KEY),
        operation=_text_in(request, "operation"),
        thing=_text_in(request, "thing"),
        since=time_in(request, "from"),
        until=time_in(request, "to"),
    )
    account_id, begin = caller_of(request).account_id, (time_of(before), id_before)
    rows = await list_entries(request.app[POOL], account_id, only, before=begin, limit=limit + 1)
    page, following = cut(rows, limit, lambda row: (micros_of(row.at), row.id))
    return answer(request, AuditPage(entries=[_shown(row) for row in page], next=following))


def _number_in(request: web.Request, name: str, prefix: str) -> int | None:
    text = request.query.get(name, "")
    number = ids.number_of(prefix, text) if text else None
    if text and number is None:
        refuse([FieldError(at=name, why=f"must be an id like {prefix}7")])
    return number


def _text_in(request: web.Request, name: str) -> str | None:
    """Read a parameter; what no column can keep is found nowhere, so it counts as any text that is not there."""
    return request.query.get(name, "").replace("\0", "") or None


def _shown(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=ids.shown(ids.AUDIT, row.id),
        at=row.at,
        user_id=ids.shown_or_none(ids.USER, row.person_id),
        user_email=row.email,
        key_id=ids.shown_or_none(ids.KEY, row.key_id),
        key_label=row.key_label,
        operation=row.operation,
        thing=row.thing,
        address=row.address,
        before=row.before,
        after=row.after,
    )
