"""The take as a list: what its steps are, what they may change, and what they cost."""

import gc
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.config import IngestConfig
from ingest.drivers.cache import TrackCache
from ingest.track.again import next_steps
from ingest.track.batch import Batch, Limits
from ingest.track.take import STEPS, named
from sql.account.drivers import list_drivers
from sql.pool import Connection
from tests.ingest.track.conftest import Fleet
from tests.ingest.track.trackers import Trackers, with_step

HOUSE = Path(__file__).resolve().parents[3]
PAGE = HOUSE / "docs/explanation/way-of-a-ping.md"


def test_the_page_shows_the_steps_in_order_with_the_file_of_each() -> None:
    told = re.findall(r"^ *\| `(\w+)` \| `([\w/]+\.py)` \|", PAGE.read_text(), re.MULTILINE)
    assert told == [(named(step), f"{step.__module__.replace('.', '/')}.py") for step in STEPS]


def test_every_file_of_a_step_is_short() -> None:
    for path in {f"{step.__module__.replace('.', '/')}.py" for step in STEPS}:
        assert len((HOUSE / path).read_text().splitlines()) <= 200, path


async def test_a_step_changes_only_what_it_gives_back(fleet: Fleet, east: Any) -> None:
    """What was read of drivers and how far they have come is sealed, before and after every step."""
    seen: list[str] = []

    def sealed(step: Any) -> Any:
        async def checked(db: Connection, batch: Batch) -> Batch:
            for part in (batch.drivers, batch.progress):
                for field in fields(part):
                    if isinstance(column := getattr(part, field.name), np.ndarray):
                        assert not column.flags.writeable, field.name
            with pytest.raises(FrozenInstanceError):
                batch.sent = batch.sent  # type: ignore[misc]
            seen.append(named(step))
            return await step(db, batch)

        return checked

    phone = await fleet.phone(await fleet.driver())
    await fleet.take_in_steps([sealed(step) for step in STEPS])
    await fleet.send(phone, east([(20, 160), (30, 240)]))
    await fleet.settle()
    await fleet.send(phone, east([(10, 80)]))  # a late one: goes back
    await fleet.settle()
    assert seen[: len(STEPS)] == [named(step) for step in STEPS]
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 3


async def test_a_tracker_takes_in_the_steps_it_is_given(fleet: Fleet, east: Any) -> None:
    async def tell_nobody(_: Connection, batch: Batch) -> Batch:
        return batch

    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    trackers = Trackers(fleet, IngestConfig(rerun_every_s=0.0), steps=with_step("tell_etas", tell_nobody))
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await trackers.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM live") == 1
    assert await fleet.pool.fetchval("SELECT count(*) FROM route_eta") == 0


async def test_a_full_cache_forgets_who_was_met_longest_ago_and_nobody_else(fleet: Fleet, east: Any) -> None:
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo", "cy")]
    await fleet.send(phones[0], east([(0, 0)]))
    await fleet.settle()
    assert fleet.tracker is not None
    cache = fleet.tracker._cache = TrackCache(most=2)
    for phone, second in ((phones[0], 10), (phones[1], 10), (phones[0], 20), (phones[2], 10), (phones[1], 20)):
        await fleet.send(phone, east([(second, 8 * second)]))
        await fleet.settle()
    assert [phone.driver_id in cache for phone in phones] == [False, True, True]
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 6
    assert len(await list_drivers(fleet.pool, account_id=fleet.account_id, after=0, limit=9)) == 3


class _Counted(np.ndarray):
    """A column that counts how many of its entries are looked at by whole-column arithmetic."""

    looked_at = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        _Counted.looked_at += sum(one.size for one in inputs if isinstance(one, _Counted))
        plain = [np.asarray(one) if isinstance(one, _Counted) else one for one in inputs]
        return getattr(ufunc, method)(*plain, **kwargs)


def test_whose_pings_are_whose_is_not_looked_up_in_all_of_them_for_each_driver() -> None:
    drivers, each = 500, 20
    of = np.repeat(np.arange(drivers), each)
    recorded_ms = np.tile(np.arange(each), drivers)
    begin, end = np.arange(0, drivers * each, each), np.arange(each, drivers * each + 1, each)
    _Counted.looked_at = 0
    now, last = next_steps(of.view(_Counted), recorded_ms.view(_Counted), begin, end, each - 1)
    assert _Counted.looked_at < 50 * len(of)  # a mask for each driver looks at each ping as often as there are drivers
    assert np.asarray(now).sum() == drivers * (each - 1)
    assert [int(one) for one in last] == [int(one) - 1 for one in end]


def test_one_millisecond_is_never_cut() -> None:
    of = np.array([0, 0, 0, 0, 1, 1, 1])
    recorded_ms = np.array([1, 2, 2, 3, 5, 5, 5])
    now, last = next_steps(of, recorded_ms, np.array([0, 4]), np.array([4, 7]), 2)
    assert now.tolist() == [True, False, False, False, True, True, True]
    assert list(last) == [1, 7]


def test_limits_are_what_a_day_of_pings_needs() -> None:
    assert Limits() == Limits(steps=256, behind=32, parts=256)


async def test_a_take_leaves_nothing_to_look_for(fleet: Fleet, east: Any) -> None:
    """Cycles are looked for seldom (`reparto.process.process`): what a take made goes when the take is over."""
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0)]))
    await fleet.settle()
    gc.collect()
    for at in range(10, 60, 10):
        await fleet.send(phone, east([(at, 8 * at)]))
        await fleet.settle()
    assert gc.collect() < 20
