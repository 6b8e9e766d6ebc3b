"""Whose ETAs are news: told of all vans at once as it would be told of each alone."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.eta.estimate import Eta
from geo.eta.score import bucket_of
from geo.fold import fold
from geo.plan.plans import Timeline
from ingest.config import IngestConfig
from ingest.drivers.shown import Shown
from ingest.eta.moved import begins_of, in_other_buckets, may_be_told_of, room_ms
from ingest.eta.vans import Vans
from sql.eta.eta import EtaWrite

CONFIG = IngestConfig()


def etas(
    expected_s: Sequence[float], *, as_of_s: float = 0.0, wide_s: float = 60.0, version: int = 1, first_id: int = 1
) -> EtaWrite:
    expected_ms = (np.array(expected_s) * 1000).astype(np.int64)
    nothing = np.zeros(len(expected_s))
    return EtaWrite(
        route_id=1, version=version, as_of_ms=int(as_of_s * 1000), along_m=None,
        stop_ids=np.arange(len(expected_s)) + first_id, expected_ms=expected_ms,
        low_ms=expected_ms - int(wide_s * 1000), high_ms=expected_ms + int(wide_s * 1000),
        remaining_m=nothing, spread_s=nothing, paced_s=nothing, waits=nothing > 0,
    )  # fmt: skip


def estimated(now: Sequence[EtaWrite]) -> Eta:
    """What was estimated of vans, one after the other."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(one, name) for one in now])

    counts = [len(one.stop_ids) for one in now]
    nothing = np.zeros(sum(counts))
    return Eta(
        track=np.repeat(np.arange(len(now)), counts), stop_id=column("stop_ids"), place=column("stop_ids") - 1,
        expected_ms=column("expected_ms"), low_ms=column("low_ms"), high_ms=column("high_ms"), remaining_m=nothing,
        stops_before=nothing.astype(np.int64), spread_s=nothing, delay_s=nothing, waits=nothing > 0, start_s=nothing,
        service_s=nothing, s_per_m=nothing,
    )  # fmt: skip


def vans_of(shown: Sequence[Shown], now: Sequence[EtaWrite], *, caught_up: Sequence[bool]) -> Vans:
    tracks = fold.fresh(np.arange(len(now)) + 1)
    tracks["route_id"] = 1
    tracks["route_version"] = [one.version for one in now]
    tracks["recorded_ms"] = [one.as_of_ms for one in now]
    return Vans(
        lanes=np.zeros(len(now), np.int64), accounts=np.ones(len(now), np.int64), tracks=tracks,
        timelines=[Timeline(driver_id=i + 1) for i in range(len(now))], plans=[None] * len(now),
        caught_up=np.array(caught_up, np.bool_), seen=np.zeros(len(now), np.bool_), shown=shown,
    )  # fmt: skip


def is_news(before: EtaWrite | None, now: EtaWrite, config: IngestConfig = CONFIG) -> bool:
    vans, found = vans_of([Shown(eta=before)], [now], caught_up=[True]), estimated([now])
    return bool(room_ms(vans, found, begins_of(found, 1), config)[0][0] < 0)


@pytest.mark.parametrize(
    ("now", "news"),
    [
        (etas([600, 3000]), False),
        (etas([629, 3119]), False),
        (etas([631, 3000]), True),  # the near one
        (etas([569, 3000]), True),  # sooner is news too
        (etas([600, 3121]), True),  # the far one
        (etas([600, 3000], wide_s=91), True),  # the near one's window
        (etas([600, 3000], as_of_s=500), False),  # a ping that confirms it
        (etas([600, 3000], version=2), True),
        (etas([600, 3000], first_id=2), True),
        (etas([600]), True),
        (etas([600, 3000, 4000]), True),
    ],
)
def test_what_is_worth_writing(now: EtaWrite, news: bool) -> None:
    assert is_news(etas([600, 3000]), now) is news


def test_the_first_one_is_news() -> None:
    assert is_news(None, etas([600]))


@pytest.mark.parametrize(
    ("setting", "moved_s"), [({"eta_moved_near_s": 5.0}, (606, 3000)), ({"eta_moved_far_s": 20.0}, (600, 3021))]
)
def test_what_is_worth_writing_is_set(setting: dict[str, float], moved_s: tuple[float, float]) -> None:
    assert is_news(etas([600, 3000]), etas(moved_s), replace(CONFIG, **setting))
    assert not is_news(etas([600, 3000]), etas(moved_s))


def test_how_far_a_near_stop_is_is_set() -> None:
    assert is_news(etas([1000]), etas([1060]), replace(CONFIG, eta_near_s=1200.0))
    assert not is_news(etas([1000]), etas([1060]))


_LATER_S = st.sampled_from((0.0, 29.0, 30.0, 31.0, -31.0, 119.0, 121.0))


@st.composite
def a_day(draw: st.DrawFn) -> tuple[Shown, EtaWrite, bool]:
    """What one van showed, what is estimated now, and whether it has caught up."""
    expected_s = sorted(draw(st.lists(st.integers(0, 9_000), max_size=4)))
    moved_s = [at_s + draw(_LATER_S) for at_s in expected_s]
    more_s = [moved_s[-1] + 60] if moved_s and draw(st.integers(0, 5)) == 0 else []
    now = etas(
        [*moved_s, *more_s],
        as_of_s=draw(st.sampled_from((0.0, 10.0, 900.0))),
        wide_s=draw(st.sampled_from((60.0, 89.0, 91.0))),
        version=draw(st.sampled_from((1, 1, 1, 2))),
        first_id=draw(st.sampled_from((1, 1, 1, 2))),
    )
    before = etas(expected_s, as_of_s=draw(st.sampled_from((0.0, 5.0, 20.0)))) if draw(st.booleans()) else None
    buckets = None
    if before is not None:
        of_each = st.lists(st.integers(-1, 4), min_size=len(expected_s), max_size=len(expected_s))
        buckets = np.array(draw(of_each), np.int64)
    return Shown(eta=before, buckets=buckets), now, draw(st.booleans())


def alone_moved(before: EtaWrite, now: EtaWrite) -> bool:
    """Whether one van's ETA is another than the one shown, stop by stop."""
    if (before.route_id, before.version) != (now.route_id, now.version):
        return True
    if before.stop_ids.tolist() != now.stop_ids.tolist():
        return True
    for i in range(len(now.stop_ids)):
        near = now.expected_ms[i] - now.as_of_ms <= CONFIG.eta_near_s * 1000
        worth_ms = 1000 * (CONFIG.eta_moved_near_s if near else CONFIG.eta_moved_far_s)
        for name in ("expected_ms", "low_ms", "high_ms"):
            if abs(getattr(before, name)[i] - getattr(now, name)[i]) > worth_ms:
                return True
    return False


@given(st.lists(a_day(), max_size=5))
def test_all_at_once_is_as_each_alone(days: list[tuple[Shown, EtaWrite, bool]]) -> None:
    shown, now, caught_up = ([day[field] for day in days] for field in range(3))
    if not days:
        return
    vans, found = vans_of(shown, now, caught_up=caught_up), estimated(now)
    begin = begins_of(found, len(vans))
    may, (left_ms, whole_ms) = may_be_told_of(vans, begin), room_ms(vans, found, begin, CONFIG)
    for i, (one, eta, is_up) in enumerate(zip(shown, now, caught_up, strict=True)):
        has_stops = bool(len(eta.stop_ids))
        assert may[i] == (has_stops and (is_up or (one.eta is not None and eta.as_of_ms >= one.eta.as_of_ms)))
        if has_stops:
            assert (left_ms[i] < 0) == (one.eta is None or alone_moved(one.eta, eta))
            near = (eta.expected_ms - eta.as_of_ms <= CONFIG.eta_near_s * 1000).any()
            assert whole_ms[i] == 1000 * (CONFIG.eta_moved_near_s if near else CONFIG.eta_moved_far_s)
            assert left_ms[i] <= whole_ms[i]

    some = np.array([i for i, one in enumerate(shown) if one.eta is not None and len(one.eta.stop_ids)], np.int64)
    others, until_ms = in_other_buckets(shown, vans.tracks, some)
    for i, after_ms in zip(some.tolist(), until_ms.tolist(), strict=True):
        eta = shown[i].eta
        assert eta is not None
        buckets = bucket_of((eta.expected_ms - now[i].as_of_ms) / 1000).tolist()
        assert (i in others) == (buckets != shown[i].buckets.tolist())
        later = [
            bucket_of((eta.expected_ms - now[i].as_of_ms - min(after_ms, 10**9) - more_ms) / 1000).tolist()
            for more_ms in (0, 1)
        ]
        assert later[0] == buckets
        assert (later[1] == buckets) == (not any(buckets))
