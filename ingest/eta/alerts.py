"""What somebody must hear of ETAs: a stop that will be late, a van that is near. Facts of the clock, as silence is.

They rest on a ping that is younger than five minutes by our clock and on a track that is settled: nobody is alerted by
old news. A van's being near is told once a stop, whoever drives, and never taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from geo.eta.estimate import Eta
from geo.pings import UNKNOWN_MS, Ints
from geo.plan.plans import Plan, Timeline, places_in
from geo.times import ms_of, time_of
from ingest.drivers.cache import Drivers
from ingest.drivers.models import AccountEta
from ingest.drivers.shown import Alerts
from sql.account.settings import EtaRules
from sql.eta.eta import Notice, eta_stops, put_outbox, told_facts
from sql.feed.facts import LATE_AFTER_S, Revision, put_revisions
from sql.pool import Db
from work.feed import entries as facts

YOUNG_MS = 300_000
"""An alert rests on a ping that is younger by our clock."""

LATENESS_MOVED_MS = 300_000
"""A lateness that moved less is not told again."""

LATE, APPROACHING = "eta.late", "stop.approaching"

_NOBODY_WAITS = frozenset({"break", "depot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ahead:
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


async def write_alerts(
    db: Db,
    drivers: Drivers,
    timelines: Sequence[Timeline],
    touched: Ints,
    found: Eta,
    accounts: Mapping[int, AccountEta],
) -> None:
    """Tell the feed what is news of the ETAs of the drivers that were folded, and leave notifications.

    Args:
        timelines: of all `drivers`.
        touched: their entries in `drivers`.
        found: of the tracks of `touched`.
        accounts: by account.
    """
    now_ms = ms_of(datetime.now(UTC))
    settled = drivers.settled
    rows = [(row, i) for row, i in enumerate(touched.tolist()) if settled[i]]
    await _ask_the_feed(db, drivers, [i for _, i in rows])
    begin = np.searchsorted(found.track, np.arange(len(touched) + 1)).tolist()
    late: list[Revision] = []
    near: list[tuple[int, _Ahead]] = []
    for row, i in rows:
        alerts = drivers.shown[i].alerts
        assert alerts is not None
        rules = accounts[int(drivers.accounts[i])].rules
        young = now_ms - int(drivers.tracks["recorded_ms"][i]) < YOUNG_MS
        which = slice(begin[row], begin[row + 1])
        plan = timelines[i].plan(int(drivers.tracks["route_id"][i]), int(drivers.tracks["route_version"][i]))
        if not _is_worth_a_look(alerts, rules, plan, found, which, now_ms, young=young):
            continue
        ahead = _ahead(plan, found, which) if plan is not None else []
        changed = {fact.stop_id: fact for fact in _late(drivers, i, alerts, ahead, rules, young=young)}
        late += changed.values()
        known = {**alerts.late, **{stop: fact for stop, fact in changed.items() if stop is not None}}
        drivers.shown[i] = replace(drivers.shown[i], alerts=replace(alerts, late=known))
        if young and drivers.tracks["on_route"][i]:
            near += [
                (i, stop) for stop in ahead if _is_near(stop, rules, now_ms) and stop.stop_id not in alerts.approaching
            ]
    told = late + await _approaching(db, drivers, near)
    if told:
        await put_revisions(db, told, late_after_s=LATE_AFTER_S)
    notices = [_notice(fact) for fact in told if fact.state == "asserted"]
    if notices:
        await put_outbox(db, notices)


async def _ask_the_feed(db: Db, drivers: Drivers, entries: Sequence[int]) -> None:
    """Find out what the feed says of drivers of whom it is not known, or who are on another route now."""
    on = {i: int(drivers.tracks["route_id"][i]) for i in entries}
    asked = [i for i in entries if (alerts := drivers.shown[i].alerts) is None or alerts.route_id != on[i]]
    if not asked:
        return
    known = await told_facts(db, {on[i] for i in asked} - {0}, {int(drivers.ids[i]) for i in asked})
    for i in asked:
        late = {
            fact.stop_id: fact
            for fact in known
            if fact.type == LATE and fact.driver_id == drivers.ids[i] and fact.stop_id is not None
        }
        approaching = frozenset(
            fact.stop_id
            for fact in known
            if fact.type == APPROACHING and fact.route_id == on[i] and fact.stop_id is not None
        )
        alerts = Alerts(route_id=on[i], late=late, approaching=approaching)
        drivers.shown[i] = replace(drivers.shown[i], alerts=alerts)


def _is_worth_a_look(
    alerts: Alerts, rules: EtaRules, plan: Plan | None, found: Eta, which: slice, now_ms: int, *, young: bool
) -> bool:
    """Tell whether there may be something to tell or to take back: mostly there is not, and this is quick."""
    if any(fact.state != "retracted" for fact in alerts.late.values()):
        return True
    if not young or plan is None:
        return False
    expected_ms, rule = found.expected_ms[which], rules.approaching
    near = np.zeros(len(expected_ms), bool)
    if rule.minutes is not None:
        near |= expected_ms - now_ms <= rule.minutes * 60_000
    if rule.stops is not None:
        near |= found.stops_before[which] <= rule.stops + sum(kind in _NOBODY_WAITS for kind in plan.stop_kinds)
    if not alerts.approaching.issuperset(found.stop_id[which][near].tolist()):
        return True
    end_ms = plan.stop_window_ms[places_in(plan, found.stop_id[which]), 1]
    return bool(((end_ms != UNKNOWN_MS) & (expected_ms - end_ms > rules.late_after_minutes * 60_000)).any())


def _ahead(plan: Plan, found: Eta, which: slice) -> list[_Ahead]:
    """Put together what is said of the stops ahead of a van."""
    ahead: list[_Ahead] = []
    waiting = 0
    names = ("stop_id", "expected_ms", "low_ms", "high_ms")
    columns = {name: getattr(found, name)[which].tolist() for name in names}
    for n, place in enumerate(places_in(plan, found.stop_id[which]).tolist()):
        kind = plan.stop_kinds[place]
        ahead.append(
            _Ahead(
                **{name: column[n] for name, column in columns.items()},
                kind=kind,
                window_end_ms=int(plan.stop_window_ms[place, 1]),
                stops_before=waiting,
            )
        )
        waiting += kind not in _NOBODY_WAITS
    return ahead


def _late(
    drivers: Drivers, i: int, alerts: Alerts, ahead: Sequence[_Ahead], rules: EtaRules, *, young: bool
) -> Iterator[Revision]:
    after_ms = rules.late_after_minutes * 60_000
    late = {stop.stop_id: stop for stop in ahead if stop.lateness_ms > after_ms}
    if young:
        for stop in late.values():
            before = alerts.late.get(stop.stop_id)
            fact = _fact(drivers, i, LATE, stop.stop_id, _late_data(stop))
            if before is None:
                yield fact
            elif before.state == "retracted":
                yield replace(fact, revision=before.revision + 1)
            elif _has_moved(before, stop):
                yield replace(fact, revision=before.revision + 1, state="corrected", occurred_ms=before.occurred_ms)
    for stop_id, before in alerts.late.items():
        if before.state != "retracted" and stop_id not in late:
            yield _taken_back(before)


def _has_moved(before: Revision, stop: _Ahead) -> bool:
    said = before.data
    moved_ms = abs(said["lateness_s"] * 1000 - stop.lateness_ms)
    return bool(moved_ms > LATENESS_MOVED_MS or said["window_end"] != _text(stop.window_end_ms))


def _taken_back(fact: Revision) -> Revision:
    return replace(fact, revision=fact.revision + 1, state="retracted")


def _is_near(stop: _Ahead, rules: EtaRules, now_ms: int) -> bool:
    rule = rules.approaching
    if stop.kind in _NOBODY_WAITS:
        return False
    soon = rule.minutes is not None and stop.expected_ms - now_ms <= rule.minutes * 60_000
    return soon or (rule.stops is not None and stop.stops_before <= rule.stops)


async def _approaching(db: Db, drivers: Drivers, near: Sequence[tuple[int, _Ahead]]) -> list[Revision]:
    """Tell of vans that are near, but for stops of which the driver or a dispatcher has said that they are done."""
    if not near:
        return []
    stops = await eta_stops(db, [stop.stop_id for _, stop in near])
    told: list[Revision] = []
    for i, stop in near:
        known = stops.get(stop.stop_id)
        if known is not None and known.status == "pending":
            told.append(_fact(drivers, i, APPROACHING, stop.stop_id, _near_data(stop)))
        alerts = drivers.shown[i].alerts
        assert alerts is not None
        drivers.shown[i] = replace(
            drivers.shown[i], alerts=replace(alerts, approaching=alerts.approaching | {stop.stop_id})
        )
    return told


def _fact(drivers: Drivers, i: int, kind: str, stop_id: int, data: dict[str, Any]) -> Revision:
    track, driver_id = drivers.tracks[i], int(drivers.ids[i])
    route_id = int(track["route_id"])
    return Revision(
        fact_id=facts.eta_fact_id(kind, driver_id=driver_id, route_id=route_id, stop_id=stop_id),
        revision=1,
        state="asserted",
        type=kind,
        occurred_ms=int(track["recorded_ms"]),
        folded_ms=None,
        lane=int(drivers.lanes[i]),
        account_id=int(drivers.accounts[i]),
        driver_id=driver_id,
        route_id=route_id,
        route_version=int(track["route_version"]),
        stop_id=stop_id,
        geofence_id=None,
        visit_id=None,
        data=data,
    )


def _late_data(stop: _Ahead) -> dict[str, Any]:
    return {
        "lateness_s": round(stop.lateness_ms / 1000),
        "expected": _text(stop.expected_ms),
        "window_end": _text(stop.window_end_ms),
    }


def _near_data(stop: _Ahead) -> dict[str, Any]:
    times = {"expected": stop.expected_ms, "low": stop.low_ms, "high": stop.high_ms}
    return {name: _text(ms) for name, ms in times.items()} | {"stops_before": stop.stops_before}


def _notice(fact: Revision) -> Notice:
    assert fact.stop_id is not None
    payload = {"fact_id": str(fact.fact_id), "route_id": fact.route_id, **fact.data}
    return Notice(account_id=fact.account_id, stop_id=fact.stop_id, kind=fact.type, payload=payload)


def _text(ms: int) -> str:
    return time_of(ms).isoformat(timespec="seconds").replace("+00:00", "Z")
