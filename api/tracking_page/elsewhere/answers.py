"""What a recipient asks day and night, answered in words for programs that speak for the company: the page as JSON."""

from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.recipient.view import Ended, EtaView, TrackingView
from api.tracking_page.asking import ask_options
from api.tracking_page.cases import Help, cases_of, help_of
from api.tracking_page.endpoints import LANG, EndedWords, closed_ones, ended_words, open_ones, reader_of, seen_by
from api.tracking_page.heard import heard_of
from api.tracking_page.photos import photos_shown
from api.tracking_page.words import PageWords, say

operations = Operations("tracking")


class AnswerWhere(Struct, frozen=True, kw_only=True):
    """Where it is: the sentences of the page, what is not known is empty.

    `state` names what is happening; of a link that shows no van any more it is `ended`. `facts`: what is to be given or
    paid at the door, who brings it, who took it. `updated`: when it was known, and whether that is old.
    """

    state: str
    headline: str
    more: str
    steps: list[str]
    facts: list[str]
    updated: str
    photos: int


class AnswerWhen(Struct, frozen=True, kw_only=True):
    """When it comes: `window` in words, never a minute; `label` says whether that is an estimate or the promise.

    `eta`: the estimate it is made of; null where there is none.
    """

    label: str
    window: str
    promised: str
    eta: EtaView | None
    done_at: datetime | None


class AnswerChange(Struct, frozen=True, kw_only=True):
    """A change that is open. Post it to `/v1/track/{token}/{change}`; `needs_code`: with a code of `…/code`."""

    change: str
    text: str
    until: str
    needs_code: bool


class AnswerClosed(Struct, frozen=True, kw_only=True):
    """Changes that are closed by now, and why."""

    changes: list[str]
    why: str


class AnswerCase(Struct, frozen=True, kw_only=True):
    """A report or a return, how it stands, and what the company said last; `id` of a ticket is to answer in it."""

    id: str
    title: str
    state: str
    answer: str


class AnswerHelp(Struct, frozen=True, kw_only=True):
    """How a person of the company is reached, and whether one is there now; empty: not that way."""

    hours: str
    about: str
    tel: str
    whatsapp: str
    mail: str


class PageAnswers(Struct, frozen=True, kw_only=True):
    """What the page of a link says, in its words; `help` null: the company names no way."""

    language: str
    company: str
    where: AnswerWhere
    when: AnswerWhen
    can_change: list[AnswerChange]
    closed: list[AnswerClosed]
    heard: list[str]
    cases: list[AnswerCase]
    help: AnswerHelp | None


@operations.operation("GET", "/v1/track/{token}/answers", who=Who.ANYONE, query=(LANG,), answer=PageAnswers)
async def get_answers(request: web.Request) -> web.Response:
    """Read what the page of a tracking link says: where, when, what may be changed, who to call.

    Links that show no van any more are answered too: how it ended, and what may still be said.
    """
    seen = await seen_by(request)
    if seen is None:
        raise NotFound("There is no such tracking link. Please check that the address is complete.")
    reader, options, view = reader_of(request, seen), await ask_options(request), seen.view
    t, manner, now = reader.t, reader.manner, reader.now
    if isinstance(view, Ended):
        where, when = _ended(await ended_words(request, view, reader), view)
    else:
        photos = len(await photos_shown(request.app[POOL], seen))
        where, when = _under_way(say(view, now, manner, t), view, photos=photos)
    answers = PageAnswers(
        language=reader.language,
        company=reader.settings.brand,
        where=where,
        when=when,
        can_change=_changes(options, open_ones(options, reader)),
        closed=[AnswerClosed(changes=one["links"], why=one["why"]) for one in _closed(options, view, t)],
        heard=[one.text for one in await heard_of(request, t)],
        cases=[
            AnswerCase(id=one.id, title=one.title, state=one.state, answer=one.said)
            for one in await cases_of(request, manner, now, t)
        ],
        help=_help(await help_of(request, manner, now, t)),
    )
    return answer(request, answers, headers={"Cache-Control": "private, no-store"})


def _under_way(words: PageWords, view: TrackingView, *, photos: int) -> tuple[AnswerWhere, AnswerWhen]:
    where = AnswerWhere(
        state=words.state,
        headline=words.headline,
        more=words.more,
        steps=[f"{one.text}: {one.when}" if one.when else one.text for one in words.steps if one.done],
        facts=[one for one in (words.pin, words.cash, words.driver, words.name, words.received) if one],
        updated=" ".join(one for one in (words.updated, words.notice) if one),
        photos=photos,
    )
    label, window, promised = words.eta_label, words.eta, words.promised
    return where, AnswerWhen(label=label, window=window, promised=promised, eta=view.eta, done_at=view.done_at)


def _ended(said: EndedWords, ended: Ended) -> tuple[AnswerWhere, AnswerWhen]:
    where = AnswerWhere(state="ended", headline=said.title, more=said.more, steps=[], facts=[], updated="", photos=0)
    return where, AnswerWhen(label="", window="", promised="", eta=None, done_at=ended.done_at)


def _closed(options: Any, view: TrackingView | Ended, t: Any) -> list[dict[str, Any]]:
    return [] if isinstance(view, Ended) or view.done_at is not None else closed_ones(options, t)


def _help(found: Help | None) -> AnswerHelp | None:
    if found is None:
        return None
    return AnswerHelp(hours=found.hours, about=found.about, tel=found.tel, whatsapp=found.whatsapp, mail=found.mail)


def _changes(options: Any, opened: list[dict[str, str]]) -> list[AnswerChange]:
    return [
        AnswerChange(
            change=one["name"], text=one["link"], until=one["until"], needs_code=options[one["name"]]["needs_code"]
        )
        for one in opened
    ]
