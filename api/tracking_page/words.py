"""What the page of a stop says: one pure function of what its recipient may see, the language and the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from api.pages.times import Manner
from api.recipient.view import CashView, TrackingView
from api.tracking_page.respond import filled

OLD_AFTER = timedelta(minutes=2)
"""A van that was heard of longer ago is not called up to date."""

_ARRIVING = timedelta(seconds=90)
_ENDED = frozenset({"departed", "completed", "partially_completed", "failed", "skipped"})
_WELL = frozenset({"departed", "completed", "partially_completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a delivery; `when`: empty while nobody knows."""

    text: str
    when: str
    done: bool
    now: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWords:
    """What the page says, in the order in which it is read; what is empty is not shown.

    Attributes:
        scene: which picture stands for it while there is no map: planned, way, yes or no.
        spoken: the same as one sentence, for those who listen.
    """

    state: str
    scene: str
    title: str
    headline: str
    more: str
    eta_label: str
    eta: str
    promised: str
    notice: str
    updated: str
    is_old: bool
    steps: Sequence[Step]
    driver: str
    initial: str
    name: str
    pin: str
    cash: str
    received: str
    spoken: str


def variant_of(kind: str) -> str:
    """Tell which texts speak of a stop: those of a delivery, or the ones whose keys end in `_pickup`."""
    return "_pickup" if kind in ("pickup", "return") else ""


def when_of(at: datetime | None, manner: Manner, now: datetime, t: Mapping[str, Any]) -> str:
    """Say when something was: hoy a las 14:05; empty for None."""
    if at is None:
        return ""
    forms = t["when_today" if manner.is_today(at, now) else "when"]
    date = f"{at.astimezone(manner.zone):{t['date']}}"
    return filled(forms["one" if manner.hour_is_one(at) else "other"], date=date, time=manner.clock(at))


def say(view: TrackingView, now: datetime, manner: Manner, t: Mapping[str, Any]) -> PageWords:
    """Say what a recipient may see."""
    kind, state = variant_of(view.stop.kind), state_of(view, now)
    waiting = view.done_at is None and view.status != "arrived"
    promised = _promised(view, now, manner)
    eta = manner.window(view.eta.low, view.eta.high, now) if view.eta else ""
    headline, more = t[state + kind], _more(view, state, now, manner, t)
    shown = (eta or promised) if waiting else ""
    label = t["eta"] if eta else t["promised"]
    driver = view.driver.first_name if view.driver else ""
    return PageWords(
        state=state,
        scene=_scene(state),
        title=f"{shown} · {t['title' + kind]}" if shown else headline,
        headline=headline,
        more=more,
        eta_label=label if shown else "",
        eta=shown,
        promised=f"{t['promised']}: {promised}" if waiting and eta and promised else "",
        notice=t["stale"] if view.eta and view.eta.stale and view.under_way else "",
        updated=filled(t["updated"], when=manner.moment(view.updated_at, now)) if view.under_way else "",
        is_old=now - view.updated_at > OLD_AFTER,
        steps=_steps(view, state, now, manner, t),
        driver=filled(t[f"driver{kind}"], name=driver) if driver else "",
        initial=driver[:1].upper(),
        name=filled(t["for"], name=view.stop.name) if view.stop.name and view.received_by != view.stop.name else "",
        pin=filled(t[f"pin{kind}"], pin=view.pin) if view.pin else "",
        cash=filled(t["cash"], amount=money(view.cash, manner.language)) if view.cash else "",
        received=filled(t[f"received_by{kind}"], name=view.received_by) if view.received_by else "",
        spoken=_sentences(headline, f"{label}: {shown}" if shown else "", more),
    )


def state_of(view: TrackingView, now: datetime) -> str:
    """Name what is happening, finer than the status."""
    if view.status in _ENDED or view.status == "arrived":
        return view.status
    if not view.under_way:
        return "planned"
    if view.stops_before != 0:
        return "on_the_way"
    return "arriving" if view.eta and not view.eta.stale and view.eta.expected - now < _ARRIVING else "next"


def money(cash: CashView, language: str) -> str:
    """Write a sum. Spaces part the thousands: a point or a comma there means another sum one country on."""
    whole = cash.amount == round(cash.amount)
    written = f"{cash.amount:,.0f}" if whole else f"{cash.amount:,.2f}"
    parted = written.translate({ord(","): "\u202f", ord("."): "." if language == "en" else ","})
    return f"{parted}\u00a0{cash.currency}"


def _sentences(*parts: str) -> str:
    return " ".join(f"{part.rstrip('.')}." for part in parts if part)


def _promised(view: TrackingView, now: datetime, manner: Manner) -> str:
    window = view.stop.window or {}
    start, end = window.get("start"), window.get("end")
    first, last = start or end, end or start
    return manner.range(first, last, now) if first and last else ""


def _more(view: TrackingView, state: str, now: datetime, manner: Manner, t: Mapping[str, Any]) -> str:
    if state != "on_the_way":
        text = filled(t.get(f"{state}_more", ""), when=when_of(view.done_at, manner, now, t))
        return text.replace("m..", "m.")  # "a las 6:28 p. m.."
    before = "" if view.stops_before is None else f"{counted(t['stops_before'], view.stops_before)}."
    return " ".join(part for part in (before, "" if view.position else t["on_the_way_more"]) if part)


def counted(forms: Mapping[str, str], n: int) -> str:
    """Fill the form for a number: of Spanish, Portuguese and English only one differs (CLDR)."""
    return filled(forms["one" if n == 1 else "other"], n=n)


def _scene(state: str) -> str:
    if state in _WELL:
        return "yes"
    return {"planned": "planned", "failed": "no", "skipped": "no"}.get(state, "way")


def _steps(view: TrackingView, state: str, now: datetime, manner: Manner, t: Mapping[str, Any]) -> list[Step]:
    """Three steps and how it ended; those that nobody saw are left out once it is over."""
    ended = state in _ENDED
    last = t[state + variant_of(view.stop.kind)] if ended else t["steps"]["done" + variant_of(view.stop.kind)]
    known = [
        (t["steps"]["planned"], None, True),
        (t["steps"]["left"], view.started_at, view.under_way or view.started_at is not None),
        (t["steps"]["arrived"], view.arrived_at, view.arrived_at is not None),
        (last, view.done_at, ended),
    ]
    kept = [one for n, one in enumerate(known) if one[2] or not ended or n == len(known) - 1]
    current = max(n for n, (_, _, done) in enumerate(kept) if done)
    return [
        Step(text=text, when=manner.moment(at, now) if at and done else "", done=done, now=n == current)
        for n, (text, at, done) in enumerate(kept)
    ]
