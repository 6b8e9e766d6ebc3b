"""Accounts that keep only what was recorded in a shift: the rest is held back, claimed by a shift, or deleted."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import numpy as np
import pytest

from api.driver.events.body import Event, read_event
from api.driver.events.record import record
from api.http.config import ApiConfig
from ingest.config import IngestConfig
from ingest.track.batch import Limits
from ingest.track.silence import notice_silence
from ingest.track.take import STEPS
from sql.account.accounts import change_account_settings
from sql.account.devices import DeviceRow
from sql.inbox.quarantine import Quarantined, list_quarantined, put_quarantined
from sql.pings.held import release_held
from sql.track.lanes import lock_lanes
from tests.ingest.track.conftest import START, Fleet, Phone, after, pings_east
from tests.ingest.track.street import LAT
from tests.ingest.track.trackers import Trackers, deadly, kill_at_commit
from work.upkeep.config import RetentionConfig
from work.upkeep.retention import retention_jobs

_FORGET = """
TRUNCATE driver_event, packed_ping, track, checkpoint, live, visit, event, route_eta, lane_attempt, inbox, held;
UPDATE stop SET status = 'pending', arrived_at = NULL, departed_at = NULL;
UPDATE route SET status = 'planned', started_at = NULL, finished_at = NULL
"""


async def set_policy(fleet: Fleet, policy: str) -> None:
    """Do what the API does when an admin sets `location_policy`."""
    async with fleet.pool.acquire() as db, db.transaction():
        await lock_lanes(db, range(64))
        await change_account_settings(db, fleet.account_id, {"location_policy": policy})
        if policy == "always":
            await release_held(db, account_id=fleet.account_id)


async def say(fleet: Fleet, phone: Phone, kind: str, seconds: float, event_id: int | None = None) -> None:
    """Have a driver's app say something, through the API's own door."""
    raw = {
        "id": str(UUID(int=event_id if event_id is not None else random.Random(f"{kind}{seconds}").getrandbits(128))),
        "type": kind,
        "occurred_at": after(seconds).isoformat(),
    }
    event = read_event(raw, "/events/0", now=after(90_000), oldest=after(-90_000), config=ApiConfig())
    assert isinstance(event, Event)
    device = DeviceRow(
        id=phone.device_id, account_id=fleet.account_id, driver_id=phone.driver_id, lane=phone.lane, app="native"
    )
    cases = await record(fleet.pool, device, [event], ApiConfig(), now=after(90_000), spend=lambda _: None)
    assert [case.refused for case in cases.values()] == [None]


async def send(
    fleet: Fleet, phone: Phone, places: Sequence[tuple[float, float]], received_at: datetime | None = None
) -> None:
    """Send pings that arrive now, or did at a time."""
    asked = "SELECT coalesce(shift_only_since, working_since) IS NOT NULL FROM account WHERE id = $1"
    # clearly on one side of it: months after they were recorded this is kept to two seconds
    apart_s = 10 if await fleet.pool.fetchval(asked, fleet.account_id) else -10
    now = datetime.now(UTC) + timedelta(seconds=apart_s)
    await fleet.send(phone, pings_east(places), received_at=received_at or now)


async def seconds_kept(fleet: Fleet) -> list[float]:
    rows = await fleet.pool.fetch("SELECT recorded_at FROM ping ORDER BY recorded_at")
    return [(row["recorded_at"] - START).total_seconds() for row in rows]


async def count(fleet: Fleet, table: str) -> int:
    return await fleet.pool.fetchval(f"SELECT count(*) FROM {table}")


@pytest.fixture
async def phone(fleet: Fleet) -> Phone:
    """The phone of a driver whose account keeps only shifts; they have a tour."""
    driver = await fleet.driver()
    await fleet.route(driver, [600, 1500])
    await set_policy(fleet, "shift")
    return await fleet.phone(driver)


async def test_what_lies_outside_every_shift_is_held_and_told_nowhere(fleet: Fleet, phone: Phone, tour):
    await send(fleet, phone, tour)
    lat = np.int32(round(LAT * 1e6)).tobytes()
    assert lat in await fleet.pool.fetchval("SELECT body FROM inbox ORDER BY id LIMIT 1")
    await fleet.settle()
    assert [await count(fleet, table) for table in ("ping", "live", "visit", "event", "route_eta", "inbox")] == [0] * 6
    bodies = await fleet.pool.fetch("SELECT body FROM held")
    assert bodies
    assert not any(lat in row["body"] for row in bodies)


async def test_both_ends_of_a_shift_belong_to_it(fleet: Fleet, phone: Phone):
    await say(fleet, phone, "shift_started", 10)
    await say(fleet, phone, "shift_ended", 30)
    await send(fleet, phone, [(9.999, 0), (10, 10), (20, 20), (30, 30), (30.001, 40)])
    await fleet.settle()
    assert await seconds_kept(fleet) == [10, 20, 30]


async def test_a_shift_without_an_end_counts_so_long(fleet: Fleet, phone: Phone):
    fleet.config = replace(fleet.config, longest_shift_hours=0.01)  # 36 s
    await say(fleet, phone, "shift_started", 0)
    await say(fleet, phone, "shift_ended", 60)
    await send(fleet, phone, [(36, 0), (37, 10)])
    await fleet.settle()
    assert await seconds_kept(fleet) == [36]


async def test_a_late_start_claims_what_was_held(fleet: Fleet, phone: Phone, tour):
    await say(fleet, phone, "shift_started", 100)
    await send(fleet, phone, tour)
    await fleet.settle()
    expected = await fleet.history()
    assert expected["visits"]

    await fleet.pool.execute(_FORGET)
    await fleet.restart()
    await send(fleet, phone, tour)
    await fleet.settle()
    assert await seconds_kept(fleet) == []
    await say(fleet, phone, "shift_started", 300)
    await fleet.settle()
    assert min(await seconds_kept(fleet)) == 300
    await say(fleet, phone, "shift_started", 100)
    await fleet.settle()
    assert await fleet.history() == expected


async def test_held_pings_keep_their_time(fleet: Fleet, phone: Phone, tour):
    await send(fleet, phone, tour, datetime.now(UTC))
    await fleet.settle()
    until = await fleet.pool.fetchval("SELECT max(expires_at) FROM held")
    assert timedelta(hours=23, minutes=49) < until - datetime.now(UTC) <= timedelta(hours=24)
    await say(fleet, phone, "shift_started", 5_000)
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT max(expires_at) FROM held") == until


async def test_a_late_end_takes_back_what_came_after_it(fleet: Fleet, phone: Phone, tour):
    await say(fleet, phone, "shift_started", -10)
    await send(fleet, phone, tour)
    await fleet.settle()
    whole = await fleet.history()
    assert len(whole["visits"]) == 2
    end_s = min(seconds for seconds, metres in tour if metres == 1500) - 20
    await say(fleet, phone, "shift_ended", end_s)
    await fleet.settle()

    assert max(await seconds_kept(fleet)) <= end_s
    (live,) = await fleet.pool.fetch("SELECT recorded_at FROM live")
    assert live["recorded_at"] == START + timedelta(seconds=max(await seconds_kept(fleet)))
    assert await fleet.pool.fetchval("SELECT bool_and(as_of <= $1) FROM route_eta", after(end_s))
    assert await count(fleet, "visit") == 1
    stops = await fleet.pool.fetch("SELECT status FROM stop ORDER BY seq")
    assert [row["status"] for row in stops] == ["arrived", "pending"]
    assert not await fleet.pool.fetchval("SELECT count(*) FROM checkpoint WHERE folded_until > $1", after(end_s))
    taken_back = await fleet.pool.fetch("SELECT state, data FROM event WHERE folded_at > $1 ORDER BY id", after(end_s))
    assert {row["state"] for row in taken_back} == {"asserted", "retracted"}
    assert not any({"lat", "lon", "along_m", "offset_m"} & row["data"].keys() for row in taken_back)

    await say(fleet, phone, "shift_started", end_s + 1)  # the driver went on after all
    await fleet.settle()
    assert len(await seconds_kept(fleet)) == len(whole["pings"])
    assert await count(fleet, "visit") == 2


@pytest.mark.parametrize("folds", [True, False], ids=["folded at once", "others come first"])
async def test_nothing_is_shown_of_it_from_the_first_take_on(fleet: Fleet, phone: Phone, tour, folds):
    fleet.config = replace(fleet.config, rerun_every_s=3_600)
    await say(fleet, phone, "shift_started", -10)
    await send(fleet, phone, tour[:20])
    await fleet.settle()
    assert [await count(fleet, table) for table in ("live", "route_eta")] == [1, 1]
    await fleet.pool.execute("UPDATE track SET rerun_at = now()")
    await say(fleet, phone, "shift_ended", 95)
    await send(fleet, phone, [(5_000, 0)])
    await fleet.take_less(behind=32 if folds else 0)
    await fleet.turn()
    await fleet.take_less()
    shown = await fleet.pool.fetch("SELECT recorded_at FROM live UNION ALL SELECT as_of FROM route_eta")
    assert [row["recorded_at"] for row in shown] == ([after(90), after(90)] if folds else [])
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == after(90)
    assert await fleet.pool.fetchval("SELECT as_of FROM route_eta") == after(90)
    assert await fleet.pool.fetchval("SELECT count(*) FROM track WHERE shifts_from IS NOT NULL") == 0


async def test_proofs_and_detours_forget_the_places_too(fleet: Fleet, phone: Phone, tour):
    await say(fleet, phone, "shift_started", -10)
    await send(fleet, phone, tour)
    await fleet.settle()
    for seconds in (50, 200):
        await fleet.pool.execute(
            "INSERT INTO proof (account_id, driver_id, upload_id, stop_id, kind, fix_checked_at, fix_at, fix_lat,"
            " fix_lon) SELECT $1, $2, gen_random_uuid(), max(id), 'photo', now(), $3, 1, 1 FROM stop",
            fleet.account_id, phone.driver_id, after(seconds),
        )  # fmt: skip
        await fleet.pool.execute(
            "INSERT INTO detour (route_id, driver_id, from_at, to_at, source, length_m, path, pings, checked_at)"
            " SELECT id, $1, $2, $3, 'road', 100, '[[[1, 1], [2, 2]]]', 9, now() FROM route",
            phone.driver_id, after(seconds), after(seconds + 40),
        )  # fmt: skip
    await say(fleet, phone, "shift_ended", 95)
    await fleet.settle()
    proofs = await fleet.pool.fetch("SELECT fix_at, fix_lat, fix_checked_at IS NULL AS open FROM proof ORDER BY fix_at")
    assert [tuple(row) for row in proofs] == [(after(50), 1, False), (None, None, True)]
    detours = await fleet.pool.fetch("SELECT path <> '[]' AS has_path, checked_at IS NULL FROM detour ORDER BY from_at")
    assert [tuple(row) for row in detours] == [(True, False), (False, True)]


async def test_a_driver_without_a_ping_in_a_shift_is_nowhere(fleet: Fleet, phone: Phone, tour):
    await say(fleet, phone, "shift_started", -100)
    await send(fleet, phone, tour)
    await fleet.settle()
    assert await count(fleet, "live") == 1
    await say(fleet, phone, "shift_ended", -50)
    await fleet.settle()
    assert [await count(fleet, table) for table in ("ping", "live", "visit", "route_eta")] == [0] * 4


async def test_what_cannot_be_opened_stays_sealed_is_shown_once_and_comes_back_when_it_can(fleet: Fleet, phone: Phone):
    await send(fleet, phone, [(0, 0), (10, 10)])
    await fleet.settle()
    spoil = "UPDATE held SET body = set_byte(body, 40, get_byte(body, 40) # 1)"
    await fleet.pool.execute(spoil)
    expires_at = await fleet.pool.fetchval("SELECT expires_at FROM held")
    for event_id, kind, seconds in ((1, "shift_started", -5), (2, "shift_ended", 60)):
        await say(fleet, phone, kind, seconds, event_id)
        await fleet.settle()
        assert await count(fleet, "ping") == 0
    (row,) = await fleet.pool.fetch("SELECT * FROM held")
    assert (row["expires_at"], row["unreadable"]) == (expires_at, True)
    (entry,) = await list_quarantined(fleet.pool, account_id=fleet.account_id, after_id=None, limit=10)
    assert (entry.reason, entry.driver_id, entry.body) == ("unreadable-held", phone.driver_id, b"")
    assert abs(datetime.now(UTC) - entry.received_at) < timedelta(minutes=5)
    await fleet.pool.execute(spoil)
    await say(fleet, phone, "shift_started", -10, 3)
    await fleet.settle()
    assert await seconds_kept(fleet) == [0, 10]
    assert await count(fleet, "held") == 0


@pytest.mark.parametrize("deleted", [False, True], ids=["before work looks", "after work looked"])
async def test_what_nobody_claims_in_time_is_gone(fleet: Fleet, phone: Phone, tour, deleted):
    await send(fleet, phone, tour)
    await fleet.settle()
    await fleet.pool.execute("UPDATE held SET expires_at = now()")
    if deleted:
        jobs = retention_jobs(RetentionConfig(), oldest_ping_days=30.0, proof_retention_days=730.0)
        assert await next(job for job in jobs if job.name == "held pings").do(fleet.pool) is False
        assert await count(fleet, "held") == 0
    await say(fleet, phone, "shift_started", -10)
    await fleet.settle()
    assert [await count(fleet, table) for table in ("ping", "held")] == [0, 0]


async def test_what_came_a_day_ago_is_not_held_any_more(fleet: Fleet, phone: Phone, tour):
    await fleet.pool.execute("UPDATE account SET shift_only_since = now() - interval '9 days'")
    await fleet.send(phone, pings_east(tour), received_at=datetime.now(UTC) - timedelta(hours=25))
    await fleet.settle()
    assert [await count(fleet, table) for table in ("ping", "held")] == [0, 0]


async def test_what_is_held_of_another_driver_cannot_be_read(fleet: Fleet, phone: Phone, tour):
    other = await fleet.phone(await fleet.driver("bo"))
    await send(fleet, phone, tour)
    await fleet.settle()
    await fleet.pool.execute("UPDATE held SET lane = $1, driver_id = $2", other.lane, other.driver_id)
    await say(fleet, other, "shift_started", -10)
    await fleet.settle()
    assert [await count(fleet, table) for table in ("ping", "held")] == [0, 1]


async def test_the_policy_counts_for_what_comes_from_then_on(fleet: Fleet, tour):
    phone = await fleet.phone(await fleet.driver())
    await send(fleet, phone, tour[:10])
    await fleet.settle()
    before = datetime.now(UTC) - timedelta(seconds=5)
    await send(fleet, phone, tour[10:20], before)  # came before it, taken after it
    await set_policy(fleet, "shift")
    await send(fleet, phone, tour[20:30])
    await fleet.settle()
    kept = [seconds for seconds, _ in tour[:20]]
    assert await seconds_kept(fleet) == kept
    await say(fleet, phone, "shift_started", -100)
    await say(fleet, phone, "shift_ended", -50)
    await fleet.settle()
    assert await seconds_kept(fleet) == kept
    await set_policy(fleet, "always")
    await fleet.settle()
    assert await seconds_kept(fleet) == [seconds for seconds, _ in tour[:30]]
    assert await count(fleet, "held") == 0


async def test_the_policy_counts_from_the_millisecond_it_was_set_in(fleet: Fleet):
    """Pings know to the millisecond when they came, cut: the policy must not begin after one that came later."""
    await set_policy(fleet, "shift")
    since = await fleet.pool.fetchval("SELECT shift_only_since FROM account WHERE id = $1", fleet.account_id)
    assert since.microsecond % 1000 == 0
    assert since <= datetime.now(UTC)


async def test_an_account_that_keeps_all_is_not_looked_at(fleet: Fleet, tour, monkeypatch: pytest.MonkeyPatch):
    phone = await fleet.phone(await fleet.driver())
    monkeypatch.setattr("ingest.track.held.read_instance", None)
    await say(fleet, phone, "shift_started", 100)
    await say(fleet, phone, "shift_ended", 200)
    await send(fleet, phone, tour)
    await fleet.settle()
    assert len(await seconds_kept(fleet)) == len(tour)
    assert not await fleet.pool.fetchval("SELECT count(*) FROM track WHERE shifts_from IS NOT NULL")


async def test_who_has_ended_their_shift_does_not_fall_silent(fleet: Fleet, phone: Phone):
    fleet.config = replace(fleet.config, longest_shift_hours=1e5)  # the tests' day is long ago
    far_s = fleet.config.longest_shift_hours * 3600
    await say(fleet, phone, "shift_started", -10)
    await send(fleet, phone, [(0, 0), (10, 80)], datetime.now(UTC) - timedelta(seconds=5))
    await fleet.settle()
    async with fleet.pool.acquire() as db:
        await db.execute("UPDATE live SET received_at = now() - interval '1 day'")
        await db.execute("UPDATE driver_event SET occurred_at = now() - interval '2 days'")
        look = partial(notice_silence, db, range(64), now=datetime.now(UTC), after_s=-1)
        assert await look(longest_shift_s=86_400) == 0  # nothing is kept any more
        await db.execute("UPDATE driver_event SET type = 'shift_ended'")
        assert await look(longest_shift_s=far_s) == 0
        await db.execute("UPDATE account SET shift_only_since = NULL")
        assert await look(longest_shift_s=far_s) == 0
        await db.execute("UPDATE driver_event SET type = 'shift_started'")
        assert await look(longest_shift_s=far_s) == 1


async def test_the_body_of_an_unusable_message_is_not_kept(fleet: Fleet, phone: Phone):
    message = Quarantined(
        account_id=fleet.account_id, driver_id=phone.driver_id, device_id=phone.device_id,
        received_at=datetime.now(UTC), source="pings", reason="bad-place", detail=None, body=b"lat=-34.9",
    )  # fmt: skip
    async with fleet.pool.acquire() as db:
        await put_quarantined(db, [message, replace(message, account_id=None, driver_id=None)])
        await set_policy(fleet, "always")
        await put_quarantined(db, [message])
    rows = await fleet.pool.fetch("SELECT body FROM quarantine ORDER BY id")
    assert [row["body"] for row in rows] == [b"", b"lat=-34.9", b"lat=-34.9"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a driver says of their shifts."""

    kind: str
    seconds: float
    id: int


def spells_of(said: Sequence[Said], longest_s: float) -> list[tuple[float, float]]:
    """When the driver was in a shift: an oracle that knows only the rule."""
    spells: list[tuple[float, float]] = []
    open_since = None
    for one in sorted(said, key=lambda one: (one.seconds, one.id)):
        if one.kind == "shift_started" and open_since is None:
            open_since = one.seconds
        elif one.kind == "shift_ended" and open_since is not None:
            spells.append((open_since, min(one.seconds, open_since + longest_s)))
            open_since = None
    return spells if open_since is None else [*spells, (open_since, open_since + longest_s)]


@pytest.mark.parametrize("seed", range(4))
async def test_shifts_and_pings_end_the_same_in_any_order(
    fleet: Fleet, tour, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo")]
    await fleet.route(phones[0].driver_id, [600, 1500])
    config = replace(
        IngestConfig(), rerun_every_s=chance.choice((0, 0.1)), lanes_at_once=chance.choice((1, 8)),
        pings_worth_a_take=chance.choice((1, 600)),
        drivers_worth_a_take=chance.choice((1, 300)),
        longest_shift_hours=chance.choice((0.05, 16)),
    )  # fmt: skip
    days = {}
    for phone in phones:
        said = [
            Said(chance.choice(("shift_started", "shift_ended")), chance.randrange(-100, 600), chance.getrandbits(120))
            for _ in range(chance.choice((3, 6, 10)))
        ]
        days[phone] = [*said, Said("shift_started", chance.randrange(-100, 300), chance.getrandbits(120))]

    # what is kept of shifts, sent in order to an account that keeps all
    for phone, said in days.items():
        spells = spells_of(said, config.longest_shift_hours * 3600)
        inside = [place for place in tour if any(a <= place[0] <= b for a, b in spells)]
        for one in sorted(said, key=lambda one: one.seconds):
            await say(fleet, phone, one.kind, one.seconds, one.id)
        if inside:
            await send(fleet, phone, inside)
    await Trackers(fleet, config).settle()
    expected = await fleet.history()
    assert expected["pings"]

    await fleet.pool.execute(_FORGET)
    await set_policy(fleet, "shift")
    jobs: list[Callable[[], Awaitable[None]]] = []
    for phone, said in days.items():
        jobs += [partial(say, fleet, phone, one.kind, one.seconds, one.id) for one in said]
        pings = [*tour, *chance.sample(tour, 5)]
        chance.shuffle(pings)
        while pings:
            size = chance.choice((1, 5, 40))
            jobs.append(partial(send, fleet, phone, pings[:size]))
            del pings[:size]
    chance.shuffle(jobs)
    limits, often = Limits(steps=chance.choice((4, 16, 256))), chance.choice((0.0, 0.03))
    trackers = Trackers(fleet, config, steps=deadly(STEPS, chance, often=often), limits=limits)
    with monkeypatch.context() as patch:
        kill_at_commit(patch, chance, often=often)
        for job in jobs:
            await asyncio.gather(job(), *(trackers.turn(which) for which in (0, 1) if chance.random() < 0.5))
        await trackers.settle()
    assert await fleet.history() == expected
    assert await count(fleet, "quarantine") == 0


async def test_what_does_not_fit_is_held_whole(fleet: Fleet, phone: Phone):
    """More pings than a block holds, in several blocks of one driver, come back all."""
    places = [(float(second), float(second)) for second in range(400)]
    await send(fleet, phone, places)
    await fleet.settle()
    assert await count(fleet, "held") > 1
    await say(fleet, phone, "shift_started", -1)
    await fleet.settle()
    assert len(await seconds_kept(fleet)) == 400
