"""What a recipient said by the link, shown back to them: nothing a stranger with the link could use at the door."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from api.http.app_keys import POOL
from api.recipient.stream import link_in
from api.tracking_page.respond import filled
from sql.portal.ratings import find_stars
from sql.portal.stops import find_stop, find_wish, told_changes

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWords:
    """Something that was heard.

    Attributes:
        told: the driver's phone has it; None: it is not for the driver.
    """

    text: str
    told: bool | None


async def heard_of(request: web.Request, t: Mapping[str, Any]) -> list[HeardWords]:
    """Read what was said by the link in the path; digits are hidden: they may be the code of a door."""
    stop = await find_stop(request.app[POOL], link_in(request))
    if stop is None:
        return []
    wish, rated = await find_wish(request.app[POOL], stop.id), await find_stars(request.app[POOL], stop.id)
    told = await told_changes(request.app[POOL], stop.id)
    said: dict[str, dict[str, object] | None] = {
        "instructions": {"said": _hidden(wish.instructions)} if wish.instructions else None,
        "safe-place": {"said": _hidden(wish.safe_place)} if wish.safe_place else None,
        "neighbour": {"said": wish.neighbour_name.split()[0]} if wish.neighbour_name else None,  # nobody asked them
        **{name: {} for name in ("contact", "slot", "pickup-point", "address") if name in told},
        "pin-drop": {"metres": round(wish.door_m)} if wish.door_m is not None else None,
    }
    heard = [
        HeardWords(text=filled(t["change"][name]["heard"], **values), told=told.get(name, False))
        for name, values in said.items()
        if values is not None
    ]
    if rated:
        heard.append(HeardWords(text=filled(t["change"]["rating"]["heard"], said=rated[0]), told=None))
    return heard


async def slot_of(request: web.Request) -> tuple[datetime, datetime] | None:
    """Give the time that was chosen by the link in the path; None: none was."""
    stop = await find_stop(request.app[POOL], link_in(request))
    wish = None if stop is None else await find_wish(request.app[POOL], stop.id)
    return (wish.slot_start, wish.slot_end) if wish and wish.slot_start and wish.slot_end else None


def _hidden(text: str) -> str:
    return _DIGIT.sub("•", text)
