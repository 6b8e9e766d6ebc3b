"""What a recipient said by the link, shown back to them: nothing a stranger with the link could use at the door."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from api.http.app_keys import POOL
from api.recipient.stream import link_in
from api.tracking_page.respond import filled
from sql.portal.ratings import find_stars
from sql.portal.stops import LastChange, WishRow, find_stop, find_wish, last_changes

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWords:
    """Something that was heard, by which change.

    Attributes:
        told: the driver's phone has it; None: it is not for the driver.
    """

    change: str
    text: str
    told: bool | None


async def heard_of(request: web.Request, t: Mapping[str, Any]) -> list[HeardWords]:
    """Read what was said by the link in the path; digits are hidden: they may be the code of a door."""
    stop = await find_stop(request.app[POOL], link_in(request))
    if stop is None:
        return []
    wish, rated = await find_wish(request.app[POOL], stop.id), await find_stars(request.app[POOL], stop.id)
    last = await last_changes(request.app[POOL], stop.id)
    heard = [
        HeardWords(change=name, text=text, told=last[name].told if name in last else False)
        for name, text in _said(wish, last, t["change"])
        if text
    ]
    if rated:
        said = filled(t["change"]["rating"]["heard"], said=rated[0])
        heard.append(HeardWords(change="rating", text=said, told=None))
    return heard


def _said(wish: WishRow, last: Mapping[str, LastChange], t: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say what was said by which change; empty: nothing of that kind."""
    values: dict[str, object] = {
        "instructions": wish.instructions and _hidden(wish.instructions),
        "safe-place": wish.safe_place and _hidden(wish.safe_place),
        "neighbour": wish.neighbour_name and wish.neighbour_name.split()[0],  # nobody asked them
    }
    yield "away", t["away"]["heard"] if wish.away else ""
    for name, said in values.items():
        yield name, filled(t[name]["heard"], said=said) if said else ""
    for name in ("contact", "slot", "pickup-point"):
        yield name, t[name]["heard"] if name in last else ""
    if "address" in last:
        yield "address", t["address"]["heard" if last["address"].state == "applied" else last["address"].state]
    if wish.door_m is not None:
        state = last["pin-drop"].state if "pin-drop" in last else "proposed"
        yield "pin-drop", filled(t["pin-drop"].get(state, t["pin-drop"]["heard"]), metres=round(wish.door_m))


async def slot_of(request: web.Request) -> tuple[datetime, datetime] | None:
    """Give the time that was chosen by the link in the path; None: none was."""
    stop = await find_stop(request.app[POOL], link_in(request))
    wish = None if stop is None else await find_wish(request.app[POOL], stop.id)
    return (wish.slot_start, wish.slot_end) if wish and wish.slot_start and wish.slot_end else None


def _hidden(text: str) -> str:
    return _DIGIT.sub("•", text)
