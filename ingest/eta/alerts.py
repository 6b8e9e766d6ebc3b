"""What somebody must hear of ETAs: a stop that will be late, a van that is near. Facts of the clock, as silence is.

They rest on a ping that is younger than five minutes by our clock and on a track that has caught up: nobody is alerted
by old news. A van's being near is told once a stop, whoever drives, and never taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import numpy as np

from geo.eta.estimate import Eta
from geo.pings import UNKNOWN_MS, Ints
from geo.plan.plans import Plan
from geo.times import ms_of, time_of
from ingest.drivers.models import AccountEta
from ingest.drivers.shown import Alerts, Shown
from ingest.eta.vans import Van, Vans
from ingest.eta.worth import YOUNG_MS, worth_a_look
from sql.account.settings import EtaRules
from sql.eta.eta import eta_stops, told_facts
from sql.feed.facts import LATE_AFTER_S, Revision, put_revisions
from sql.pool import Db
from work.feed.entries import Owner, entry_of_eta, taken_back
from work.feed.types import APPROACHING, LATE
from work.messages.notices import note_facts

LATENESS_MOVED_MS = 300_000
"""A lateness that moved less is not told again."""

_COLUMNS = [field.name for field in fields(Eta)]

_NOBODY_WAITS = frozenset({"break", "depot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A stop ahead of a van; times in epoch milliseconds. `stops_before`: of those where somebody waits."""

    stop_id: int
    kind: str
    expected_ms: int
    low_ms: int
    high_ms: int
    window_end_ms: int
    stops_before: int

    @property
    def lateness_ms(self) -> int:
        """Behind the end of the promised window; far ahead of it where nothing was promised."""
        return UNKNOWN_MS if self.window_end_ms == UNKNOWN_MS else self.expected_ms - self.window_end_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told of one van: `near` only of stops that are not done."""

    late: Sequence[Revision] = ()
    near: Sequence[Revision] = ()


async def write_alerts(
    db: Db, vans: Vans, found: Eta, begin: Ints, accounts: Mapping[int, AccountEta], now: datetime
) -> Sequence[Shown]:
    """Tell the feed what is news of ETAs, and leave notices of it; give back what others were told by now.

    Args:
        found: of the tracks of `vans`.
        begin: as `ingest.eta.moved.begins_of` gives it.
        accounts: by account.
    """
    shown = list(vans.shown)
    for i, alerts in (await _alerts(db, vans, np.flatnonzero(vans.caught_up).tolist())).items():
        shown[i] = replace(shown[i], alerts=alerts)
    said = [one.alerts if caught_up else None for one, caught_up in zip(shown, vans.caught_up.tolist(), strict=True)]
    rules = [accounts[account_id].rules for account_id in vans.accounts.tolist()]
    fresh: dict[int, News] = {}
    for i in worth_a_look(vans, said, found, begin, rules, ms_of(now)):
        before = shown[i].alerts
        assert before is not None
        van = Van(lane=int(vans.lanes[i]), account_id=int(vans.accounts[i]), track=vans.tracks[i], plan=vans.plans[i])
        one = news(van, _part(found, begin[i], begin[i + 1]), before, rules[i], now)
        if one.late or one.near:
            fresh[i] = one
            shown[i] = replace(shown[i], alerts=_noted(before, one))
    await _tell(db, list(fresh.values()), now)
    return shown


async def _tell(db: Db, fresh: Sequence[News], now: datetime) -> None:
    """Write what is news, but of stops of which the driver or a dispatcher has said that they are done."""
    near = [fact for one in fresh for fact in one.near]
    stops = await eta_stops(db, [fact.stop_id for fact in near if fact.stop_id is not None]) if near else {}
    waiting = {stop_id for stop_id, stop in stops.items() if stop.status == "pending"}
    told = [*(fact for one in fresh for fact in one.late), *(fact for fact in near if fact.stop_id in waiting)]
    if told:
        await put_revisions(db, told, late_after_s=LATE_AFTER_S)
        await note_facts(db, told, now=now)


async def _alerts(db: Db, vans: Vans, rows: Sequence[int]) -> dict[int, Alerts]:
    """Find out what the feed says of drivers of whom it is not known, or who are on another route now."""
    on = dict(zip(rows, vans.tracks["route_id"][rows].tolist(), strict=True))
    asked = [i for i in rows if (alerts := vans.shown[i].alerts) is None or alerts.route_id != on[i]]
    if not asked:
        return {}
    driver_ids = {i: int(vans.tracks["driver_id"][i]) for i in asked}
    known = await told_facts(db, {on[i] for i in asked} - {0}, driver_ids.values())
    return {i: _said_of(known, driver_ids[i], on[i]) for i in asked}


def _said_of(known: Sequence[Revision], driver_id: int, route_id: int) -> Alerts:
    """Pick what the feed says of a driver's lateness, and of a van's being near on a route, whoever drives."""
    of_stops = [(fact.stop_id, fact) for fact in known if fact.stop_id is not None]
    late = {stop_id: fact for stop_id, fact in of_stops if fact.type == LATE and fact.driver_id == driver_id}
    near = (stop_id for stop_id, fact in of_stops if fact.type == APPROACHING and fact.route_id == route_id)
    return Alerts(route_id=route_id, late=late, approaching=frozenset(near))


def news(van: Van, found: Eta, alerts: Alerts, rules: EtaRules, now: datetime) -> News:
    """Decide what is to be told of one van that has caught up.

    Args:
        found: of this van alone.
        alerts: what the feed says of it.
        now: our clock.
    """
    now_ms = ms_of(now)
    young = now_ms - int(van.track["recorded_ms"]) < YOUNG_MS
    ahead = _ahead(van.plan, found) if van.plan is not None else []
    near: list[Revision] = []
    if young and van.track["on_route"]:
        near = [
            _fact(van, APPROACHING, stop, _near_data(stop))
            for stop in ahead
            if _is_near(stop, rules, now_ms) and stop.stop_id not in alerts.approaching
        ]
    return News(late=list(_late(van, alerts, ahead, rules, young=young)), near=near)


def _noted(before: Alerts, fresh: News) -> Alerts:
    """Remember what was told; of a stop that is near also when it is done: nobody asks again."""
    late = {fact.stop_id: fact for fact in fresh.late if fact.stop_id is not None}
    near = {fact.stop_id for fact in fresh.near if fact.stop_id is not None}
    return replace(before, late={**before.late, **late}, approaching=before.approaching | near)


def _part(found: Eta, begin: int, end: int) -> Eta:
    return Eta(*(getattr(found, name)[begin:end] for name in _COLUMNS))


def _ahead(plan: Plan, found: Eta) -> list[Ahead]:
    """Put together what is said of the stops ahead of a van."""
    ahead: list[Ahead] = []
    waiting = 0
    columns = {name: getattr(found, name).tolist() for name in ("stop_id", "expected_ms", "low_ms", "high_ms")}
    for n, place in enumerate(found.place.tolist()):
        kind = plan.stop_kinds[place]
        ahead.append(
            Ahead(
                **{name: column[n] for name, column in columns.items()},
                kind=kind,
                window_end_ms=int(plan.stop_window_ms[place, 1]),
                stops_before=waiting,
            )
        )
        waiting += kind not in _NOBODY_WAITS
    return ahead


def _late(van: Van, alerts: Alerts, ahead: Sequence[Ahead], rules: EtaRules, *, young: bool) -> Iterator[Revision]:
    after_ms = rules.late_after_minutes * 60_000
    late = {stop.stop_id: stop for stop in ahead if stop.lateness_ms > after_ms}
    if young:
        for stop in late.values():
            before = alerts.late.get(stop.stop_id)
            if before is None or before.state == "retracted" or _has_moved(before, stop):
                yield _fact(van, LATE, stop, _late_data(stop), before)
    for stop_id, before in alerts.late.items():
        if before.state != "retracted" and stop_id not in late:
            yield taken_back(before)


def _has_moved(before: Revision, stop: Ahead) -> bool:
    said = before.data
    moved_ms = abs(said["lateness_s"] * 1000 - stop.lateness_ms)
    return bool(moved_ms > LATENESS_MOVED_MS or said["window_end"] != _text(stop.window_end_ms))


def _is_near(stop: Ahead, rules: EtaRules, now_ms: int) -> bool:
    rule = rules.approaching
    if stop.kind in _NOBODY_WAITS:
        return False
    soon = rule.minutes is not None and stop.expected_ms - now_ms <= rule.minutes * 60_000
    return soon or (rule.stops is not None and stop.stops_before <= rule.stops)


def _fact(van: Van, kind: str, stop: Ahead, data: dict[str, Any], before: Revision | None = None) -> Revision:
    owner = Owner(lane=van.lane, account_id=van.account_id)
    return entry_of_eta(kind, van.track, owner, stop_id=stop.stop_id, data=data, before=before)


def _late_data(stop: Ahead) -> dict[str, Any]:
    return {
        "lateness_s": round(stop.lateness_ms / 1000),
        "expected": _text(stop.expected_ms),
        "window_end": _text(stop.window_end_ms),
    }


def _near_data(stop: Ahead) -> dict[str, Any]:
    times = {"expected": stop.expected_ms, "low": stop.low_ms, "high": stop.high_ms}
    return {name: _text(ms) for name, ms in times.items()} | {"stops_before": stop.stops_before}


def _text(ms: int) -> str:
    return time_of(ms).isoformat(timespec="seconds").replace("+00:00", "Z")
