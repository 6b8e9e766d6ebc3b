"""Reports of small worlds whose answers are counted by hand."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.reports import endpoints, kinds
from api.reports.kinds import REPORTS
from sql.pool import Pool
from tests.api.tour_rows import Tour

NINE = datetime(2026, 3, 2, 14, tzinfo=UTC)
"""09:00 in Bogotá."""

DAY = {"from": "2026-03-02", "to": "2026-03-02"}


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, endpoints.operations.add_to]


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """Eight stops."""
    return await Tour.put(pool, account.id, start_at=NINE, stops=8)


def after(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


async def report(client: Any, account: Any, name: str, /, **query: str) -> Any:
    response = await client.get(f"/v1/reports/{name}", params=DAY | query, headers=account.headers)
    assert response.status == 200, await response.text()
    return await response.json()


def row_of(told: Any, by: str, of: str | None) -> Any:
    (row,) = [row for row in told["rows"] if (row["by"], row["of"]) == (by, of)]
    return row


def part(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


async def promise(tour: Tour, place: int, start: float, end: float, first: tuple[float, float] | None = None) -> None:
    """Promise a window, minutes; `first`: another one before it."""
    await tour.change_stop(place, window_start=after(start), window_end=after(end))
    said = (start, end) if first is None else first
    for column, minutes in zip(("stop_window_start", "stop_window_end"), said, strict=True):
        await tour.pool.execute(
            f"UPDATE route_version SET {column}[$2] = $3 WHERE route_id = $1", tour.route_id, place + 1, after(minutes)
        )


async def come(tour: Tour, place: int, at: float, *, stays: float = 5, said: str | None = "completed") -> None:
    """Let the van come to a stop, minutes, stay, and the driver say what became of it."""
    await tour.visit(place, after(at), after(at + stays))
    if said is not None:
        await done(tour, place, at + stays / 2, said)


async def done(tour: Tour, place: int, at: float, said: str, /, **outcome: Any) -> None:
    """Let the driver say what became of a stop; `data`: what they say with it."""
    data = outcome.pop("data", {})
    await tour.say(said, at=after(at), place=place, data=data)
    await tour.pool.execute(
        "UPDATE driver_event SET outcome = $2 WHERE stop_id = $1 AND type = $3", tour.stop_ids[place], outcome, said
    )
    await tour.change_stop(place, status=said, outcome_at=after(at))


async def parcels(tour: Tour, place: int, *quantities: int) -> None:
    for seq, quantity in enumerate(quantities):
        await tour.pool.execute(
            "INSERT INTO parcel (stop_id, seq, quantity) VALUES ($1, $2, $3)", tour.stop_ids[place], seq, quantity
        )


def handed(*lines: tuple[int | None, int, str]) -> list[dict[str, Any]]:
    return [{"seq": seq, "quantity": quantity, "outcome": outcome} for seq, quantity, outcome in lines]


async def a_day_of_promises(tour: Tour) -> None:
    """Early, on time, late, late by the first promise only, none promised, missed, not seen, still open."""
    for place in (0, 1, 2, 5, 6, 7):
        await promise(tour, place, 60, 120)
    await promise(tour, 3, 120, 240, first=(60, 120))
    await come(tour, 0, 40)
    await come(tour, 1, 60)
    await come(tour, 2, 150)
    await come(tour, 3, 180)
    await come(tour, 4, 200)
    await tour.change_stop(5, status="skipped")
    await done(tour, 6, 100, "completed")


async def test_promises_are_held_against_arrivals(client: Any, account: Any, tour: Tour) -> None:
    await a_day_of_promises(tour)
    totals = (await report(client, account, "punctuality"))["totals"]
    assert part(totals, "stops", "no_promise", "arrival_unknown", "still_open") == (8, 1, 1, 1)
    assert part(totals, "last_n", "last_early", "last_on_time", "last_late", "last_missed") == (5, 1, 2, 1, 1)
    assert part(totals, "last_on_time_share", "last_late_mean_s") == (0.4, 1800)
    assert part(totals, "first_n", "first_early", "first_on_time", "first_late", "first_missed") == (5, 1, 1, 2, 1)
    assert part(totals, "first_on_time_share", "first_late_mean_s") == (0.2, (30 + 60) / 2 * 60)
    await tour.change_route(status="finished", closed_at=after(400))
    totals = (await report(client, account, "punctuality"))["totals"]
    assert part(totals, "still_open", "last_n", "last_missed", "last_on_time_share") == (0, 6, 2, 0.3333)


async def test_on_time_and_in_full_counts_items(client: Any, account: Any, tour: Tour) -> None:
    for place in range(6):
        await promise(tour, place, 0, 300)
        await come(tour, place, 10 + 20 * place, said=None)
        await parcels(tour, place, *((2, 1) if place < 5 else ()))
    await done(tour, 0, 12, "completed", parcels=handed((0, 2, "delivered"), (1, 1, "delivered")))
    await done(tour, 1, 32, "partially_completed", parcels=handed((0, 2, "delivered"), (1, 1, "returned")))
    await done(tour, 2, 52, "completed", parcels=handed((0, 2, "delivered"), (1, 1, "damaged"), (None, 1, "delivered")))
    await tour.change_stop(3, status="completed", outcome_at=after(72))  # what the driver said is forgotten
    await done(tour, 4, 92, "failed", data={"reason": "no_one_home"})
    await done(tour, 5, 112, "completed")
    totals = (await report(client, account, "punctuality"))["totals"]
    assert part(totals, "last_n", "last_on_time") == (6, 6)
    assert part(totals, "otif_n", "otif", "otif_share") == (5, 2, 0.4)
    assert part(totals, "items_n", "items_planned", "items_handed") == (3, 9, 7)


async def test_a_stop_that_moved_keeps_its_first_promise(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    """Taken off one tour and put on another, an hour later."""
    other = await Tour.put(pool, account.id, start_at=NINE, external_id="tour-2", stops=1)
    await promise(tour, 0, 60, 120)
    await promise(other, 0, 120, 180)
    await tour.change_stop(0, status="removed", removed_at=after(30))
    await pool.execute(
        "INSERT INTO moved_link (link_hash, stop_id) SELECT link_hash, $2 FROM stop WHERE id = $1",
        tour.stop_ids[0],
        other.stop_ids[0],
    )
    await come(other, 0, 150)
    totals = (await report(client, account, "punctuality", driver="driver of tour-2"))["totals"]
    assert part(totals, "stops", "first_late", "first_late_mean_s", "last_on_time") == (1, 1, 1800, 1)
    assert (await report(client, account, "punctuality"))["totals"]["stops"] == 7 + 1


async def test_tours_are_held_against_their_plans(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    await tour.change_route(started_at=after(15), finished_at=after(315), status="finished", depot_name="Norte")
    for place, at in ((0, 30), (2, 60), (1, 90), (3, 120)):
        await come(tour, place, at)
        await tour.change_stop(place, planned_arrival=after(30 * place + 20))
    await tour.change_stop(4, status="skipped")
    await tour.change_stop(5, status="left_open")
    await done(tour, 6, 130, "failed", data={"reason": "no_one_home"})
    await pool.execute(
        "INSERT INTO detour (route_id, driver_id, from_at, to_at, source, length_m, path, pings)"
        " VALUES ($1, $2, $3, $4, 'road', 1500, '[]', 9)",
        *(tour.route_id, tour.driver_id, after(40), after(50)),
    )
    waiting = await Tour.put(pool, account.id, start_at=NINE, external_id="tour-2", stops=1, status="planned")
    told = await report(client, account, "plan-vs-actual")
    totals = told["totals"]
    assert part(totals, "tours", "tours_started", "tours_finished", "tours_cancelled") == (2, 1, 1, 0)
    assert part(totals, "stops", "done", "failed", "skipped", "left_open", "still_open") == (9, 4, 1, 1, 1, 2)
    assert part(totals, "order_n", "in_order") == (3, 2)  # 0 2 1 3
    late_min = ((30 - 20) + (60 - 80) + (90 - 50) + (120 - 110)) / 4
    assert part(totals, "arrivals_n", "late_mean_s") == (4, late_min * 60)
    assert part(totals, "starts_n", "start_late_mean_s") == (1, 900)
    assert part(totals, "minutes_n", "minutes_planned", "minutes_actual") == (1, 360, 300)
    assert part(totals, "detours", "km_detours") == (1, 1.5)
    driver = row_of(told, "driver", f"dr_{waiting.driver_id}")
    assert part(driver, "name", "tours", "minutes_n", "late_mean_s", "start_late_mean_s") == (
        *("Marta Quintero", 1, 0, None, None),
    )
    assert row_of(told, "depot", "Norte")["stops"] == 8
    assert row_of(told, "depot", None)["stops"] == 1
    only = await report(client, account, "plan-vs-actual", depot="Norte")
    assert only["totals"]["tours"] == 1


async def test_service_times_are_of_whole_stays(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    await come(tour, 0, 10, stays=2)
    await come(tour, 0, 40, stays=6)  # came back: 8 minutes in all
    await come(tour, 1, 60, stays=4)
    await tour.visit(2, after(80))  # is there still
    await come(tour, 3, 100, stays=60)
    await pool.execute("UPDATE visit SET presumed = true WHERE stop_id = $1", tour.stop_ids[3])
    await tour.change_stop(4, kind="break")
    await come(tour, 4, 200, stays=30)
    place = {"lat": 6.2, "lon": -75.5, "address": "Cra. 46 # 52-10"}
    await tour.change_stop(0, **place, service_s=300.0)
    await tour.change_stop(1, **place, kind="pickup")
    told = await report(client, account, "service-times")
    assert part(told["totals"], "stops", "n", "places", "mean_s", "median_s") == (4, 2, 3, 360, 360)
    assert told["totals"]["planned_mean_s"] == (300 + 120) / 2
    here = row_of(told, "place", "6.2000,-75.5000")
    assert part(here, "name", "stops", "n", "mean_s", "p90_s") == ("Cra. 46 # 52-10", 2, 2, 360, 240 + 0.9 * 240)
    assert part(row_of(told, "kind", "pickup"), "n", "mean_s") == (1, 240)
    assert part(row_of(told, "kind", "delivery"), "stops", "n", "mean_s") == (3, 1, 480)


async def test_reasons_and_first_attempts(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    """A second attempt is one after a failure at the same stop, or on a tour of the day before, to the same place."""
    before = await Tour.put(pool, account.id, start_at=NINE - timedelta(days=1), external_id="tour-0", stops=8)
    for place in (0, 1, 2):
        await done(before, place, -24 * 60 + 30, "failed", data={"reason": "no_one_home"})
    far = {"lat": 4.6, "lon": -74.1, "phone": "+571"}
    await before.change_stop(2, **far)  # another one of the same name
    await before.change_stop(1, **far | {"phone": "+572"})  # the same person, elsewhere
    await tour.change_stop(1, phone="+572")
    await done(tour, 0, 30, "completed")
    await done(tour, 1, 40, "failed", data={"reason": "refused"}, reason_text="No lo quiso")
    await done(tour, 2, 50, "completed")
    await done(tour, 3, 60, "failed", data={"reason": "no_one_home"})
    await tour.say("reopened", at=after(70), place=3)
    await done(tour, 3, 80, "completed")
    await done(tour, 4, 90, "skipped")
    await done(tour, 5, 100, "partially_completed")
    await tour.change_stop(6, status="failed", outcome_at=after(110))  # nobody knows why any more
    await tour.change_stop(7, status="left_open")
    told = await report(client, account, "reasons")
    assert part(
        told["totals"], "stops", "completed", "partially_completed", "failed", "skipped", "left_open"
    ) == (8, 3, 1, 2, 1, 1)  # fmt: skip
    assert part(told["totals"], "first_attempts", "first_attempts_done", "first_attempt_share") == (3, 2, 0.6667)
    reasons = {row["of"]: part(row, "name", "failed", "skipped") for row in told["rows"] if row["by"] == "reason"}
    assert reasons == {"refused": ("No lo quiso", 1, 0), None: (None, 1, 1)}
    others = [row["name"] for row in (told["totals"], *told["rows"]) if row["by"] != "reason"]
    assert others == [None, None, "Marta Quintero"]
    both = await report(client, account, "reasons", **{"from": "2026-03-01"})
    assert row_of(both, "day", "2026-03-01")["first_attempts"] == 3
    assert row_of(both, "reason", "no_one_home")["failed"] == 3


async def say_message(tour: Tour, place: int, channel: str, to: str, state: str, /, **more: Any) -> None:
    row = {
        "account_id": tour.account_id, "route_id": tour.route_id, "stop_id": tour.stop_ids[place], "attempt": 1,
        "kind": "delivered", "channel": channel, "address": to, "locale": "es", "state": state, "happened_at": NINE,
        "next_try_at": NINE, "expires_at": NINE, "created_at": NINE, **more,
    }  # fmt: skip
    values = ", ".join(f"${n + 1}" for n in range(len(row)))
    await tour.pool.execute(f"INSERT INTO message ({', '.join(row)}) VALUES ({values})", *row.values())


async def test_messages_cost_what_left(client: Any, account: Any, tour: Tour) -> None:
    await say_message(tour, 0, "sms", "+573001112233", "delivered", parts=2, price=0.5)
    await say_message(tour, 1, "sms", "+12045551234", "sent", parts=1, price=0.25)
    await say_message(tour, 2, "sms", "+573009998877", "failed", parts=1, price=0.25)
    await say_message(tour, 3, "sms", "+573005556677", "sent", parts=1)
    await say_message(tour, 4, "email", "ana@example.com", "read", parts=1, price=0)
    await say_message(tour, 5, "email", "", "suppressed", kind="approaching")
    told = await report(client, account, "messages")
    names = ("messages", "sent", "delivered", "read", "failed", "suppressed", "parts", "priced", "price")
    assert part(told["totals"], *names) == (6, 4, 2, 1, 1, 1, 5, 3, 0.75)
    countries = {row["of"]: part(row, "messages", "price") for row in told["rows"] if row["by"] == "country"}
    assert countries == {"CO": (3, 0.5), "CA": (1, 0.25), None: (2, 0)}
    assert row_of(told, "channel", "email")["sent"] == 1
    assert row_of(told, "kind", "approaching")["messages"] == 1


async def test_ratings_have_their_mean_and_how_many_answered(client: Any, account: Any, tour: Tour) -> None:
    for place, stars, reasons in ((0, 5, ["on_time", "friendly"]), (1, 4, ["on_time"]), (2, 1, ["late"])):
        await come(tour, place, 10 * place)
        await tour.pool.execute(
            "INSERT INTO rating (stop_id, account_id, driver_id, stars, reasons, rated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            *(tour.stop_ids[place], tour.account_id, tour.driver_id, stars, reasons, NINE),
        )
    await come(tour, 3, 40)
    told = await report(client, account, "ratings")
    stars = ("stars_1", "stars_2", "stars_3", "stars_4", "stars_5")
    assert part(told["totals"], "done", "n", "mean", *stars) == (4, 3, 3.33, 1, 0, 0, 1, 1)
    assert part(row_of(told, "driver", f"dr_{tour.driver_id}"), "done", "n", "mean") == (4, 3, 3.33)
    assert part(row_of(told, "reason", "on_time"), "done", "n", "mean") == (None, 2, 4.5)
    assert row_of(told, "day", "2026-03-02")["n"] == 3


def cash(amount: float, due: float, currency: str | None) -> dict[str, Any]:
    return {"amount": amount, "due": due, "difference": amount - due, "currency": currency, "method": "cash"}


async def test_cash_is_never_added_up_over_currencies(client: Any, account: Any, tour: Tour) -> None:
    for place in range(4):
        await tour.change_stop(place, cash_amount=85_000, cash_currency="COP")
    await tour.change_stop(4, cash_amount=20, cash_currency="USD")
    await done(tour, 0, 10, "completed", cash=cash(85_000, 85_000, "COP"))
    await done(tour, 1, 20, "partially_completed", cash=cash(50_000, 85_000, "COP"))
    await done(tour, 2, 30, "completed")  # how much, nobody said
    await done(tour, 3, 40, "failed", data={"reason": "refused"})
    await done(tour, 4, 50, "completed", cash=cash(25, 20, "USD"))
    await done(tour, 5, 60, "completed", cash=cash(7, 0, None))  # nothing was due
    told = await report(client, account, "cash")
    names = ("stops", "due", "not_done", "not_done_due", "not_said", "not_said_due", "n", "expected", "taken")
    totals = {row["currency"]: (*part(row, *names), row["difference"]) for row in told["totals"]}
    assert totals == {
        "COP": (4, 340_000, 1, 85_000, 1, 85_000, 2, 170_000, 135_000, -35_000),
        "USD": (1, 20, 0, 0, 0, 0, 1, 20, 25, 5),
        None: (0, 0, 0, 0, 0, 0, 1, 0, 7, 7),
    }
    of_driver = [row for row in told["rows"] if row["by"] == "driver"]
    assert {row["currency"]: row["difference"] for row in of_driver} == {"COP": -35_000, "USD": 5, None: 7}


async def test_cash_of_a_cancelled_tour_is_due_where_its_order_went_on(
    client: Any, account: Any, pool: Pool, tour: Tour
) -> None:
    again = await Tour.put(pool, account.id, start_at=NINE, external_id="tour-2", stops=8)
    for place in (0, 1):
        await tour.change_stop(place, cash_amount=50, cash_currency="COP")
    await again.change_stop(0, cash_amount=50, cash_currency="COP")
    await again.change_stop(1, external_id="another")
    await pool.execute("UPDATE route SET status = 'cancelled' WHERE id = $1", tour.route_id)
    told = await report(client, account, "cash")
    assert part(told["totals"][0], "stops", "due") == (3, 150)
    await pool.execute(
        "INSERT INTO delivery_order (account_id, external_id, state, quality, earliest, latest, body, route_id)"
        " VALUES ($1, 'stop-0', 'assigned', 'none', '2026-03-02', '2026-03-02', '{}', $2)",
        *(account.id, again.route_id),
    )
    told = await report(client, account, "cash")
    assert part(told["totals"][0], "stops", "due") == (2, 100)


async def test_a_tour_over_midnight_is_of_its_own_day(client: Any, account: Any, pool: Pool) -> None:
    """From 22:00 to 04:00, on the night on which clocks go forward in Madrid."""
    start_at = datetime(2026, 3, 28, 21, tzinfo=UTC)
    night = await Tour.put(pool, account.id, start_at=start_at, timezone="Europe/Madrid", external_id="noche")
    await night.visit(0, start_at + timedelta(hours=1), start_at + timedelta(hours=1, minutes=3))
    await night.visit(1, start_at + timedelta(hours=5), start_at + timedelta(hours=5, minutes=9))
    told = await report(client, account, "service-times", **{"from": "2026-03-28", "to": "2026-03-29"})
    assert row_of(told, "day", "2026-03-28")["n"] == 2
    told = await report(client, account, "service-times", **{"from": "2026-03-29", "to": "2026-03-29"})
    assert told["totals"]["n"] == 0
    by_time = {"from": "2026-03-28T22:00:00+01:00", "to": "2026-03-28T22:00:01+01:00"}
    told = await report(client, account, "service-times", **by_time)
    assert part(told, "from", "to") == tuple(by_time.values())
    assert told["totals"]["n"] == 2


async def test_deleted_drivers_and_erased_recipients_still_count(client: Any, account: Any, tour: Tour) -> None:
    await come(tour, 0, 10)
    await tour.change_stop(0, name="", address=None, phone=None)
    await tour.pool.execute("UPDATE driver SET deleted_at = now() WHERE id = $1", tour.driver_id)
    told = await report(client, account, "service-times", driver="driver of tour-1")
    assert part(row_of(told, "driver", f"dr_{tour.driver_id}"), "name", "n") == ("Marta Quintero", 1)
    await tour.pool.execute("UPDATE driver SET name = '', external_id = '' WHERE id = $1", tour.driver_id)
    told = await report(client, account, "service-times", driver=f"dr_{tour.driver_id}")
    assert row_of(told, "driver", f"dr_{tour.driver_id}")["name"] is None
    assert [row["name"] for row in told["rows"] if row["by"] == "place"] == [None]


async def test_what_another_driver_did_is_theirs(client: Any, account: Any, pool: Pool, tour: Tour) -> None:
    """The tour was given to somebody else in the middle."""
    other = await Tour.put(pool, account.id, start_at=NINE, external_id="tour-2", driver="Beto", stops=0)
    await promise(tour, 0, 0, 60)
    await promise(tour, 1, 0, 60)
    await come(tour, 0, 10)
    await come(tour, 1, 20)
    await tour.change_route(driver_id=other.driver_id)
    told = await report(client, account, "punctuality")
    assert row_of(told, "driver", f"dr_{tour.driver_id}")["last_on_time"] == 2
    assert row_of(told, "driver", f"dr_{other.driver_id}")["still_open"] == 0
    assert row_of(told, "driver", f"dr_{other.driver_id}")["no_promise"] == 6


@pytest.mark.parametrize("name", REPORTS)
async def test_nobody_sees_another_account_and_nothing_is_an_answer(
    client: Any, account: Any, other_account: Any, tour: Tour, name: str
) -> None:
    await come(tour, 0, 10)
    told = await report(client, other_account, name)
    assert part(told, "from", "to", "rows") == ("2026-03-02", "2026-03-02", [])
    totals = told["totals"]
    assert totals == [] if name == "cash" else not any(totals[one] for one in totals.keys() - {"by"})
    await tour.change_route(deleted_at=NINE)
    assert (await report(client, account, name))["rows"] == []


@pytest.mark.parametrize("name", REPORTS)
async def test_each_is_a_table_too(client: Any, account: Any, tour: Tour, name: str) -> None:
    await come(tour, 0, 10)
    told = await report(client, account, name)
    response = await client.get(f"/v1/reports/{name}", params=DAY | {"format": "csv"}, headers=account.headers)
    assert response.content_type == "text/csv"
    table = list(csv.DictReader(io.StringIO(await response.text())))
    totals = told["totals"] if isinstance(told["totals"], list) else [told["totals"]]
    assert [(row["by"], row["of"] or None) for row in table] == [
        (row["by"], row["of"]) for row in totals + told["rows"]
    ]


async def test_one_that_takes_too_long_says_what_to_do(
    client: Any, account: Any, tour: Tour, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def long(pool: Pool, asked: Any) -> Any:
        async with pool.acquire() as db, db.transaction():
            await db.execute("SET LOCAL statement_timeout = 50")
            return await db.fetch("SELECT pg_sleep(5)")

    monkeypatch.setattr(kinds, "REPORTS", {"cash": replace(REPORTS["cash"], read=long)})
    response = await client.get("/v1/reports/cash", params=DAY, headers=account.headers)
    problem = await refused(response, 503)
    assert "shorter period" in problem["detail"]


async def test_a_week_until_now_unless_asked(client: Any, account: Any, pool: Pool) -> None:
    now = datetime.now(UTC)
    for days, name in ((1, "a"), (6, "b"), (8, "c")):
        await Tour.put(pool, account.id, start_at=now - timedelta(days=days), external_id=name)
    response = await client.get("/v1/reports/plan-vs-actual", headers=account.headers)
    assert (await response.json())["totals"]["tours"] == 2
    since = (now - timedelta(days=9)).date().isoformat()
    response = await client.get(f"/v1/reports/plan-vs-actual?from={since}", headers=account.headers)
    assert (await response.json())["totals"]["tours"] == 3


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"from": "2026-03-03", "to": "2026-03-02"}, "from"),
        ({"from": "2026-01-01", "to": "2026-04-03"}, "from"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "1970-01-01"}, "from"),
        ({"from": "2026-03-01T00:00:00Z", "to": "2026-03-02"}, "from"),
        ({"from": "2026-03-01", "to": "mañana"}, "to"),
        ({"from": "ayer"}, "from"),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-06-01T00:00:00Z"}, "from"),
        ({"driver": "nobody"}, "driver"),
        ({"driver": "\x00"}, "driver"),
        ({"depot": "a\x00"}, "depot"),
        ({"format": "xlsx"}, "format"),
    ],
)
async def test_what_cannot_be_reported_is_named(client: Any, account: Any, refused: Any, query: Any, at: str) -> None:
    response = await client.get("/v1/reports/cash", params=query, headers=account.headers)
    await refused(response, 422, at)


async def test_times_are_told_as_everywhere(client: Any, account: Any) -> None:
    times = {"from": "2026-03-01T01:00:00+01:00", "to": "2026-03-02T00:00:00Z"}
    response = await client.get("/v1/reports/cash", params=times, headers=account.headers)
    told = await response.json()
    assert (told["from"], told["to"]) == ("2026-03-01T01:00:00+01:00", "2026-03-02T00:00:00Z")
