"""What became of what a recipient reported or wants to return, and how they reach a person."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aiohttp import web

from api.pages.times import Manner
from api.tracking_page.asking import ask
from api.tracking_page.respond import filled


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCase:
    """A report or a return.

    Attributes:
        label: the address of what is stuck onto the parcel; empty for none.
        goes_on: where below the page it goes on, to answer or to take it back; empty: nowhere.
        go_on: what that link says.
    """

    id: str
    title: str
    state: str
    said: str
    label: str = ""
    goes_on: str = ""
    go_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """How a person is reached; what is empty is not there."""

    hours: str
    about: str
    tel: str
    whatsapp: str
    mail: str


async def cases_of(request: web.Request, manner: Manner, now: datetime, t: Mapping[str, Any]) -> list[ShownCase]:
    """Read what is open, and what came of what was."""
    tickets, returns = await ask(request, "tickets") or {}, await ask(request, "returns") or {}
    kinds = t["change"]["problem"]["choice"]
    shown = [
        ShownCase(
            id=one["id"],
            title=kinds.get(one["kind"], one["kind"]),
            state=_state(one, manner, now, t),
            said=_last_answer(one["entries"], t),
            goes_on=f"tickets/{one['id']}",
            go_on=t["answer"]["link"],
        )
        for one in tickets.get("tickets", ())
    ]
    return shown + [
        ShownCase(
            id=one["id"],
            title=t["case_return"],
            state=t["case_state"].get(one["state"], one["state"]),
            said=_of_return(one, t),
            label=one.get("label_url") or "",
            **_taken_back(one, t),
        )
        for one in returns.get("returns", ())
    ]


async def help_of(request: web.Request, manner: Manner, now: datetime, t: Mapping[str, Any]) -> Help | None:
    """Read how the company is reached; None: it does not say."""
    card = await ask(request, "contact")
    if not card:
        return None
    links = card["links"]
    hours = {True: t["help_open"], False: t["help_shut"], None: ""}[card["open_now"]]
    if card["opens_at"]:
        hours = filled(t["help_closed"], when=manner.moment(datetime.fromisoformat(card["opens_at"]), now))
    return Help(
        hours=hours,
        about=filled(t["help_about"], reference=card["reference"]),
        tel=links["tel"] or "",
        whatsapp=links["whatsapp"] or "",
        mail=links["mail"] or "",
    )


def _of_return(one: Mapping[str, Any], t: Mapping[str, Any]) -> str:
    """Say what the company said last, or when it is fetched."""
    if one["answer"]:
        return filled(t["case_company"], said=one["answer"])
    day = one["pickup"] and one["pickup"]["day"]
    if not day or one["state"] != "approved":
        return ""
    return filled(t["case_pickup"], when=f"{date.fromisoformat(day):{t['date']}}")


def _taken_back(one: Mapping[str, Any], t: Mapping[str, Any]) -> dict[str, str]:
    """Say where a return is taken back, as long as it can be."""
    if one["state"] not in ("requested", "approved"):
        return {}
    return {"goes_on": f"returns/{one['id']}/cancel", "go_on": t["cancel"]["link"]}


def _state(ticket: Mapping[str, Any], manner: Manner, now: datetime, t: Mapping[str, Any]) -> str:
    state = t["case_state"].get(ticket["state"], ticket["state"])
    if not ticket["due_at"]:
        return str(state)
    due = filled(t["case_due"], when=manner.moment(datetime.fromisoformat(ticket["due_at"]), now))
    return f"{state}. {due}"


def _last_answer(entries: list[Mapping[str, Any]], t: Mapping[str, Any]) -> str:
    said = [one["text"] for one in entries if one["by"] == "company" and one["text"]]
    return filled(t["case_company"], said=said[-1]) if said else ""
