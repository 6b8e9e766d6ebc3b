"""What every page of settings has: who may see it, what its forms say of problems."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from api.desk_page.shown import Looker, shown
from api.http.auth import Role
from api.pages.catalog import desk_texts

TABS: Mapping[str, Role] = {
    "me": Role.DRIVER,
    "phones": Role.DISPATCHER,
    "slots": Role.DISPATCHER,
    "points": Role.DISPATCHER,
    "fences": Role.DISPATCHER,
    "brand": Role.ADMIN,
    "messages": Role.ADMIN,
    "reasons": Role.ADMIN,
    "visibility": Role.ADMIN,
    "alerts": Role.ADMIN,
    "kept": Role.ADMIN,
    "users": Role.ADMIN,
    "company": Role.ADMIN,
    "keys": Role.ADMIN,
    "webhooks": Role.ADMIN,
}
"""The pages, by the end of their addresses, and the least role that each is for."""

NOT_ADMINS = frozenset(role for role in Role if role < Role.ADMIN)
NOT_DISPATCHERS = frozenset(role for role in Role if role < Role.DISPATCHER)

ALSO: Mapping[int, str] = {303: "Nobody is signed in: the desk.", 403: "A page that says who may."}

MOST_SHOWN = 500
"""On a page; the API has all."""

_PROBLEMS = (
    *("stopped", "away", "conflict", "version-changed", "forbidden", "unauthorized"),
    *("invalid-fields", "second-factor-wrong", "too-many-requests"),
)
"""What the page says in its own words: types of problems, and what is none of the API's."""


def settings_page(request: web.Request, looker: Looker, template: str, *, title: str, **values: Any) -> web.Response:
    """Fill the template of a page; `title`: the name of its text."""
    t = desk_texts(looker.language)
    words = {name: t[f"problem_{name}"] for name in _PROBLEMS}
    problems = msgspec.json.encode(words).decode().replace("<", "\\u003c")
    tabs = [
        {"name": name, "label": t[f"settings_{name}"], "is_here": request.path == f"/desk/settings/{name}"}
        for name, least in TABS.items()
        if looker.caller.role >= least
    ]
    return shown(request, looker, template, title=t[title], problems=problems, tabs=tabs, **values)


def day(looker: Looker, at: datetime | None, none: str = "") -> str:
    """Write the day of a time, with its year; `none`: what stands for no time."""
    return none if at is None else looker.manner("UTC").day_of_year(at)
