import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api.http.auth import hash_of
from api.recipient import held
from api.recipient import stream as tracking
from api.tracking_page import endpoints as tracking_page
from sql.pool import Pool
from tests.api.stream.streams import next_event
from tests.api.tour_rows import Tour, place_at


@pytest.fixture
def stream_clients() -> int:
    return 2


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    parts = [tracking.operations.add_to, tracking_page.operations.add_to]
    return [*app_parts, *parts]


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """Four stops; the van is 100 m on its way to the first, ten minutes from it and from each to the next."""
    now = datetime.now(UTC)
    made = await Tour.put(pool, account.id, start_at=now - minutes(30))
    await made.see_van(100, at=now - timedelta(seconds=3))
    await made.expect({n: now + minutes(10 * (n + 1)) for n in range(4)}, as_of=now - timedelta(seconds=3))
    return made


async def test_what_the_next_recipient_sees(client: Any, tour: Tour) -> None:
    response = await client.get(f"/v1/track/{tour.tokens[0]}")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "private, no-cache"
    view = await response.json()
    assert view["status"] == "en_route"
    assert view["under_way"] is True
    assert (view["stop"]["name"], view["stop"]["kind"], view["stop"]["window"]) == ("Ana Restrepo", "delivery", None)
    assert view["eta"]["low"] < view["eta"]["expected"] < view["eta"]["high"]
    assert view["eta"]["stale"] is False
    assert view["stops_before"] == 0
    assert (view["position"]["lon"], view["position"]["lat"]) == pytest.approx(place_at(100), abs=2e-6)
    assert view["path_ahead"]["type"] == "LineString"
    line = view["path_ahead"]["coordinates"]
    assert line[0] == pytest.approx([view["position"]["lon"], view["position"]["lat"]], abs=2e-6)
    assert line[-1] == pytest.approx([view["stop"]["lon"], view["stop"]["lat"] - 0.0002], abs=2e-6)
    assert view["driver"] == {"first_name": "Marta"}
    assert view["timezone"] == "America/Bogota"
    assert view["poll_after_s"] == 5


async def test_what_a_later_recipient_sees(client: Any, tour: Tour) -> None:
    view = await (await client.get(f"/v1/track/{tour.tokens[3]}")).json()
    assert (view["status"], view["stops_before"]) == ("pending", 3)
    assert view["position"] is not None
    assert view["path_ahead"] is None


async def test_nothing_of_other_stops_is_told(client: Any, tour: Tour) -> None:
    text = await (await client.get(f"/v1/track/{tour.tokens[1]}")).text()
    assert "Ferretería" in text
    for name in ("Ana Restrepo", "Taller", "Lucía", "Quintero", "stop-"):
        assert name not in text


@pytest.mark.parametrize(
    ("said", "is_seen"),
    [
        ([], True),
        ([("shift_started", 30)], True),
        ([("shift_started", 30), ("shift_ended", 1)], False),
        ([("shift_started", 30), ("shift_ended", 9), ("shift_started", 5)], True),
        ([("shift_ended", 12 * 60)], False),  # nobody said yet that today's began
        ([("shift_ended", 40 * 24 * 60)], True),  # who does not use them any more
    ],
)
async def test_a_driver_who_uses_shifts_is_seen_in_them_only(
    client: Any, tour: Tour, said: list[tuple[str, float]], is_seen: bool
) -> None:
    for kind, ago in said:
        await tour.say(kind, at=datetime.now(UTC) - minutes(ago))
    view = await (await client.get(f"/v1/track/{tour.tokens[0]}")).json()
    assert (view["position"] is not None) is is_seen
    assert (view["path_ahead"] is not None) is is_seen


async def test_the_raw_fix_is_not_told(client: Any, tour: Tour) -> None:
    await tour.see_van(100, at=datetime.now(UTC), lat_e6=6_299_999, lon_e6=-75_599_999)
    assert "6.299" not in await (await client.get(f"/v1/track/{tour.tokens[0]}")).text()


async def test_unchanged_is_304(client: Any, tour: Tour) -> None:
    first = await client.get(f"/v1/track/{tour.tokens[0]}")
    tag = first.headers["ETag"]
    again = await client.get(f"/v1/track/{tour.tokens[0]}", headers={"If-None-Match": tag})
    assert again.status == 304
    assert again.headers["ETag"] == tag
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    await tour.see_van(150, at=datetime.now(UTC))
    await asyncio.sleep(1)  # nobody told
    assert (await client.get(f"/v1/track/{tour.tokens[0]}", headers={"If-None-Match": tag})).status == 200


async def test_the_same_in_msgpack(client: Any, tour: Tour) -> None:
    response = await client.get(f"/v1/track/{tour.tokens[0]}", headers={"Accept": "application/msgpack"})
    assert msgspec.msgpack.decode(await response.read())["status"] == "en_route"


async def test_any_page_may_ask_and_nothing_else_may_be_asked_from_other_pages(client: Any, tour: Tour) -> None:
    path = f"/v1/track/{tour.tokens[0]}"
    asked = await client.options(path, headers={"Origin": "https://shop.example"})
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    for answer in (await client.get(path), await client.get("/v1/track/unknown-token-unknown")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in (await client.get("/v1/routes")).headers


@pytest.mark.parametrize("token", ["unknown-token-unknown", "x", "a" * 200, "%00", "%F0%9F%9A%9A", "..%2F..%2Fetc"])
async def test_an_unknown_token_is_404(client: Any, tour: Tour, token: str) -> None:
    for path in (f"/v1/track/{token}", f"/v1/track/{token}/stream", f"/t/{token}"):
        assert (await client.get(path)).status == 404


ENDINGS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"link_revoked_at": datetime.now(UTC)}, {}, "revoked"),
    ({"status": "removed"}, {}, "taken off"),
    ({}, {"status": "cancelled"}, "cancelled"),
    ({}, {"deleted_at": datetime.now(UTC)}, "cancelled"),
    ({"status": "completed", "departed_at": datetime.now(UTC) - timedelta(hours=25)}, {}, "over"),
    ({}, {"status": "finished", "finished_at": datetime.now(UTC) - timedelta(hours=13)}, "over"),
]


@pytest.mark.parametrize(("stop", "route", "words"), ENDINGS)
async def test_an_ended_link_is_410_everywhere(
    client: Any, tour: Tour, stop: dict[str, Any], route: dict[str, Any], words: str
) -> None:
    for change, changes in ((lambda **c: tour.change_stop(0, **c), stop), (tour.change_route, route)):
        if changes:
            await change(**changes)
    for path in (f"/v1/track/{tour.tokens[0]}", f"/v1/track/{tour.tokens[0]}/stream"):
        response = await client.get(path)
        assert response.status == 410
        assert words in (await response.json())["detail"]
    page = await client.get(f"/t/{tour.tokens[0]}")
    assert page.status == 410
    assert page.content_type == "text/html"


async def test_a_rotated_link_ends_and_the_new_one_works(client: Any, tour: Tour) -> None:
    await tour.change_stop(0, link_hash=hash_of("a-new-token-of-this-stop"), link_generation=1)
    assert (await client.get(f"/v1/track/{tour.tokens[0]}")).status == 404
    assert (await client.get("/v1/track/a-new-token-of-this-stop")).status == 200


async def test_a_stream_gives_the_same_and_goes_on_with_what_changes(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        event, view = await next_event(response)
        assert event == "tracking"
        assert view == await (await client.get(f"/v1/track/{tour.tokens[0]}")).json()
        await tour.see_van(160, at=datetime.now(UTC))
        await tour.tell()
        event, moved = await next_event(response)
        assert (event, moved["status"]) == ("tracking", "en_route")
        assert moved["position"]["lat"] > view["position"]["lat"]


async def test_a_stream_follows_a_ping_within_a_second(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        await asyncio.sleep(held.COALESCE_S)
        await tour.see_van(160, at=datetime.now(UTC))
        began = asyncio.get_running_loop().time()
        await tour.tell()
        await next_event(response)
        # an idle machine takes some milliseconds; the bound only tells telling from looking again after 15 s
        assert asyncio.get_running_loop().time() - began < 5


async def test_all_recipients_of_a_route_follow_their_own_stop(client: Any, tour: Tour) -> None:
    first, second = (f"/v1/track/{token}/stream" for token in tour.tokens[:2])
    async with client.get(first) as one, client.get(second) as two:
        assert (await next_event(one))[1]["stops_before"] == 0
        assert (await next_event(two))[1]["stops_before"] == 1
        now = datetime.now(UTC)
        await tour.visit(0, now - minutes(2), now)
        await tour.tell()
        _, done = await next_event(one)
        _, next_one = await next_event(two)
        assert (done["status"], done["position"], done["driver"]) == ("departed", None, None)
        assert (next_one["status"], next_one["stops_before"]) == ("en_route", 0)
        assert next_one["path_ahead"] is not None


async def test_a_stream_ends_with_its_link(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        await tour.change_stop(0, link_revoked_at=datetime.now(UTC))
        await tour.tell()
        assert await next_event(response) == ("end", {"why": "revoked"})
        with pytest.raises(EOFError):
            await next_event(response)


@pytest.mark.parametrize("what", ["rotate", "revoke"])
async def test_a_stream_ends_at_once_when_its_link_is_taken_away(
    client: Any, account: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 600.0)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        path = f"/v1/stops/st_{tour.stop_ids[0]}/tracking-link/{what}"
        assert (await client.post(path, headers=account.headers)).status == 200
        assert await next_event(response) == ("end", {"why": "revoked"})


async def test_a_stream_follows_the_accounts_settings_at_once(
    client: Any, account: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 600.0)
    async with client.get(f"/v1/track/{tour.tokens[1]}/stream") as response:
        assert (await next_event(response))[1]["position"] is not None
        strict = {"visibility": {"max_stops_before": 0, "max_minutes": 60}}
        assert (await client.patch("/v1/account", json=strict, headers=account.headers)).status == 200
        assert (await next_event(response))[1]["position"] is None


async def test_a_stream_ends_when_its_stop_is_replaced(client: Any, tour: Tour) -> None:
    async with client.get(f"/v1/track/{tour.tokens[3]}/stream") as response:
        await next_event(response)
        await tour.pool.execute("DELETE FROM stop WHERE id = $1", tour.stop_ids[3])
        await tour.tell()
        assert (await next_event(response))[0] == "end"


async def test_a_quiet_stream_shows_that_it_lives(client: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.stream.sse.HEARTBEAT_S", 0.05)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        await next_event(response)
        async with asyncio.timeout(60):
            while await response.content.readline() != b": still here\n":
                pass


async def test_what_changed_is_found_without_being_told(
    client: Any, tour: Tour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "LOOK_AGAIN_S", 0.05)
    now = datetime.now(UTC)
    await tour.expect({0: now + minutes(65)}, as_of=now)
    async with client.get(f"/v1/track/{tour.tokens[0]}/stream") as response:
        assert (await next_event(response))[1]["position"] is None
        await tour.expect({0: now + minutes(55)}, as_of=now)
        assert (await next_event(response))[1]["position"] is not None


async def test_streams_have_seats(client: Any, tour: Tour) -> None:
    one, two, three = (f"/v1/track/{token}/stream" for token in tour.tokens[:3])
    async with client.get(one):
        assert (await client.get(one)).status == 429  # one link has its share of them, and another may come
        async with client.get(two):
            assert (await client.get(three)).status == 503
            assert (await client.get(f"/v1/track/{tour.tokens[0]}")).status == 200


async def test_tokens_are_in_no_log(client: Any, tour: Tour, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="api")
    for path in ("/v1/track/{}", "/t/{}"):
        await client.get(path.format(tour.tokens[0]))
        await client.get(path.format("unknown-token-unknown"))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("api"))
    assert tour.tokens[0] not in logged
    assert "unknown-token" not in logged
