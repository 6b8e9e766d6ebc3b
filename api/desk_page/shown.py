"""The frame of every page after the form to sign in: who looks, in which words, and what they may not see."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeAlias
from urllib.parse import urlencode

from aiohttp import web

from api.desk.pages import desk_language, desk_page
from api.http.app_keys import POOL, now_of
from api.http.auth import Caller, Role, authorize, session_secret_of
from api.http.problem import NotFound, Unauthorized
from api.pages.catalog import LANGUAGES, day_texts, desk_texts
from api.pages.times import Manner
from sql.account.accounts import account_by_id
from sql.desk import people
from sql.pool import is_away

log = logging.getLogger(__name__)

Words: TypeAlias = Mapping[str, Mapping[str, str]]

SETTINGS = "/desk/settings/me"
"""The page of settings that is for everybody."""

VIEWS = (
    *(("tours", "/desk"), ("alerts", "/desk/alerts"), ("board", "/desk/board")),
    *(("reports", "/desk/reports"), ("settings", SETTINGS)),
)
"""In the order in which they stand at the top."""

ONE_DELIVERY = frozenset({Role.SUPPORT})
"""Who answers the phone looks at one delivery at a time, and finds it by what the caller says."""

DRIVERS = frozenset({Role.DRIVER})
"""They have a page of their own, for their tours alone."""

NOT_THE_DAY = ONE_DELIVERY | DRIVERS
"""Whom the pages of the whole day are not for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Somebody of the company who looks at a page.

    Attributes:
        accepted: the header `Accept-Language`, which says how they write times.
    """

    caller: Caller
    language: str
    accepted: str
    account: str
    email: str
    now: datetime

    @property
    def words(self) -> Words:
        """The words of the day's work."""
        return day_texts(self.language)

    @property
    def is_dispatcher(self) -> bool:
        """Whether they may change what the day brings."""
        return self.caller.role >= Role.DISPATCHER

    def manner(self, zone: str) -> Manner:
        """Say how they write times of a zone."""
        return Manner.of(self.language, zone, self.accepted)


Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
Page: TypeAlias = Callable[[web.Request, Looker], Awaitable[web.Response]]


def for_people(*, but: frozenset[Role] = DRIVERS) -> Callable[[Page], Callable[[web.Request], Awaitable[web.Response]]]:
    """Show a page to people who signed in; others go to the form for that.

    Args:
        but: roles that it is not for.
    """

    def guard(page: Page) -> Handler:
        @wraps(page)
        async def guarded(request: web.Request) -> web.Response:
            language = desk_language(request)
            try:
                caller = await signed_in(request)
                if caller is None:
                    return web.Response(
                        status=303, headers={"Location": f"/desk?lang={language}", "Cache-Control": "no-store"}
                    )
                looker = await looker_of(request, caller)
                return await _page(request, looker, page, but)
            except Exception as error:
                if not is_away(error):
                    raise
                log.warning("database away: %s", type(error).__name__)
                words = desk_texts(language)
                return desk_page("away.html", language, status=503, title=words["later"], again=str(request.rel_url))

        return guarded

    return guard


async def signed_in(request: web.Request) -> Caller | None:
    """Tell who signed in; None: nobody, or an API key asks."""
    if session_secret_of(request) is None:
        return None
    try:
        caller = await authorize(request, Role.DRIVER)
    except Unauthorized:
        return None
    return None if caller.person_id is None else caller


async def looker_of(request: web.Request, caller: Caller) -> Looker:
    """Read who looks; `caller` signed in."""
    pool = request.app[POOL]
    assert caller.person_id is not None
    return Looker(
        caller=caller,
        language=desk_language(request),
        accepted=request.headers.get("Accept-Language", ""),
        account=(await account_by_id(pool, caller.account_id)).name,
        email=(await people.person_by_id(pool, caller.person_id)).email,
        now=now_of(request),
    )


def shown(
    request: web.Request, looker: Looker, template: str, *, title: str = "", status: int = 200, **values: Any
) -> web.Response:
    """Fill a template within the frame."""
    asked = {name: text for name, text in request.query.items() if name != "lang"}
    links = {one: f"{request.path}?{urlencode({**asked, 'lang': one})}" for one in LANGUAGES}
    words = looker.words
    return desk_page(
        template,
        looker.language,
        status=status,
        is_scripted=True,
        t=dict(desk_texts(looker.language)),
        w={about: dict(said) for about, said in words.items()},
        title=title,
        account=looker.account,
        email=looker.email,
        links=links,
        views=[{"name": name, "path": path} for name, path in VIEWS],
        said=request.query.get("q", "")[:200] if request.path == "/desk/find" else "",
        sees_all=looker.caller.role not in NOT_THE_DAY,
        may_find=looker.caller.role not in DRIVERS,
        may_write=looker.is_dispatcher,
        may_set=looker.caller.role >= Role.ADMIN,
        may_answer=looker.caller.role >= Role.SUPPORT,
        here=SETTINGS if request.path.startswith("/desk/settings/") else request.path,
        **values,
    )


async def _page(request: web.Request, looker: Looker, page: Page, but: frozenset[Role]) -> web.Response:
    if looker.caller.role in but:
        return said(request, looker, "no_right", status=403)
    try:
        return await page(request, looker)
    except NotFound:
        return said(request, looker, "gone", status=404)


def said(request: web.Request, looker: Looker, name: str, *, status: int) -> web.Response:
    """Show the words of that name, in place of a page."""
    role, words = looker.words["role"][looker.caller.role.name.lower()], looker.words[name]
    return shown(request, looker, "said.html", status=status, title=words["title"], lead=words["lead"], role=role)
