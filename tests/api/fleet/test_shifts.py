"""Shifts and breaks, what there is to settle of them, and that a break is the driver's own time."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from api.recipient import stream as tracking
from api.stream.hub import HUB
from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, at, event
from tests.api.tour_rows import Tour


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events, tracking.operations.add_to]


async def shifts(phone, **query):
    response = await phone.client.get("/v1/drivers/ana/shifts", params=query, headers=phone.account.headers)
    assert response.status == 200, await response.text()
    return (await response.json())["shifts"]


def minute(text):
    return None if text is None else (datetime.fromisoformat(text) - BASE) / timedelta(minutes=1)


def spells(shown):
    return [
        (
            minute(one["started_at"]),
            minute(one["ended_at"]),
            [(minute(pause["started_at"]), minute(pause["ended_at"])) for pause in one["breaks"]],
        )
        for one in shown
    ]


DAY = [
    ("shift_started", 10, None),
    ("shift_started", 20, "already-on-shift"),
    ("break_ended", 25, "not-on-break"),
    ("break_started", 30, None),
    ("break_started", 35, "already-on-break"),
    ("break_ended", 40, None),
    ("break_started", 50, None),
    ("shift_ended", 60, None),
    ("shift_ended", 70, "not-on-shift"),
    ("break_ended", 75, "not-on-break"),
    ("shift_started", 100, None),
    ("break_started", 110, None),
]


@pytest.mark.parametrize("order", [DAY, DAY[::-1], [*DAY[::2], *DAY[1::2]]], ids=["in order", "backwards", "mixed"])
async def test_spells_follow_from_the_order_of_occurrence(phone, order):
    told = {said: event(*said[:2]) for said in order}
    for one in told.values():
        await phone.say(one)
    for (_, _, why), one in told.items():
        (result,) = await phone.say(one)
        assert (result["effective"], result.get("why")) == (why is None, why)
    assert spells(await shifts(phone)) == [
        (10, 60, [(30, 40), (50, 60)]),
        (100, None, [(110, 230)]),
    ]  # a break that nobody ended


async def test_the_next_shift_ends_the_one_that_nobody_ended(phone):
    """Yesterday's word is missing: today's shift counts all the same."""
    told = [
        ("shift_started", 0, None),
        ("break_started", 60, None),
        ("shift_started", 239, "already-on-shift"),  # a button pressed once more
        ("shift_started", 700, None),
        ("break_ended", 705, "not-on-break"),
        ("break_started", 710, None),
        ("break_started", 711, "already-on-break"),
        ("break_started", 960, None),
        ("shift_ended", 1000, None),
    ]
    for kind, minute_of_day, why in told:
        (result,) = await phone.say(event(kind, minute_of_day - 1000))
        assert (kind, result["effective"], result.get("why")) == (kind, why is None, why)
    found = [
        (start + 1000, end + 1000, [(one + 1000, other + 1000) for one, other in pauses])
        for start, end, pauses in spells(await shifts(phone))
    ]
    assert found == [(0, 700, [(60, 180)]), (700, 1000, [(710, 830), (960, 1000)])]


async def test_a_span_gives_the_shifts_that_touch_it(client, account, phone, refused):
    await phone.say(*(event(*said[:2]) for said in DAY))
    for since, until, expected in ((0, 10, []), (0, 11, [10]), (59, 100, [10]), (60, 101, [100]), (500, 600, [100])):
        found = await shifts(phone, **{"from": at(since), "to": at(until)})
        assert [minute(one["started_at"]) for one in found] == expected
    path = "/v1/drivers/ana/shifts"
    for query, where in (
        ({"from": "soon"}, "from"),
        ({"from": at(5), "to": at(1)}, "from"),
        ({"from": "2025-01-01T00:00:00Z", "to": at(0)}, "from"),
    ):
        await refused(await client.get(path, params=query, headers=account.headers), 422, where)


async def test_another_accounts_shifts_are_not_there(client, other_account, phone, refused, bearer):
    await refused(await client.get(f"/v1/drivers/{phone.driver}/shifts", headers=other_account.headers), 404)
    await refused(await client.get("/v1/drivers/ana/shifts", headers=bearer(phone.token)), 401)


async def test_a_shift_is_settled(client, account, phone, tour, put_route):
    parcels = [{"barcode": "A", "quantity": 2}, {"barcode": "B"}]
    tour["stops"][0] |= {"proof": [], "parcels": parcels, "cash_on_delivery": {"amount": 100.1, "currency": "COP"}}
    tour["stops"][2] |= {"cash_on_delivery": {"amount": 5, "currency": "USD"}}
    await put_route(client, account.key)
    one, two, three, four = phone.stops
    await phone.say(
        event("completed", 5, four),  # before the shift
        event("shift_started", 10),
        event("completed", 20, one, cash={"amount": 100.2}, parcels=[{"barcode": "B", "outcome": "refused"}]),
        event("completed", 25, two, cash={"amount": 84000, "method": "card"}),
        event("completed", 26, two, cash={"amount": 1}),  # a conflict
        event("failed", 30, three, reason="refused"),
        event("shift_ended", 60),
        event("shift_started", 70),
    )
    first, second = await shifts(phone)
    assert first["settlement"] == {
        "stops": {"completed": 2, "failed": 1},
        "parcels": {"delivered": 2, "refused": 1},
        "cash": [
            {
                "currency": "COP",
                "due": 85100.1,
                "collected": 84100.2,
                "difference": -999.9,
                "by_method": {"cash": 100.2, "card": 84000},
            }
        ],
    }
    assert second["settlement"] == {"stops": {}, "parcels": {}, "cash": []}

    assert (await phone.reopen(two, occurred_at=at(40))).status == 200
    assert (await phone.reopen(three, occurred_at=at(65))).status == 200
    await phone.say(event("completed", 80, three, cash={"amount": 5, "method": "transfer"}))
    first, second = await shifts(phone)
    assert first["settlement"]["stops"] == {"completed": 1, "failed": 1}
    assert [(one["due"], one["difference"]) for one in first["settlement"]["cash"]] == [(100.1, 0.1)]
    assert second["settlement"]["cash"][0]["by_method"] == {"transfer": 5}


async def test_recipients_see_no_position_while_the_driver_pauses(client, account, pool):
    now = datetime.now(UTC)
    tour = await Tour.put(pool, account.id, start_at=now - timedelta(hours=1))
    await tour.see_van(200, at=now)
    await tour.expect({0: now + timedelta(minutes=5)}, as_of=now)
    ids = itertools.count()

    async def say(kind):
        await tour.say(kind, at=now - timedelta(milliseconds=60_000 - next(ids)))
        client.app[HUB].looks.wrote()  # as a request of this process does

    async def position():
        response = await client.get(f"/v1/track/{tour.tokens[0]}")
        assert response.status == 200
        return (await response.json())["position"]

    assert await position() is not None
    for kind, is_seen in (
        *(("shift_started", True), ("break_started", False), ("break_ended", True)),
        *(("break_started", False), ("shift_ended", False), ("shift_started", True)),
    ):
        await say(kind)
        assert (await position() is not None) is is_seen, kind
