"""A van that sends nothing any more is shown otherwise after a while, and whoever looks is told by the clock alone."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from api.fleet import positions
from api.fleet.lapses import Lapses
from api.fleet.position_view import SPEED_HOLDS_S, state_of, telling
from api.fleet.shared_changes import SharedChanges
from api.http.config import ApiConfig
from sql.account.shifts import LONGEST_BREAK
from sql.clock import ServerClock
from sql.pool import Pool
from sql.track.live import ALARM_SHOWN, LivePosition
from tests.api.fleet.test_followers import FAR, follower, names, told
from tests.api.fleet.test_shared_changes import ANA, AT
from tests.api.stream.streams import next_event
from tests.api.tour_rows import Tour

HOLDS = timedelta(seconds=SPEED_HOLDS_S)
MOMENT = timedelta(milliseconds=1)


@pytest.fixture
def api_config(api_config: ApiConfig) -> ApiConfig:
    return replace(api_config, stream_elsewhere_s=600.0)  # no machine is so slow


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, positions.operations.add_to]


class SetClock(ServerClock):
    """A clock that stands where the test puts it."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at = at

    def now(self) -> datetime:
        return self.at


@pytest.mark.parametrize(
    ("one", "moments"),
    [
        (ANA, [HOLDS]),
        (replace(ANA, alarm="sos", alarm_at=AT), [HOLDS, ALARM_SHOWN]),
        (replace(ANA, break_since=AT), [HOLDS, LONGEST_BREAK]),
        (replace(ANA, recorded_at=AT - timedelta(hours=1)), []),
    ],
    ids=["moves", "calls for help", "on a break", "silent for long"],
)
def test_each_moment_is_told_once_and_never_too_soon(one: LivePosition, moments: list[timedelta]) -> None:
    lapses, seen = Lapses(), []
    lapses.note([one], AT)
    while lapses.next_at < AT + timedelta(days=2):
        at = lapses.next_at
        assert lapses.over(at) == []
        assert telling(one, seen[-1] + MOMENT if seen else AT) == telling(one, at - MOMENT)
        assert lapses.over(at + MOMENT) == [one.driver_id]
        assert lapses.over(at + MOMENT) == []
        assert telling(one, at + MOMENT) != telling(one, at - MOMENT)
        lapses.note([one], at + MOMENT)
        seen.append(at)
    assert [at - AT for at in seen] == moments


@pytest.mark.parametrize("seed", range(10))
def test_of_a_fleet_nobody_is_forgotten(seed: int) -> None:
    """What was shown, and whoever was named since, is what is shown now."""
    rng, lapses, now = random.Random(seed), Lapses(), AT
    fleet: dict[int, LivePosition] = {}
    shown: dict[int, Any] = {}
    for _ in range(300):
        now += timedelta(seconds=rng.uniform(0, 8))
        again = [fleet[n] for n in lapses.over(now)]
        if rng.random() < 0.7:
            at = now - timedelta(seconds=rng.choice([0, 2, 55, 90]))
            since = rng.choice([None, now - LONGEST_BREAK + timedelta(seconds=20)])
            n = rng.randrange(20)
            fleet[n] = replace(ANA, driver_id=n, recorded_at=at, break_since=since)
            again.append(fleet[n])
        lapses.note(again, now)
        shown |= {one.driver_id: telling(one, now) for one in again}
        assert shown == {n: telling(one, now) for n, one in fleet.items()}


def test_who_stands_by_now_is_told_at_once_wherever_they_are() -> None:
    one = follower()
    assert told(one, {1: FAR}) == [("snapshot", ["dr_1"])]
    assert state_of(FAR, AT) != state_of(FAR, AT + HOLDS + MOMENT)
    later = one.told(SharedChanges(cast(Any, None)), {1: replace(FAR)}, AT + HOLDS + MOMENT)
    assert names(later) == [("changed", ["dr_1"])]


async def test_a_stream_tells_by_the_clock_who_drives_no_more(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "LOOK_AGAIN_S", 3_600.0)
    seen_at = datetime.now(UTC)
    tour = await Tour.put(pool, account.id, start_at=seen_at)
    await tour.see_van(100, at=seen_at, speed_mps=8.0)
    clock = pool.clock = SetClock(seen_at + HOLDS - MOMENT)
    async with client.get("/v1/positions/stream?view=10,6,11,7", headers=account.headers) as response:
        event, said = await next_event(response)
        assert (event, [one["properties"]["status"] for one in said["features"]]) == ("snapshot", ["moving"])
        clock.at = seen_at + HOLDS + MOMENT
        event, said = await next_event(response)
        assert (event, [one["properties"]["status"] for one in said["features"]]) == ("changed", ["stopped"])
