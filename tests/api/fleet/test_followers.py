"""A stream with a view: at once what is in it and what somebody has to know, the rest soon; and nothing is lost."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from api.fleet.followers import MOST_UNSURE, Follower, Followers, View
from api.fleet.position_view import status_of
from api.fleet.shared_changes import SharedChanges
from api.stream.signals import Watch
from sql.track.live import LivePosition
from tests.api.fleet.test_shared_changes import ALL, ANA, AT, names

HERE = View(box=(-76.0, 6.0, -75.0, 7.0), drivers=frozenset())
THERE = View(box=(10.0, 6.0, 11.0, 7.0), drivers=frozenset())
ELSEWHERE_S = 10.0
FAR = replace(ANA, lon_e6=10_500_000)
SHARED = SharedChanges(cast(Any, None))


def follower(view: View | None = HERE, *, account_id: int = 7) -> Follower:
    return Follower(account_id=account_id, wanted=ALL, view=view, elsewhere_s=ELSEWHERE_S)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def told(one: Follower, positions: dict[int, LivePosition], seconds: float = 0.0) -> list[tuple[str, list[str]]]:
    return names(one.told(SHARED, positions, after(seconds)))


CHANGES = [
    ("comes into the view", FAR, ANA, True),
    ("moves in it", ANA, replace(ANA, lon_e6=-75_500_000), True),
    ("leaves it", ANA, FAR, True),
    ("moves elsewhere", FAR, replace(FAR, lon_e6=10_600_000), False),
    ("falls silent elsewhere", FAR, replace(FAR, silent=True), True),
    ("leaves its route elsewhere", FAR, replace(FAR, on_route=False), True),
    ("becomes late elsewhere", FAR, replace(FAR, delay_s=901.0), True),
    ("is a little later elsewhere", FAR, replace(FAR, delay_s=300.0), False),
    ("calls for help elsewhere", FAR, replace(FAR, alarm="sos", alarm_at=AT), True),
    ("begins a break elsewhere", FAR, replace(FAR, break_since=AT), True),
    ("comes to a stop elsewhere", FAR, replace(FAR, at_stop_id=4), True),
]


@pytest.mark.parametrize(("before", "now", "at_once"), [one[1:] for one in CHANGES], ids=[one[0] for one in CHANGES])
def test_who_is_in_view_or_needs_somebody_is_told_at_once(
    before: LivePosition, now: LivePosition, at_once: bool
) -> None:
    one = follower()
    assert told(one, {1: before}) == [("snapshot", ["dr_1"])]
    assert told(one, moved := {1: now}, 0.25) == ([("changed", ["dr_1"])] if at_once else [])
    assert told(one, moved, 0.5 + ELSEWHERE_S) == ([] if at_once else [("changed", ["dr_1"])])
    assert told(one, moved, 0.5 + 2 * ELSEWHERE_S) == []


def test_who_is_selected_is_told_at_once_wherever_they_are() -> None:
    one = follower(replace(HERE, drivers=frozenset({1})))
    told(one, {1: FAR, 2: replace(FAR, driver_id=2)})
    moved = {n: replace(FAR, driver_id=n, lon_e6=10_600_000) for n in (1, 2)}
    assert told(one, moved, 0.25) == [("changed", ["dr_1"])]


def test_who_is_new_or_gone_is_told_at_once() -> None:
    one = follower()
    told(one, {1: FAR})
    assert told(one, {2: replace(FAR, driver_id=2)}, 0.25) == [("changed", ["dr_2"]), ("gone", ["dr_1"])]


def test_a_view_that_moves_is_told_what_was_owed_there_and_the_rest_in_its_turn() -> None:
    followers, old = Followers(cast(Any, None)), follower()
    nowhere = replace(ANA, driver_id=2, lon_e6=50_000_000)
    told(old, {1: FAR, 2: nowhere})
    moved = {1: replace(FAR, lon_e6=10_600_000), 2: replace(nowhere, lon_e6=51_000_000)}
    assert told(old, moved, 0.25) == []
    with followers.following(old, Watch()):
        new = followers.begin(follower(THERE), f"{old.name}.1")
    assert old.is_over
    assert told(new, moved, 0.5) == [("changed", ["dr_1"])]
    assert told(new, moved, 0.75 + ELSEWHERE_S) == [("changed", ["dr_2"])]


def test_what_was_sent_and_perhaps_not_read_is_told_again() -> None:
    followers, old = Followers(cast(Any, None)), follower()
    positions = {n: replace(ANA, driver_id=n) for n in (1, 2, 3)}
    told(old, positions)
    told(old, positions := positions | {1: replace(ANA, lon_e6=-75_500_000)}, 0.25)
    told(old, positions := {n: one for n, one in positions.items() if n != 3}, 0.5)
    with followers.following(old, Watch()):
        pass
    for read, again in ((3, []), (2, [("gone", ["dr_3"])]), (1, [("changed", ["dr_1"]), ("gone", ["dr_3"])])):
        assert told(followers.begin(follower(), f"{old.name}.{read}"), positions, 0.75) == again


@pytest.mark.parametrize("last", ["", "12", "nobody.1", "{name}.99", "{name}.-1", "{name}.x", "{name}." + "9" * 5_000])
def test_what_cannot_be_gone_on_with_begins_with_everything(last: str) -> None:
    followers, old = Followers(cast(Any, None)), follower()
    told(old, {1: ANA})
    with followers.following(old, Watch()):
        new = followers.begin(follower(), last.format(name=old.name))
        assert told(new, {1: ANA}) == [("snapshot", ["dr_1"])]
        assert not (last and old.is_over and "99" not in last)


def test_nobody_goes_on_with_the_stream_of_another_account() -> None:
    followers, old = Followers(cast(Any, None)), follower()
    told(old, {1: ANA})
    with followers.following(old, Watch()):
        assert told(followers.begin(follower(account_id=8), f"{old.name}.1"), {}) == [("snapshot", [])]
    assert not old.is_over


def test_who_read_nothing_for_long_begins_with_everything() -> None:
    followers, old = Followers(cast(Any, None)), follower()
    for n in range(MOST_UNSURE + 2):
        told(old, {1: replace(ANA, lon_e6=-75_500_000 + n)}, n / 4)
    with followers.following(old, Watch()):
        pass
    assert told(followers.begin(follower(), f"{old.name}.1"), {1: ANA}, 9.0) == [("snapshot", ["dr_1"])]


class Map:
    """A client: what it was told, and the last event that it read."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.last = ""

    def read(self, one: Follower, number: int, event: str, data: bytes) -> None:
        said = json.loads(data)
        if event == "snapshot":
            self.seen.clear()
        for feature in said.get("features", ()):
            self.seen[feature["id"]] = [*feature["geometry"]["coordinates"], feature["properties"]["status"]]
        for driver_id in said.get("driver_ids", ()):
            self.seen.pop(driver_id, None)
        self.last = f"{one.name}.{number}"


def of_map(position: LivePosition, at: datetime) -> Any:
    return [position.lon_e6 / 1e6, position.lat_e6 / 1e6, status_of(position, at)]


def days(rng: random.Random, positions: dict[int, LivePosition]) -> Iterator[dict[int, LivePosition]]:
    """Vans come, go, drive through both views and out of them, and fall silent."""
    for _ in range(150):
        for n in rng.sample(range(1, 31), 4):
            if rng.random() < 0.1:
                positions = {id_: one for id_, one in positions.items() if id_ != n}
                continue
            lon_e6 = rng.choice([-75_500_000, 10_500_000, 40_000_000]) + rng.randrange(100_000)
            here = replace(ANA, driver_id=n, lon_e6=lon_e6, silent=rng.random() < 0.1)
            positions = positions | {n: here}
        yield positions


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_when_the_view_moves_and_the_stream_is_cut(seed: int) -> None:
    rng, followers, shared, client = (
        random.Random(seed),
        Followers(cast(Any, None)),
        SharedChanges(cast(Any, None)),
        Map(),
    )
    view, one, sent, second = HERE, follower(), 0, 0.0
    for positions in days(rng, {}):
        second += 0.25
        events = one.told(shared, positions, after(second))
        reads = len(events) if rng.random() < 0.8 else rng.randrange(len(events) + 1)
        for n, (event, data) in enumerate(events):
            if n < reads:
                client.read(one, sent + n + 1, event, data)
        sent += len(events)
        if reads == len(events):
            inside = {f"dr_{n}": of_map(van, after(second)) for n, van in positions.items() if view.shows(van)}
            assert {n: client.seen[n] for n in inside} == inside
            states = {f"dr_{n}": status_of(van, after(second)) for n, van in positions.items()}
            assert {n: van[-1] for n, van in client.seen.items()} == states
        if reads < len(events) or rng.random() < 0.1:  # cut, or the map was moved
            with followers.following(one, Watch()):
                view = rng.choice([HERE, THERE])
                one, sent = followers.begin(follower(view), client.last), 0
    for n in range(60):
        for event, data in one.told(shared, positions, after(second + n / 4)):
            client.read(one, 0, event, data)
    assert client.seen == {f"dr_{n}": of_map(van, after(second)) for n, van in positions.items()}
