"""Plain messages in front of the application: answered as it answers, and left to it whenever they are not plain."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from api.http.app_keys import AT_ONCE
from api.http.auth import hash_of
from api.http.known.devices import DEVICES
from api.http.shares.bodies import BODIES
from geo.pings import Pings
from ingest import inbox
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox, ping, until_writers_wait

Kept = Callable[[], Awaitable[Pings]]
Answer = tuple[int, dict[str, str], bytes]

GOOD = ping(60, speed_mps=9.5, activity="driving", id="a1")
BATCH = {"pings": [ping(61), GOOD]}
NOW_MS = int(time.time() * 1000) - 60_000
HERE = {"latitude": 19.4, "longitude": -99.1}
JSON = "Content-Type: application/json"
FEATURE = {"geometry": {"coordinates": [-99.1, 19.4]}, "properties": {"timestamp": GOOD["time"], "speed": 9}}
TOO_MANY = {"locations": [FEATURE] * 11}
OWNTRACKS = {"_type": "location", "lat": 19.4, "lon": -99.1, "tst": int(time.time()) - 60, "tid": "an"}
RMC = time.strftime("$GPRMC,%H%M%S,A,1925.95648,N,9907.99248,W,0,0,%d%m%y,,*00", time.gmtime(time.time() - 60))
QUERY = f"timestamp={int(time.time()) - 60}&lat=19.4326&lon=-99.1332&speed=12&bearing=90&accuracy=6&batt=80"


@dataclass(frozen=True, slots=True)
class Case:
    """What a phone sends; "{token}" is its secret for store apps. A body that tells the time is called when sent."""

    name: str
    plain: bool
    body: Any = b""
    path: str = "/v1/pings"
    method: str = "POST"
    more: str = "Content-Type: application/json"
    app: str = "native"

    def written(self, phone: Phone, token: str | None = None) -> bytes:
        said = self.body() if callable(self.body) else self.body
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        path = self.path.replace("{token}", phone.ingest_token if token is None else token)
        who = f"Authorization: Bearer {phone.token if token is None else token}\r\n" if self.app == "native" else ""
        length = "" if "chunked" in self.more else f"Content-Length: {len(body)}\r\n"
        more = f"{self.more}\r\n".replace("{token}", phone.ingest_token) if self.more else ""
        head = f"{self.method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{who}{more}{length}\r\n"
        return head.encode() + body


def store(name: str, *, plain: bool, method: str = "GET", path: str = "", app: str = "osmand", **more: Any) -> Case:
    path = path or f"/ingest/{{token}}/osmand?{QUERY}"
    return Case(name, plain=plain, method=method, path=path, app=app, more=more.pop("more", ""), **more)


CASES = [
    Case("rows", plain=True, body=BATCH),
    Case("a list", plain=True, body=[GOOD]),
    Case("columns", plain=True, body={"columns": {name: [value] for name, value in GOOD.items()}}),
    Case("packed", plain=True, body=msgspec.msgpack.encode(BATCH), more="Content-Type: application/msgpack"),
    Case("type with a charset", plain=True, body=BATCH, more="Content-Type: application/json; charset=utf-8"),
    Case("no type", plain=True, body=BATCH, more=""),
    Case("it says when", plain=True, body=lambda: BATCH | {"sent_at": ping(0)["time"]}),
    Case("a clock an hour ahead", plain=False, body=lambda: BATCH | {"sent_at": ping(-3_600)["time"]}),
    Case("a ping an hour ahead", plain=False, body=[ping(-3_600)]),
    Case("one is refused", plain=False, body=[GOOD, ping(lat=91)]),
    Case("nothing", plain=False, body=[]),
    Case("no JSON", plain=False, body=b"{"),
    Case("not pings", plain=False, body={"pings": 1}),
    Case("too many", plain=False, body=[GOOD] * 11),
    Case("too long", plain=False, body=[ping(id="x" * 3_000)]),
    Case("a mark before it", plain=False, body=b"\xef\xbb\xbf" + json.dumps(BATCH).encode()),
    Case("another type", plain=False, body=BATCH, more="Content-Type: image/png"),
    Case("a form", plain=False, body=BATCH, more="Content-Type: application/x-www-form-urlencoded"),
    Case("wants it packed", plain=False, body=BATCH, more="Accept: application/msgpack"),
    Case("gzip", plain=False, body=gzip.compress(json.dumps(BATCH).encode()), more="Content-Encoding: gzip"),
    Case("chunked", plain=False, body=b"2\r\n[]\r\n0\r\n\r\n", more="Transfer-Encoding: chunked"),
    Case("expects an answer first", plain=False, body=BATCH, more="Expect: 100-continue"),
    Case("another method", plain=False, body=BATCH, method="PUT"),
    store("OsmAnd", plain=True),
    store("Traccar's query", plain=True, method="POST", app="traccar"),
    store(
        "Traccar's form",
        plain=True,
        method="POST",
        path="/ingest/{token}/osmand",
        body=QUERY.encode(),
        app="traccar",
        more="Content-Type: application/x-www-form-urlencoded",
    ),
    store(
        "Traccar's JSON",
        plain=True,
        method="POST",
        path="/ingest/{token}/osmand",
        body={"location": {"timestamp": GOOD["time"], "coords": {"latitude": 19.4, "longitude": -99.1}}},
        app="traccar",
        more="Content-Type: application/json",
    ),
    store("a name twice", plain=True, path=f"/ingest/{{token}}/osmand?{QUERY}&lat=1&batt=5"),
    store("escaped", plain=True, path=f"/ingest/{{token}}/osmand?{QUERY.replace('.', '%2E')}&ch%61rge=%74rue"),
    store(
        "pluses and blanks", plain=True, path=f"/ingest/{{token}}/osmand?{QUERY}&&altitude=+5+&mock&=1&alarm=&x=a=b&"
    ),
    store("a fragment", plain=True, path=f"/ingest/{{token}}/osmand?{QUERY}#&altitude=5"),
    store("a number that is none", plain=True, path=f"/ingest/{{token}}/osmand?{QUERY}&altitude=1_0&hdop=nan"),
    store("a fix that is none", plain=False, path=f"/ingest/{{token}}/osmand?{QUERY}&valid=false"),
    store("it lives", plain=False, path="/ingest/{token}/osmand?batt=50"),
    store("a call for help", plain=False, path=f"/ingest/{{token}}/osmand?{QUERY}&alarm=sos"),
    store("no place", plain=False, path="/ingest/{token}/osmand?lat=x&lon=1"),
    store("what GET would be answered", plain=False, method="HEAD"),
    store("OwnTracks", plain=True, method="POST", path="/ingest/{token}/owntracks", body=OWNTRACKS, more=JSON),
    *(
        store(f"by {who}", plain=True, method="POST", path=path, body=body, more=f"{JSON}\r\nAuthorization: {who}")
        for path, body in (("/pub", OWNTRACKS), ("/ingest/overland", {"locations": [FEATURE]}))
        for who in ("Bearer {token}", "Basic {token}:")
    ),
    store("no credential", plain=False, method="POST", path="/pub", body=OWNTRACKS, more=JSON),
    store("a query behind it", plain=False, method="POST", path="/pub?u=ana&d=moto", body=OWNTRACKS, more=JSON),
    store("it leaves", plain=False, method="POST", path="/ingest/{token}/owntracks", body={"_type": "lwt"}, more=JSON),
    store("Overland", plain=True, method="POST", path="/ingest/{token}/overland", body={"locations": [FEATURE] * 9}),
    store("too many features", plain=False, method="POST", path="/ingest/{token}/overland", body=TOO_MANY),
    store("GPSLogger", plain=True, path=f"/ingest/{{token}}/gpslogger?{QUERY}"),
    store("GPSLogger's body", plain=True, method="PUT", path="/ingest/{token}/gpslogger", body=QUERY.encode()),
    store("GPRMC", plain=True, path=f"/ingest/{{token}}/gprmc?id=x&alt=2240&gprmc={RMC}"),
    store("a bare list", plain=True, method="POST", path="/ingest/{token}/bggeo", body=[{**HERE, "time": NOW_MS}] * 2),
    store("a slash behind it", plain=False, path=f"/ingest/{{token}}/osmand/?{QUERY}"),
    store("no door", plain=False, path=f"/ingest/{{token}}/other?{QUERY}"),
]


async def asked(port: int, text: bytes, answers: int = 1) -> list[Answer]:
    """Send bytes over one connection, and read so many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    try:
        return [await _answer(reader) for _ in range(answers)]
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(30):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if head.startswith("HTTP/1.1 100"):
            return await _answer(reader)
        status, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        length = int(headers.get("Content-Length", 0))
        return int(status.split()[1]), headers, await reader.readexactly(length)


@asynccontextmanager
async def watched(open_doors: Doors, *phones: Phone, **settings: Any) -> AsyncIterator[tuple[Client, list[bool]]]:
    """Open doors that know some phones; the list says of each request whether it was taken at once."""
    async with open_doors(**settings) as client:
        app, taken = client.server.app, list[bool]()
        for phone in phones:
            await app[DEVICES].find(hash_of(phone.token), can_read=True)
            await app[DEVICES].find(hash_of(phone.ingest_token), can_read=False)
        at_once = app[AT_ONCE]
        take = at_once.take

        def noted(*args: Any) -> bool:
            taken.append(take(*args))
            return taken[-1]

        at_once.take = noted
        yield client, taken


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_it_is_answered_and_kept_as_by_the_application(
    open_doors: Doors, make_phone: Callable[..., Awaitable[Phone]], kept: Kept, pool: Pool, case: Case
) -> None:
    phone = await make_phone("ana", app=case.app)
    limits = {"max_batch": 10, "max_ping_bytes": 2_000}
    said, stored = [], []
    for by_application in (True, False):
        async with watched(open_doors, phone, by_application=by_application, **limits) as (client, taken):
            [answer] = await asked(client.port, case.written(phone))
        said.append(without_date(answer))
        pings = await kept()
        pings.rows["received_ms"] = 0
        stored.append((pings.rows.tobytes(), pings.texts.tolist()))
        await pool.execute("DELETE FROM inbox")
    assert said[0] == said[1]
    assert stored[0] == stored[1]
    assert taken == ([True] if case.plain else taken[:1])
    assert bool(stored[0][0]) >= case.plain


def without_date(answer: Answer) -> Answer:
    status, headers, body = answer
    assert "Date" in headers
    return status, {name: value for name, value in headers.items() if name != "Date"}, body


async def test_a_phone_that_is_not_known_is_refused_by_the_application(open_doors: Doors, phone: Phone) -> None:
    async with watched(open_doors) as (client, taken):
        [(status, _, body)] = await asked(client.port, CASES[0].written(phone, "rpd_nobody"))
    assert (status, json.loads(body)["type"], taken) == (401, "unauthorized", [False])


async def test_requests_sent_one_behind_the_other_are_answered_in_their_order(
    open_doors: Doors, phone: Phone, kept: Kept
) -> None:
    lives = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    some = [Case("", plain=True, body=[ping(60 - n)] * (n % 3 + 1)).written(phone) for n in range(40)]
    sent = b"".join(lives if n in (7, 8, 39) else one for n, one in enumerate(some))
    async with watched(open_doors, phone) as (client, taken):
        answers = await asked(client.port, sent, 40)
    expected = [404 if n in (7, 8, 39) else n % 3 + 1 for n in range(40)]
    said = [json.loads(body).get("accepted", status) for status, _, body in answers]
    assert said == expected
    assert taken == [True] * 7  # then the application has its turn until nothing waits
    assert len(await kept()) == sum(n for n in expected if n != 404)


async def test_a_request_that_comes_in_pieces_is_answered(open_doors: Doors, phone: Phone, kept: Kept) -> None:
    text = CASES[0].written(phone)
    async with watched(open_doors, phone) as (client, taken):
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for cut in (10, len(text) - 5, None):  # in the first line, in the body, and whole
            for part in (text,) if cut is None else (text[:cut], text[cut:]):
                writer.write(part)
                await asyncio.sleep(0.05)
            status, _, _ = await _answer(reader)
            assert status == 200
        writer.close()
    assert taken[-1]
    assert len(await kept()) == 6


async def test_nothing_is_acknowledged_before_the_commit(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with watched(open_doors, phone) as (client, taken):
        async with locked_inbox(pool):
            asking = asyncio.create_task(asked(client.port, CASES[0].written(phone)))
            await until_writers_wait(pool)
            assert taken == [True]
            assert not asking.done()
        [(status, _, _)] = await asking
    assert status == 200


async def test_a_phone_that_hangs_up_leaves_its_pings(open_doors: Doors, phone: Phone, pool: Pool, kept: Kept) -> None:
    async with watched(open_doors, phone) as (client, _):
        async with locked_inbox(pool):
            _, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(CASES[0].written(phone))
            await until_writers_wait(pool)
            writer.close()
            await writer.wait_closed()
        [(status, _, _)] = await asked(client.port, CASES[0].written(phone))  # the doors go on
    assert status == 200
    assert len(await kept()) == 4


async def test_a_commit_that_takes_too_long_is_told_in_time(
    open_doors: Doors, phone: Phone, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "WAIT_S", 0.3)
    said = []
    for by_application in (True, False):
        async with watched(open_doors, phone, by_application=by_application) as (client, taken):
            async with locked_inbox(pool):
                [answer] = await asked(client.port, CASES[0].written(phone))
            said.append(without_date(answer))
    assert taken == [True]
    assert said[0] == said[1]
    assert (said[0][0], said[0][1]["Retry-After"]) == (503, "5")


async def test_what_is_under_way_is_answered_before_the_doors_close(
    open_doors: Doors, phone: Phone, pool: Pool
) -> None:
    async with watched(open_doors, phone) as (client, _):
        async with locked_inbox(pool):
            asking = asyncio.create_task(asked(client.port, CASES[0].written(phone)))
            await until_writers_wait(pool)
            closing = asyncio.create_task(client.close())
            await asyncio.sleep(0.1)
            assert not closing.done()
        [(status, _, _)] = await asking
        await closing
    assert status == 200


async def test_a_phone_over_its_rate_is_told_when_to_come_back(open_doors: Doors, phone: Phone, kept: Kept) -> None:
    async with watched(open_doors, phone, pings_per_minute=2) as (client, taken):
        answers = await asked(client.port, CASES[0].written(phone) * 2, 2)
    assert [status for status, _, _ in answers] == [200, 429]
    assert answers[1][1]["Retry-After"]
    assert taken == [True, False]
    assert len(await kept()) == 2


async def test_bodies_count_as_long_as_their_pings_wait(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with watched(open_doors, phone) as (client, _):
        bodies = client.server.app[BODIES]
        async with locked_inbox(pool):
            asking = asyncio.create_task(asked(client.port, CASES[0].written(phone)))
            await until_writers_wait(pool)
            assert bodies.total_bytes == len(json.dumps(BATCH))
        await asking
        assert bodies.total_bytes == 0
