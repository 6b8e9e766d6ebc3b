"""Which routes a driver is shown: the rule that also says which route a ping is on."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from geo.pings import UNKNOWN_MS
from geo.plan.plans import Timeline
from geo.plan.prepare import Head, PathColumns, StopColumns, prepare_plan
from geo.times import ms_of
from sql.delivery.manifest import ManifestLook, look_at
from tests.api.driver.manifest.manifests import hours
from tests.api.tour_rows import Tour

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Driver:
    """A driver with routes of six hours, and what they are shown at a time."""

    def __init__(self, pool: Any, account_id: int) -> None:
        self.pool, self.account_id, self.id = pool, account_id, 0
        self.tours: dict[str, Tour] = {}

    async def plan(self, name: str, start_at: datetime, **more: Any) -> Tour:
        tour = await Tour.put(
            self.pool, self.account_id, start_at=start_at, external_id=name, status="planned", stops=1, **more
        )
        self.id = self.id or tour.driver_id
        await tour.change_route(driver_id=self.id)
        self.tours[name] = tour
        return tour

    async def say(self, kind: str, name: str, at: datetime, **changes: Any) -> None:
        await self.tours[name].say(kind, at=at, **{"driver_id": self.id, **changes})

    async def look(self, now: datetime) -> ManifestLook:
        return await look_at(self.pool, account_id=self.account_id, driver_id=self.id, now=now)

    async def shown(self, now: datetime) -> tuple[str | None, str | None]:
        look = await self.look(now)
        return look.current and look.current.external_id, look.next and look.next.external_id


@pytest.fixture
def driver(pool, account) -> Driver:
    return Driver(pool, account.id)


async def test_a_route_is_current_from_two_hours_before_its_start_to_four_hours_after_its_end(driver):
    await driver.plan("a", EIGHT)
    assert await driver.shown(EIGHT - hours(2) - SECOND) == (None, "a")
    assert await driver.shown(EIGHT - hours(2)) == ("a", None)
    assert await driver.shown(EIGHT + hours(6 + 4)) == ("a", None)
    assert await driver.shown(EIGHT + hours(6 + 4) + SECOND) == (None, None)


async def test_of_two_that_are_due_the_first_is_driven_first(driver):
    await driver.plan("b", EIGHT)
    await driver.plan("a", EIGHT + hours(1))
    await driver.plan("z", EIGHT - hours(30))  # its time is over
    assert await driver.shown(EIGHT) == ("b", "a")
    await driver.tours["b"].change_route(status="finished")
    assert await driver.shown(EIGHT) == ("a", None)


async def test_routes_that_start_at_once_are_driven_by_their_names(driver):
    for name in ("a", "B", "á"):
        await driver.plan(name, EIGHT)
    assert await driver.shown(EIGHT) == ("B", "a")  # as numbers of characters, like the tracker


async def test_midnight_changes_nothing(driver):
    night = datetime.fromisoformat("2026-03-02T18:30:00-05:00")
    await driver.plan("night", night, timezone="America/Bogota")
    await driver.plan("morning", night + hours(14), timezone="America/Bogota")
    midnights = [datetime.fromisoformat(f"2026-03-03T00:00:00{zone}") for zone in ("+00:00", "-05:00")]
    around = [night, *(at for midnight in midnights for at in (midnight - SECOND, midnight))]
    looks = [await driver.look(now) for now in around]
    assert all(look == looks[0] for look in looks)
    assert looks[0].current is not None
    assert (looks[0].current.external_id, looks[0].current.date.isoformat()) == ("night", "2026-03-02")


async def test_a_time_zone_shifts_no_instant(driver):
    # the same hour on the wall; the eastern one begins first
    await driver.plan("a-west", datetime.fromisoformat("2026-03-02T08:00:00-08:00"), timezone="America/Tijuana")
    await driver.plan("b-east", datetime.fromisoformat("2026-03-02T08:00:00-03:00"), timezone="America/Sao_Paulo")
    assert await driver.shown(datetime.fromisoformat("2026-03-02T06:00:00-03:00")) == ("b-east", "a-west")
    assert await driver.shown(datetime.fromisoformat("2026-03-02T05:59:59-03:00")) == (None, "b-east")


async def test_a_clock_on_the_wall_that_is_set_back_moves_nothing(driver):
    # on 2026-04-05 it is 00:00 twice in Santiago
    start = datetime.fromisoformat("2026-04-04T23:30:00-03:00")
    await driver.plan("a", start, timezone="America/Santiago")
    assert await driver.shown(start + hours(10)) == ("a", None)
    assert await driver.shown(start + hours(10) + SECOND) == (None, None)


async def test_what_the_driver_began_comes_first(driver):
    await driver.plan("a", EIGHT)
    await driver.plan("b", EIGHT + hours(1))
    await driver.plan("tomorrow", EIGHT + hours(24))
    await driver.say("route_started", "b", EIGHT)
    assert await driver.shown(EIGHT + hours(1)) == ("b", "a")
    await driver.say("arrived", "tomorrow", EIGHT + hours(2))
    assert await driver.shown(EIGHT + hours(3)) == ("tomorrow", "a")
    await driver.say("arrived", "a", EIGHT + hours(1))  # told late: it was before
    assert await driver.shown(EIGHT + hours(3)) == ("tomorrow", "a")
    await driver.tours["tomorrow"].change_route(status="finished")
    assert await driver.shown(EIGHT + hours(3)) == ("a", "b")


async def test_what_the_driver_began_yesterday_or_what_did_not_count_or_another_began_is_nothing(driver):
    await driver.plan("a", EIGHT)
    b = await driver.plan("b", EIGHT + hours(1))
    await driver.say("route_started", "b", EIGHT, effective=False)
    await driver.say("departed", "b", EIGHT)
    await driver.say("route_started", "b", EIGHT - hours(25))
    await driver.say("route_started", "b", EIGHT, driver_id=b.driver_id)
    assert await driver.shown(EIGHT) == ("a", "b")


async def test_a_tour_that_was_begun_outlasts_its_hours(driver):
    await driver.plan("a", EIGHT)
    await driver.say("arrived", "a", EIGHT + hours(9))
    assert await driver.shown(EIGHT + hours(20)) == ("a", None)


async def test_nothing_of_others_cancelled_or_deleted(driver, pool, other_account):
    for name in ("a", "b", "c"):
        await driver.plan(name, EIGHT)
    await driver.tours["a"].change_route(status="cancelled")
    await driver.tours["b"].change_route(deleted_at=EIGHT)
    await driver.tours["c"].change_route(driver_id=driver.tours["c"].driver_id)
    assert await driver.shown(EIGHT) == (None, None)


async def test_pings_and_phones_agree_on_the_route(driver):
    chance = random.Random(5)
    for n in range(8):
        await driver.plan(f"r{n}", EIGHT + hours(chance.randrange(48)))
    done = [driver.tours[f"r{n}"] for n in (2, 5)]
    for tour in done:
        await tour.change_route(status="finished")
    timeline = Timeline(driver_id=driver.id, plans=tuple(_plan(tour, driver.id) for tour in driver.tours.values()))
    for _ in range(60):
        now = EIGHT + timedelta(minutes=chance.randrange(-200, 4000))
        plan, _until = timeline.plan_at(ms_of(now), [tour.route_id for tour in done])
        look = await driver.look(now)
        assert (look.current and look.current.id) == (plan and plan.route_id), now


def _plan(tour: Tour, driver_id: int) -> Any:
    return prepare_plan(
        Head(
            route_id=tour.route_id,
            version=1,
            order=(ms_of(tour.start_at), tour.external_id),
            effective_ms=UNKNOWN_MS,
            driver_id=driver_id,
            start_ms=ms_of(tour.start_at),
            end_ms=ms_of(tour.end_at),
            return_to_depot=False,
        ),
        PathColumns([0, 1], [0, 0], [0, 1]),
        StopColumns(
            ids=[tour.stop_ids[0]],
            lon=[0],
            lat=[0],
            along_m=[0],
            radius_m=[60],
            service_s=[0],
            planned_ms=[UNKNOWN_MS],
        ),
    )
