"""What is in quarantine, put to use: mended if need be, and taken as if the phone sent it now."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from aiohttp import web

from api.http.app_keys import CONFIG, POOL
from api.http.auth import caller_of
from api.http.ids import QUARANTINED, id_in_path, shown
from api.http.media import answer, parse
from api.http.operation import Operations, Who
from api.http.problem import Conflict, FieldError, Invalid, NotFound
from api.http.read.limited import read_limited
from sql.account.devices import DeviceRow, find_device
from sql.inbox.quarantine import ListedQuarantined, find_quarantined, forget_quarantined

operations = Operations("quarantine")


class RejectedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One that cannot be used as it is: its place in the list, and the word for why (docs/reference/refusals.md)."""

    index: int
    why: str


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an entry: with nothing rejected it is no longer in quarantine."""

    id: str
    applied: int
    rejected: list[RejectedItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToApply:
    """What is to be used.

    Attributes:
        device: whose it is.
        items: pings or events as a phone would send them; None: as the tracker set it aside.
        body: what is in quarantine.
        received_at: when it came; ages are counted from then.
    """

    device: DeviceRow
    items: list[Any] | None
    body: bytes = field(repr=False)
    received_at: datetime


Applier: TypeAlias = Callable[[web.Application, ToApply], Awaitable[Applied]]
"""Takes what is to be used, and gives how many, and which not; `id` is of nobody's concern to it."""

APPLIERS: web.AppKey[Mapping[str, Applier]] = web.AppKey("appliers")
"""By source of an entry; "" for pings, through whatever door they came."""

_SET_ASIDE = frozenset({"ended-the-tracker", "broke-the-fold"})

_BODY = {"application/json": {"description": "The corrected item, `{…}`, or a list of them, `[…]`; or nothing."}}


@operations.operation("POST", "/v1/quarantine/{entry}/apply", who=Who.ADMIN, answer=Applied, takes=_BODY)
async def apply_quarantined(request: web.Request) -> web.Response:
    """Use what is in quarantine after all.

    Without a body it is taken as it was sent: pings that a tracker set aside, an event about a stop that is there now.
    With one, what is sent counts in its place: a ping or an event as a phone would send it, a list of them, or
    `{"pings": […]}` or `{"events": […]}`. Applied twice it is stored once. An entry of which
    nothing is rejected is gone.
    """
    entry = await _entry(request)
    device = await _device(request, entry)
    corrected = await _corrected(request)
    items = corrected if corrected is not None else _as_sent(entry)
    to_apply = ToApply(device=device, items=items, body=entry.body, received_at=entry.received_at)
    appliers = request.app[APPLIERS]
    done = await appliers.get(entry.source, appliers[""])(request.app, to_apply)
    if not done.rejected:
        await forget_quarantined(request.app[POOL], account_id=device.account_id, entry_id=entry.id)
    return answer(request, Applied(id=shown(QUARANTINED, entry.id), applied=done.applied, rejected=done.rejected))


async def _entry(request: web.Request) -> ListedQuarantined:
    entry_id = id_in_path(request, "entry", QUARANTINED)
    entry = await find_quarantined(request.app[POOL], account_id=caller_of(request).account_id, entry_id=entry_id)
    if entry is None:
        raise NotFound("There is no entry of this id in the quarantine.")
    return entry


async def _device(request: web.Request, entry: ListedQuarantined) -> DeviceRow:
    device = None
    if entry.device_id is not None:
        account_id = caller_of(request).account_id
        device = await find_device(request.app[POOL], account_id=account_id, device_id=entry.device_id)
    if device is None:
        raise Conflict("The driver or the device that sent this is not there any more; it cannot be applied.")
    return device


async def _corrected(request: web.Request) -> list[Any] | None:
    """Read the items that count in place of what was sent; None: there is no body."""
    content = await read_limited(request, request.app[CONFIG].max_body_bytes) if request.can_read_body else b""
    if not content.strip():
        return None
    return _listed(parse(request.content_type, content, Any))


def _listed(raw: Any) -> list[Any]:
    """Give the items of whatever they are wrapped in."""
    if isinstance(raw, dict):
        raw = next((raw[name] for name in ("pings", "events", "item") if name in raw), raw)
    return raw if isinstance(raw, list) else [raw]


def _as_sent(entry: ListedQuarantined) -> list[Any] | None:
    """Give the items of an entry as they were sent; None for what a tracker set aside.

    Raises:
        Invalid: they cannot be read, or were cut.
    """
    if entry.source == "tracker" and entry.reason in _SET_ASIDE:
        return None
    try:
        return _listed(msgspec.json.decode(entry.body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        why = "send the corrected pings or events here: what is in quarantine cannot be read, or was cut"
        raise Invalid("This cannot be applied as it is.", errors=[FieldError(at="", why=why)]) from None
