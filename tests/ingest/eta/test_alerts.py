"""What is news of one van's ETAs, decided without a database and at a time that the test chooses."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.eta.estimate import Eta
from geo.fold import fold
from geo.plan.plans import Plan, Timeline
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.times import ms_of
from ingest.drivers.shown import Alerts, Shown
from ingest.eta.alerts import News, news
from ingest.eta.moved import begins_of
from ingest.eta.vans import Van, Vans
from ingest.eta.worth import worth_a_look
from sql.account.settings import Approaching, EtaRules
from tests.ingest.track.street import LAT, lon_at
from work.feed.types import APPROACHING, LATE

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOTHING_SAID = Alerts(route_id=7, late={}, approaching=frozenset())
NEVER_NEAR = EtaRules(approaching=Approaching(minutes=None, stops=None))
_STOPS = np.array([1, 2, 3])


def a_plan(*, window_end: datetime, kinds: tuple[str, ...] = ("delivery", "delivery", "delivery")) -> Plan:
    """Stops 1, 2 and 3 of route 7, all promised until the same time."""
    east_m = np.array([300.0, 600.0, 900.0])
    return prepare_plan(
        Head(
            route_id=7, version=1, order=(0, "tour"), effective_ms=0, driver_id=5, start_ms=ms_of(NOW) - 3_600_000,
            end_ms=ms_of(NOW) + 3_600_000, return_to_depot=False,
        ),
        PathColumns(np.array([lon_at(0), lon_at(1_200)]), np.array([LAT, LAT]), np.array([0.0, 1_200.0])),
        StopColumns(
            ids=_STOPS, lon=lon_at(east_m), lat=np.full(3, LAT), along_m=east_m, radius_m=np.full(3, 50.0),
            service_s=np.full(3, 60.0), planned_ms=np.full(3, ms_of(NOW)),
            window_ms=np.array([(ms_of(window_end) - 3_600_000, ms_of(window_end))] * 3), kinds=list(kinds),
        ),
    )  # fmt: skip


def a_van(plan: Plan | None, *, seen_s_ago: float = 10) -> Van:
    track = fold.fresh(np.array([5]))
    track["recorded_ms"] = ms_of(NOW - timedelta(seconds=seen_s_ago))
    track["route_id"], track["route_version"], track["on_route"] = 7, 1, True
    return Van(lane=3, account_id=2, track=track[0], plan=plan)


def expected_in(*minutes: float) -> Eta:
    n = len(minutes)
    at_ms = ms_of(NOW) + (np.array(minutes) * 60_000).astype(np.int64)
    return Eta(
        track=np.zeros(n, np.int64), stop_id=_STOPS[:n], place=np.arange(n), expected_ms=at_ms, low_ms=at_ms - 60_000,
        high_ms=at_ms + 60_000, remaining_m=np.zeros(n), stops_before=np.arange(n), spread_s=np.ones(n),
        delay_s=np.zeros(n), waits=np.zeros(n, np.bool_), start_s=np.zeros(n), service_s=np.zeros(n),
        s_per_m=np.zeros(n),
    )  # fmt: skip


FAR = a_plan(window_end=NOW + timedelta(hours=9))


def told(one: News) -> list[tuple[str, int | None, str, int]]:
    return [(fact.type, fact.stop_id, fact.state, fact.revision) for fact in (*one.late, *one.near)]


@pytest.mark.parametrize(
    ("rules", "near"),
    [
        (EtaRules(), [1, 2]),
        (EtaRules(approaching=Approaching(minutes=6, stops=None)), [1]),
        (EtaRules(approaching=Approaching(minutes=None, stops=2)), [1, 2, 3]),
        (NEVER_NEAR, []),
    ],
)
def test_a_van_is_near_by_minutes_or_by_stops(rules: EtaRules, near: list[int]) -> None:
    found = news(a_van(FAR), expected_in(5, 14, 40), NOTHING_SAID, rules, NOW)
    assert told(found) == [(APPROACHING, stop, "asserted", 1) for stop in near]


def test_what_was_told_is_not_told_again() -> None:
    said = replace(NOTHING_SAID, approaching=frozenset({1, 2}))
    assert told(news(a_van(FAR), expected_in(5, 14, 40), said, EtaRules(), NOW)) == []


def test_nobody_waits_at_a_break() -> None:
    plan = a_plan(window_end=NOW + timedelta(hours=9), kinds=("break", "delivery", "delivery"))
    rules = EtaRules(approaching=Approaching(minutes=None, stops=0))
    found = news(a_van(plan), expected_in(5, 14, 40), NOTHING_SAID, rules, NOW)
    assert told(found) == [(APPROACHING, 2, "asserted", 1)]


@pytest.mark.parametrize(("seen_s_ago", "tells"), [(299, True), (300, False), (3_600, False)])
def test_old_pings_alert_nobody(seen_s_ago: float, tells: bool) -> None:
    assert bool(told(news(a_van(FAR, seen_s_ago=seen_s_ago), expected_in(5), NOTHING_SAID, EtaRules(), NOW))) is tells


def test_the_same_ping_becomes_old_as_the_clock_goes_on() -> None:
    van, found = a_van(FAR), expected_in(5)
    assert told(news(van, found, NOTHING_SAID, EtaRules(), NOW))
    assert not told(news(van, found, NOTHING_SAID, EtaRules(), NOW + timedelta(minutes=5)))


def test_a_van_on_no_route_is_near_nowhere() -> None:
    assert told(news(a_van(None), expected_in(), NOTHING_SAID, EtaRules(), NOW)) == []


def late_said(minutes: float, **change: Any) -> Alerts:
    """What the feed says after stop 1 was expected so late."""
    found = news(a_van(a_plan(window_end=NOW)), expected_in(minutes), NOTHING_SAID, NEVER_NEAR, NOW)
    (fact,) = found.late
    return replace(NOTHING_SAID, late={1: replace(fact, **change)})


def test_lateness_is_told_corrected_when_it_moved_and_taken_back() -> None:
    van = a_van(a_plan(window_end=NOW))
    said = late_said(20)
    assert told(news(van, expected_in(24), said, NEVER_NEAR, NOW)) == []
    (moved,) = news(van, expected_in(26), said, NEVER_NEAR, NOW).late
    assert (moved.state, moved.revision, moved.data["lateness_s"]) == ("corrected", 2, 26 * 60)
    assert moved.fact_id == said.late[1].fact_id
    assert told(news(van, expected_in(4), said, NEVER_NEAR, NOW)) == [(LATE, 1, "retracted", 2)]


def test_lateness_of_a_stop_that_was_left_is_taken_back_also_by_an_old_ping() -> None:
    van = a_van(a_plan(window_end=NOW), seen_s_ago=4_000)
    assert told(news(van, expected_in(), late_said(20), NEVER_NEAR, NOW)) == [(LATE, 1, "retracted", 2)]


def test_what_was_taken_back_is_told_anew() -> None:
    said = late_said(20, state="retracted", revision=2)
    found = news(a_van(a_plan(window_end=NOW)), expected_in(20), said, NEVER_NEAR, NOW)
    assert told(found) == [(LATE, 1, "asserted", 3)]


_LATE_SAID = late_said(20)
_SAID = (NOTHING_SAID, replace(NOTHING_SAID, approaching=frozenset({1})), _LATE_SAID, late_said(20, state="retracted"))
_RULES = (EtaRules(), NEVER_NEAR, EtaRules(approaching=Approaching(minutes=None, stops=0), late_after_minutes=12))
_PLANS = (FAR, a_plan(window_end=NOW), a_plan(window_end=NOW, kinds=("break", "delivery", "delivery")), None)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(_PLANS),
            st.lists(st.integers(0, 50), max_size=3),
            st.sampled_from(_SAID),
            st.sampled_from(_RULES),
            st.sampled_from((10, 299, 300, 4_000)),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_whoever_has_news_is_looked_at(days: list[Any]) -> None:
    """All vans at once are asked whether it is worth a look; no news of any of them may be missed."""
    vans = [a_van(plan, seen_s_ago=seen_s_ago) for plan, _, _, _, seen_s_ago, _ in days]
    each = [expected_in(*(sorted(minutes) if plan else ())) for plan, minutes, *_ in days]
    tracks = np.array([van.track for van in vans], fold.TRACK)
    found = Eta(
        *(np.concatenate([getattr(one, field.name) for one in [expected_in(), *each]]) for field in fields(Eta))
    )
    found = replace(found, track=np.repeat(np.arange(len(each)), [len(one.stop_id) for one in each]))
    caught_up = np.array([is_up for *_, is_up in days], np.bool_)
    together = Vans(
        lanes=np.zeros(len(vans), np.int64), accounts=np.zeros(len(vans), np.int64), tracks=tracks,
        timelines=[Timeline(driver_id=5)] * len(vans), plans=[van.plan for van in vans], caught_up=caught_up,
        seen=~caught_up, shown=[Shown()] * len(vans),
    )  # fmt: skip
    said = [alerts if is_up else None for _, _, alerts, _, _, is_up in days]
    rules = [rule for _, _, _, rule, _, _ in days]
    looked_at = worth_a_look(together, said, found, begins_of(found, len(vans)), rules, ms_of(NOW))
    for i, (van, eta, rule) in enumerate(zip(vans, each, rules, strict=True)):
        alerts = said[i]
        if alerts is None:
            assert i not in looked_at
        elif told(news(van, eta, alerts, rule, NOW)):
            assert i in looked_at
        if i in looked_at and alerts is not None and not alerts.late:
            assert van.plan is not None
            assert days[i][4] < 300
