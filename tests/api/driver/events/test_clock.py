"""A phone whose clock is wrong: what its driver says is corrected, said to be, and counts."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import say_events
from tests.api.driver.driver_day import event


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


def dated(kind, off, *args):
    return event(kind, 0, *args, more={"occurred_at": (datetime.now(UTC) + off).isoformat()})


async def occurred(pool):
    return [row["occurred_at"] for row in await pool.fetch("SELECT occurred_at FROM driver_event ORDER BY occurred_at")]


@pytest.mark.parametrize("minutes", [4, 10, 60, 600])
async def test_a_delivery_by_a_fast_clock_counts_as_done_now(phone, pool, minutes):
    (result,) = await phone.say(dated("completed", timedelta(minutes=minutes), phone.stops[0]))
    assert result["result"] == "applied"
    (warning,) = result["warnings"]
    assert warning["why"] == "clock-corrected"
    assert int(warning["what"][0].split()[0]) == pytest.approx(60 * minutes, abs=10)
    assert (await phone.statuses())[0] == "completed"
    (at,) = await occurred(pool)
    assert abs(datetime.now(UTC) - at) < timedelta(seconds=20)
    data = await pool.fetchval("SELECT data FROM event WHERE type = 'stop.completed'")
    assert data["clock_ahead_s"] == pytest.approx(60 * minutes, abs=10)


async def test_sent_again_it_is_the_same_event(phone):
    said = dated("completed", timedelta(minutes=10), phone.stops[0])
    assert await phone.outcome(said) == [("applied", None)]
    assert await phone.outcome(said) == [("duplicate", None)]
    assert await phone.outcome(said, dated("note", timedelta(minutes=12))) == [("duplicate", None), ("applied", None)]


async def test_what_came_before_and_after_stays_so(phone, pool):
    off = timedelta(hours=1)
    await phone.say(
        dated("arrived", off - timedelta(minutes=9), phone.stops[0]),
        dated("failed", off - timedelta(minutes=5), phone.stops[0]) | {"data": {"reason": "nobody_home"}},
        dated("completed", off, phone.stops[0]),
    )
    first, second, last = await occurred(pool)
    assert (last - second, last - first) == (
        pytest.approx(timedelta(minutes=5), abs=timedelta(seconds=1)),
        pytest.approx(timedelta(minutes=9), abs=timedelta(seconds=1)),
    )
    assert abs(datetime.now(UTC) - last) < timedelta(seconds=20)


async def say_by(client, phone, bearer, off, *events):
    body = {"events": list(events), "sent_at": (datetime.now(UTC) + off).isoformat()}
    response = await client.post("/v1/driver/events", json=body, headers=bearer(phone.token))
    return (await response.json())["results"]


@pytest.mark.parametrize(
    "off", [timedelta(minutes=-60), timedelta(minutes=-4), timedelta(minutes=10), timedelta(days=400)]
)
async def test_who_says_when_they_send_is_corrected_both_ways(client, phone, bearer, pool, off):
    """Half an hour ago by a clock that is wrong."""
    said = dated("completed", off - timedelta(minutes=30), phone.stops[0])
    (result,) = await say_by(client, phone, bearer, off, said)
    assert (result["result"], result["warnings"][0]["why"]) == ("applied", "clock-corrected")
    (at,) = await occurred(pool)
    assert abs(datetime.now(UTC) - timedelta(minutes=30) - at) < timedelta(seconds=20)


async def test_who_says_when_they_send_by_a_right_clock_is_believed(client, phone, bearer, pool):
    (result,) = await say_by(client, phone, bearer, timedelta(seconds=-20), dated("note", -timedelta(hours=2)))
    assert (result["result"], "warnings" in result) == ("applied", False)
    (at,) = await occurred(pool)
    assert abs(datetime.now(UTC) - timedelta(hours=2) - at) < timedelta(seconds=20)


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%dT%H:%M:%S+0000", "%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%S+00", "%Y-%m-%d %H:%M:%S,000Z",
        "%G-W%V-%uT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ",
    ],
)  # fmt: skip
async def test_every_form_of_iso_8601_that_pings_take_is_taken(phone, pool, form):
    at = (datetime.now(UTC) - timedelta(minutes=3)).replace(second=0, microsecond=0)
    assert await phone.outcome(event("note", 0, more={"occurred_at": at.strftime(form)})) == [("applied", None)]
    assert await occurred(pool) == [at]


async def test_milliseconds_may_be_a_float(phone, pool):
    at = datetime.now(UTC).replace(microsecond=0)
    assert await phone.outcome(event("note", 0, more={"occurred_at": at.timestamp() * 1000.0})) == [("applied", None)]
    assert await occurred(pool) == [at]


@pytest.mark.parametrize("lost", [timedelta(weeks=1024), timedelta(seconds=978_307_200)])
async def test_a_delivery_dated_from_another_beginning_counts(phone, pool, lost):
    """GPS weeks that began anew, and seconds since 2001."""
    said = dated("completed", -timedelta(minutes=7) - lost, phone.stops[0])
    (result,) = await phone.say(said)
    assert (result["result"], result["warnings"][0]["why"]) == ("applied", "clock-corrected")
    (at,) = await occurred(pool)
    assert abs(datetime.now(UTC) - timedelta(minutes=7) - at) < timedelta(seconds=20)
    assert await phone.outcome(said) == [("duplicate", None)]


@pytest.mark.parametrize("off", [timedelta(minutes=10), timedelta(minutes=-10), timedelta(days=40)])
async def test_a_clock_of_ours_that_is_wrong_dates_and_refuses_nothing(phone, client, bearer, pool, monkeypatch, off):
    """Ours is behind by so much; the phone's and the database's are right."""
    right = datetime.now(UTC) + off
    monkeypatch.setattr(pool.clock, "hear", lambda *_: None)
    monkeypatch.setattr(pool.clock, "_ahead_s", right.timestamp() - time.monotonic())
    said = dated("completed", off - timedelta(minutes=30), phone.stops[0])
    (result,) = await say_by(client, phone, bearer, off, said)
    assert (result["result"], result.get("warnings", [])) == ("applied", [])
    (at,) = await occurred(pool)
    assert abs(right - timedelta(minutes=30) - at) < timedelta(seconds=20)
