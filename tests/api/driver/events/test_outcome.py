"""What an event means for its stop: parcels, scans, money, reasons, proofs; and what the feed tells of it."""

import uuid

import pytest

from tests.api.conftest import say_events
from tests.api.driver.driver_day import event

PARCELS = [
    {"barcode": "A1", "description": "Caja", "quantity": 5},
    {"barcode": "B2", "description": None, "quantity": 1},
    {"barcode": None, "description": "Carta", "quantity": 1},
]


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


@pytest.fixture
def tour(tour):
    tour["stops"][0] |= {"parcels": PARCELS, "proof": []}
    tour["stops"][1] |= {"parcels": PARCELS, "proof": ["barcode"]}
    tour["stops"][2] |= {"parcels": PARCELS[:1]}
    return tour


async def told(pool, kind="stop.completed"):
    """What the feed tells of the newest fact of a type."""
    return await pool.fetchval("SELECT data FROM event WHERE type = $1 ORDER BY id DESC LIMIT 1", kind)


def lines(data):
    return [(one["seq"], one["barcode"], one["quantity"], one["outcome"]) for one in data["parcels"]]


async def test_completed_hands_everything_over(phone, pool):
    one = event(
        "completed", 5, phone.stops[0], recipient={"name": "Ana", "relation": "vecina"}, note="ok", age_checked=True
    )
    assert await phone.outcome(one) == [("applied", None)]
    data = await told(pool)
    assert data["recipient"] == {"name": "Ana", "relation": "vecina"}
    assert (data["note"], data["age_checked"], data["event_id"]) == ("ok", True, one["id"])
    assert lines(data) == [(0, "A1", 5, "delivered"), (1, "B2", 1, "delivered"), (2, None, 1, "delivered")]
    assert "cash" not in data


async def test_who_took_it_may_be_a_name_alone(phone, pool):
    said = event("completed", 5, phone.stops[0], recipient="Ana Ñandú 🏠")
    for result in ("applied", "duplicate"):
        assert [one["result"] for one in await phone.say(said)] == [result]
    kept = await pool.fetchval("SELECT data FROM driver_event WHERE type = 'completed'")
    assert kept["recipient"] == {"name": "Ana Ñandú 🏠"}
    for nonsense in ("x" * 201, 5, ["Ana"], {"relation": "vecina"}):
        said = event("completed", 6, phone.stops[1], recipient=nonsense)
        assert [one["result"] for one in await phone.say(said)] == ["rejected"]


async def test_a_pickup_collects(phone, pool):
    await phone.say(
        event("completed", 5, phone.stops[2], parcels=[{"barcode": "A1", "quantity": 3, "outcome": "collected"}])
    )
    assert lines(await told(pool)) == [(0, "A1", 3, "collected"), (0, "A1", 2, "missing")]


async def test_a_part_is_told_by_parcel(phone, pool):
    said = [
        {"barcode": "A1", "quantity": 3, "outcome": "delivered"},
        {"barcode": "A1", "quantity": 1, "outcome": "damaged"},
        {"seq": 2, "outcome": "refused"},
        {"barcode": "Z9", "outcome": "delivered"},
        {"seq": 7, "quantity": 2, "outcome": "missing"},
    ]
    (result,) = await phone.say(event("partially_completed", 5, phone.stops[0], parcels=said))
    assert result["warnings"] == [{"why": "parcels-unknown", "what": ["Z9", "seq 7"]}]
    assert lines(await told(pool, "stop.partially_completed")) == [
        (0, "A1", 3, "delivered"),
        (0, "A1", 1, "damaged"),
        (0, "A1", 1, "returned"),
        (1, "B2", 1, "returned"),
        (2, None, 1, "refused"),
        (None, "Z9", 1, "delivered"),
        (None, None, 2, "missing"),
    ]


async def test_parcels_of_one_barcode_are_named_one_after_the_other(client, account, phone, tour, put_route, pool):
    tour["stops"][0]["parcels"] = [{"barcode": "TWIN", "description": None, "quantity": 1}] * 3
    await put_route(client, account.key)
    said = [{"barcode": "TWIN", "outcome": outcome} for outcome in ("delivered", "refused")]
    (result,) = await phone.say(event("partially_completed", 5, phone.stops[0], parcels=said, barcodes=["X"]))
    assert lines(await told(pool, "stop.partially_completed")) == [
        (0, "TWIN", 1, "delivered"),
        (1, "TWIN", 1, "refused"),
        (2, "TWIN", 1, "returned"),
    ]
    assert [one["what"] for one in result["warnings"]] == [["TWIN"], ["X"]]


async def test_scans_are_held_against_the_parcels(phone, pool):
    (result,) = await phone.say(event("completed", 5, phone.stops[0], barcodes=["A1", "X", "X"]))
    assert (result["result"], result["warnings"]) == (
        "applied",
        [{"why": "barcodes-missing", "what": ["B2"]}, {"why": "barcodes-unknown", "what": ["X"]}],
    )
    data = await told(pool)
    assert (data["barcodes_missing"], data["barcodes_unknown"]) == (["B2"], ["X"])
    assert "barcodes" not in data


async def test_who_scans_nothing_is_not_warned_unless_scans_are_asked_for(phone):
    (result,) = await phone.say(event("completed", 5, phone.stops[0]))
    assert "warnings" not in result
    asks = phone.stops[1]
    for barcodes in ([], ["A1"]):
        (result,) = await phone.say(event("completed", 5, asks, barcodes=barcodes))
        assert (result["result"], result["why"]) == ("conflict", "barcodes-missing")
        assert result["warnings"][0]["what"] == [one for one in ("A1", "B2") if one not in barcodes]
    refused_one = [{"barcode": "B2", "outcome": "refused"}, {"barcode": "A1", "outcome": "delivered"}]
    part = event("partially_completed", 6, asks, barcodes=["A1"], parcels=refused_one)
    assert await phone.outcome(part) == [("applied", None)]


@pytest.mark.parametrize(
    ("cash", "expected"),
    [
        ({"amount": 85000}, (85000, "cash", 0)),
        ({"amount": 80000.5, "method": "card"}, (80000.5, "card", -4999.5)),
        (None, (0, None, -85000)),
    ],
)
async def test_money_is_held_against_what_was_due(phone, pool, tour, client, account, put_route, cash, expected):
    tour["stops"][1]["proof"] = []
    await put_route(client, account.key)
    await phone.say(event("completed", 5, phone.stops[1], **({"cash": cash} if cash else {})))
    amount, method, difference = expected
    assert (await told(pool))["cash"] == {
        "amount": amount,
        "method": method,
        "currency": "COP",
        "due": 85000,
        "difference": difference,
    }


async def test_money_is_not_rounded(client, account, phone, tour, put_route, pool):
    tour["stops"][2] |= {"cash_on_delivery": {"amount": 987654321987.65, "currency": "IRR"}}
    await put_route(client, account.key)
    await phone.say(event("completed", 5, phone.stops[2], cash={"amount": 987654321987.66}))
    assert (await told(pool))["cash"]["difference"] == 0.01


async def test_money_that_was_not_due_is_told_too(phone, pool):
    await phone.say(event("completed", 5, phone.stops[0], cash={"amount": 10}))
    assert (await told(pool))["cash"] == {"amount": 10, "method": "cash", "currency": None, "due": 0, "difference": 10}


async def test_a_reason_nobody_knows_counts_with_a_warning(phone, pool):
    known, unknown = phone.stops[:2]
    (result,) = await phone.say(event("failed", 5, known, reason="nobody_home", note="rang twice"))
    assert result["result"] == "applied"
    data = await told(pool, "stop.failed")
    assert (data["reason"], data["reason_text"], data["note"]) == ("nobody_home", "No había nadie", "rang twice")
    (result,) = await phone.say(event("failed", 6, unknown, reason="flood"))
    assert (result["result"], result["warnings"]) == ("applied", [{"why": "unknown-reason", "what": ["flood"]}])
    data = await told(pool, "stop.failed")
    assert data["reason"] == "flood"
    assert "reason_text" not in data


async def test_a_skipped_stop_needs_no_reason(phone):
    assert await phone.outcome(event("skipped", 5, phone.stops[0])) == [("applied", None)]


async def test_what_a_stop_asks_for_later_changes_nothing(client, account, phone, tour, put_route):
    await phone.say(event("completed", 5, phone.stops[0]))
    tour["stops"][0]["proof"] = ["pin", "barcode"]
    await put_route(client, account.key)
    assert (await phone.statuses())[0] == "completed"


async def test_proofs_are_tied_to_their_event_whatever_becomes_of_it(phone, pool):
    uploads = [str(uuid.uuid4()) for _ in range(2)]
    first, second = (
        event("completed", 5 + n, phone.stops[0], proofs=[{"upload_id": upload, "kind": "photo"}])
        for n, upload in enumerate(uploads)
    )
    assert await phone.outcome(first, second) == [("applied", None), ("conflict", "already-completed")]
    rows = await pool.fetch("SELECT upload_id::text, event_id::text, state FROM proof ORDER BY id")
    assert [tuple(row) for row in rows] == [
        (uploads[0], first["id"], "pending"),
        (uploads[1], second["id"], "pending"),
    ]
    bad = [{"upload_id": "?", "kind": "photo"}, {"upload_id": uploads[0], "kind": "signature"}]
    (result,) = await phone.say(event("failed", 3, phone.stops[1], reason="other", proofs=bad))
    assert [one["why"] for one in result["warnings"]] == ["proof-bad-proof", "proof-another-stop"]
