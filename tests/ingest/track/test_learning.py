"""ETAs learn from what is over: once, whatever happens, and trackers come to know."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from geo.eta.model import COLD, Model, Row, RowKey
from geo.plan.plans import Plan
from ingest.drivers.models import ModelCache
from sql.eta.learning import eta_version, put_rows, rows_since
from tests.ingest.track import conftest
from tests.ingest.track.conftest import Fleet
from work.learn import etas as learn
from work.learn.etas import LEARN_AFTER_S, learn_etas
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_jobs


async def driven(fleet: Fleet, east, tour, name: str = "ana", east_m: Sequence[float] = (600, 1500)) -> int:
    """Let a driver serve the tour's stops; return the driver."""
    driver = await fleet.driver(name)
    phone = await fleet.phone(driver)
    await fleet.route(driver, east_m)
    for part in (tour[:5], tour[5:]):  # so that something is told before the van is there
        await fleet.send(phone, east(part))
        await fleet.settle()
    return driver


async def learned(fleet: Fleet) -> dict[tuple[str, str], tuple[float, float]]:
    """What was learned over all hours: n and mean by scope and key."""
    rows = await fleet.pool.fetch(
        "SELECT scope, key, n, mean FROM eta_drive UNION ALL SELECT scope, key, n, mean FROM eta_service"
    )
    return {(row["scope"], row["key"]): (row["n"], row["mean"]) for row in rows}


async def learn_all(fleet: Fleet, after_s: float = 0.0) -> None:
    while await learn_etas(fleet.pool, after_s=after_s):
        pass


async def test_a_closed_visit_is_learned_once(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    visits = await fleet.pool.fetch("SELECT departed_at - arrived_at AS stay FROM visit ORDER BY arrived_at")
    assert len(visits) == 2
    await learn_all(fleet)
    rows = await learned(fleet)
    n, mean = rows["service", ""]
    assert n == pytest.approx(2, rel=0.01)  # planned: a minute
    assert mean == pytest.approx(sum(row["stay"].total_seconds() / 60 for row in visits) / 2, rel=0.05)
    assert rows["drive", ""][0] > 0
    before = await fleet.pool.fetchval("SELECT eta_version FROM account")
    assert before >= 1
    await fleet.pool.execute("UPDATE eta_learned SET due_at = now() - interval '1 hour'")
    await learn_all(fleet)
    assert await learned(fleet) == rows
    assert await fleet.pool.fetchval("SELECT eta_version FROM account") == before
    assert await fleet.pool.fetchval("SELECT count(*) FROM eta_learned WHERE due_at IS NOT NULL") == 0


async def test_two_workers_at_once_learn_each_visit_once(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    await asyncio.gather(*(learn_all(fleet) for _ in range(4)))
    assert (await learned(fleet))["service", ""][0] == pytest.approx(2, rel=0.01)
    assert await fleet.pool.fetchval("SELECT eta_version FROM account") == 1


async def test_a_worker_that_dies_before_its_commit_has_learned_nothing(fleet: Fleet, east, tour, monkeypatch):
    await driven(fleet, east, tour)

    async def die(*_: object) -> None:
        raise asyncpg.ConnectionDoesNotExistError("the process was killed")

    with monkeypatch.context() as patch:
        patch.setattr(learn.eta_learning, "raise_eta_version", die)
        with pytest.raises(asyncpg.ConnectionDoesNotExistError):
            await learn_all(fleet)
    assert await learned(fleet) == {}
    await learn_all(fleet)
    assert (await learned(fleet))["service", ""][0] == pytest.approx(2, rel=0.01)
    assert await fleet.pool.fetchval("SELECT count(*) FROM eta_told WHERE learned_at IS NULL") == 0


async def test_an_eta_whose_window_still_lasts_is_judged_when_it_is_over(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    await fleet.pool.execute("UPDATE eta_told SET high = now() + interval '1 hour'")
    await learn_all(fleet)
    left = "SELECT count(*) FROM eta_told WHERE came_at IS NOT NULL AND learned_at IS NULL"
    assert await fleet.pool.fetchval(left) > 0
    await fleet.pool.execute("UPDATE eta_told SET high = now() - interval '1 second'")
    await learn_all(fleet)
    assert await fleet.pool.fetchval(left) == 0


async def test_what_is_corrected_later_is_not_learned_again(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    at_first_stop = [place for place in tour if place[1] == 600.0]
    await fleet.send(phone, east([place for place in tour if place not in at_first_stop[:5]]))
    await fleet.settle()
    await learn_all(fleet)
    rows = await learned(fleet)
    await fleet.send(phone, east(at_first_stop[:5]))
    await fleet.settle()
    corrected = await fleet.pool.fetchval("SELECT count(*) FROM event WHERE state = 'corrected'")
    assert corrected > 0
    await fleet.pool.execute("UPDATE eta_learned SET due_at = now() - interval '1 hour'")
    await learn_all(fleet)
    assert await learned(fleet) == rows


@pytest.fixture
def start(tour, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The tour of this test ended just now."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=tour[-1][0] + 10)
    monkeypatch.setattr(conftest, "START", start)
    return start


async def test_learning_waits_for_pings_on_their_way(start: datetime, fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    await learn_all(fleet, LEARN_AFTER_S)
    assert ("service", "") not in await learned(fleet)
    await fleet.pool.execute("UPDATE eta_learned SET due_at = now() - interval '1 hour'")
    gone_s = (datetime.now(UTC) - start).total_seconds()
    first_left = await fleet.pool.fetchval("SELECT min(departed_at) FROM visit")
    waits_s = gone_s - (first_left - start).total_seconds() - 5  # the first visit is over for longer, the second is not
    await learn_all(fleet, waits_s)
    assert (await learned(fleet))["service", ""][0] == pytest.approx(1, rel=0.01)
    assert await fleet.pool.fetchval("SELECT due_at FROM eta_learned") is not None  # its drive goes on
    await fleet.pool.execute("UPDATE eta_learned SET due_at = now() - interval '1 hour'")
    await learn_all(fleet)
    assert (await learned(fleet))["service", ""][0] == pytest.approx(2, rel=0.01)


async def test_what_is_not_settled_is_not_learned(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    await fleet.pool.execute("UPDATE track SET rerun_from = $1", conftest.START)
    await learn_all(fleet)
    assert {scope for scope, _ in await learned(fleet)} <= {"delay"}  # of ETAs, not of drives


async def test_accounts_learn_for_themselves(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)
    other = await fleet.pool.fetchval("INSERT INTO account (name) VALUES ('other') RETURNING id")
    await learn_all(fleet)
    assert await rows_since(fleet.pool, fleet.account_id, 0)
    assert not await rows_since(fleet.pool, other, 0)
    assert await eta_version(fleet.pool, other) == 0


async def model_of(fleet: Fleet, cache: ModelCache, plan: Plan | None) -> Model:
    async with fleet.pool.acquire() as db:
        known = await cache.of_accounts(db, [fleet.account_id])
        await cache.know(db, [(fleet.account_id, plan)])
        return known[fleet.account_id].model


async def test_a_tracker_reads_what_was_learned_after_its_next_take(fleet: Fleet, east, tour):
    driver = await driven(fleet, east, tour)
    assert fleet.tracker is not None
    cache = fleet.tracker._cache
    (plan,) = cache.plans._known[driver].timeline.plans
    assert (await model_of(fleet, cache.models, plan)).version == 0
    await learn_all(fleet)
    assert (await model_of(fleet, cache.models, plan)).version == 0  # nobody waits for it
    await fleet.send(await fleet.phone(await fleet.driver("bo")), east([(0, 0)]))
    await fleet.settle()
    model = await model_of(fleet, cache.models, plan)
    assert model.version == await eta_version(fleet.pool, fleet.account_id) > 0
    learned_rows = await rows_since(fleet.pool, fleet.account_id, 0)
    assert model.rows == learned_rows
    assert model.outlook(plan).columns[2].sum() > COLD.outlook(plan).columns[2].sum()  # services took longer

    fresh = ModelCache()  # of a tracker that starts now
    assert (await model_of(fleet, fresh, plan)).rows == learned_rows


async def test_only_what_concerns_the_plans_being_driven_is_read(fleet: Fleet, east, tour):
    driver = await driven(fleet, east, tour)
    await learn_all(fleet)
    elsewhere = RowKey("service_place", "0.0000,0.0000")
    await put_rows(fleet.pool, fleet.account_id, 1, {elsewhere: Row(n=1.0, mean=2.0, m2=0.0, as_of_ms=0)})
    assert fleet.tracker is not None
    (plan,) = fleet.tracker._cache.plans._known[driver].timeline.plans
    cache = ModelCache()
    assert {key.scope for key in (await model_of(fleet, cache, None)).rows} <= {"delay"}
    rows = (await model_of(fleet, cache, plan)).rows
    assert elsewhere not in rows
    assert len(rows) == len(await rows_since(fleet.pool, fleet.account_id, 0)) - 1


async def test_what_was_not_seen_for_long_is_forgotten(fleet: Fleet, east, tour):
    await driven(fleet, east, tour)  # months ago
    await learn_all(fleet)

    async def forget(days: float) -> None:
        jobs = retention_jobs(
            RetentionConfig(eta_retention_days=days), oldest_ping_days=30.0, proof_retention_days=730.0
        )
        await next(job for job in jobs if job.name == "ETA retention").do(fleet.pool)

    age_days = (datetime.now(UTC) - conftest.START).days
    await forget(age_days + 10)
    assert await learned(fleet) != {}
    assert await fleet.pool.fetchval("SELECT count(*) FROM eta_told") > 0
    await fleet.pool.execute("UPDATE eta_learned SET noted_at = $1", conftest.START)
    await forget(age_days - 10)
    assert await fleet.pool.fetchval("SELECT count(*) FROM eta_learned") == 0
    assert await learned(fleet) == {}
    assert await fleet.pool.fetchval("SELECT count(*) FROM eta_told") == 0
