"""Everything that reads what strangers send, as functions of bytes: each may refuse in its own words, and only so."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from os import SEEK_END
from tempfile import TemporaryFile
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from api.driver.events.body import ahead_in, events_in, read_event
from api.http.config import ApiConfig
from api.http.media import parse
from api.http.paging import cursor_in, cursor_of
from api.http.problem import Invalid, Problem
from api.http.read.bodies import converted, unstorable
from api.http.shares.bodies import BODIES, Bodies
from api.proofs.uploads.about import about_in
from api.proofs.uploads.parts import read_form
from api.proofs.uploads.tus import checksum_in, metadata_in
from api.routes.body import RouteBody
from geo.pings import Pings
from ingest import blocks
from ingest.decode import bggeo, gprmc, gpslogger, native, osmand, overland, owntracks
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.message import AppMessage
from ingest.decode.refusals import TooMuch, Unreadable

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
ARRIVAL = Arrival(driver_id=1, device_id=2, received_ms=NOW_MS, oldest_ms=NOW_MS - 30 * 86_400_000)
CONFIG = ApiConfig()
JSON, MSGPACK = "application/json", "application/msgpack"
MOST_PINGS, MOST_FILE_BYTES = 50, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Something that reads.

    Attributes:
        read: raises what is not in `refuses` only if it is broken.
        good: what it reads well.
        refuses: how it says no.
    """

    name: str
    read: Callable[[bytes], object]
    good: Sequence[bytes]
    refuses: tuple[type[Exception], ...] = ()

    def try_on(self, said: bytes) -> None:
        """Let it read; a refusal is as good as an answer.

        Raises:
            Exception: it is broken.
        """
        try:
            self.read(said)
        except self.refuses as refusal:
            if isinstance(refusal, Problem) and not 400 <= refusal.status < 500:
                raise


def _are_pings(decoded: Decoded) -> None:
    """Check what the columns of pings promise, and that they go into the inbox and out of it again."""
    rows = decoded.pings.rows
    assert (np.abs(rows["lat_e6"]) <= 90_000_000).all()
    assert (np.abs(rows["lon_e6"]) <= 180_000_000).all()
    assert (rows["recorded_ms"] >= ARRIVAL.oldest_ms).all()
    for name in ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery"):
        assert not np.isinf(rows[name]).any(), name
    assert all(one.why for one in decoded.rejected)
    for block in blocks.split([(1, decoded.pings)]):
        kept = blocks.decode(block.body)
        assert isinstance(kept, Pings)
        assert len(kept) == block.pings


def _native(said: bytes, *, packed: bool) -> None:
    message = native.read(said, packed=packed)
    decoded = native.decode(message, ARRIVAL, max_batch=MOST_PINGS)
    _are_pings(decoded)
    answer = {"n": message.n, "accepted": len(decoded.pings), "rejected": [one.why for one in decoded.rejected]}
    for encode in (msgspec.json.encode, msgspec.msgpack.encode):
        encode(answer)  # as a WebSocket is answered


def _osmand(said: bytes) -> None:
    text = said.decode("utf-8", "replace")  # as a URL is read
    for app in ("traccar", "osmand"):
        query: Mapping[str, str] = dict(parse_qsl(text, keep_blank_values=True))
        _are_pings(osmand.decode(AppMessage(app=app, query=query, query_text=text), ARRIVAL))
        _are_pings(osmand.decode(AppMessage(app=app, query={}, body=said), ARRIVAL))


def _osmand_json(said: bytes) -> None:
    _are_pings(osmand.decode(AppMessage(app="traccar", query={}, body=said, is_json=True), ARRIVAL))


def _posted(decode: Callable[[AppMessage, Arrival], Decoded], said: bytes) -> None:
    _are_pings(decode(AppMessage(app="traccar", query={}, body=said, max_batch=MOST_PINGS), ARRIVAL))


def _events(said: bytes, media: str) -> None:
    raw = parse(media, said, Any)
    events = events_in(raw, most=MOST_PINGS)
    ahead_ms, _ = ahead_in(raw, events, NOW_MS, 0)
    oldest = NOW - timedelta(days=30)
    for item in events:
        read = read_event(item, "/events/0", now=NOW, oldest=oldest, ahead_ms=ahead_ms, config=CONFIG)
        assert read.sent is item


def _route(said: bytes, media: str) -> None:
    raw = parse(media, said, Any)
    list(unstorable(raw))
    converted(raw, RouteBody, "")


def _form(said: bytes) -> None:
    asyncio.run(_read(said))


async def _read(said: bytes) -> None:
    protocol = mock.create_autospec(BaseProtocol, instance=True)
    payload = StreamReader(protocol, 2**16, loop=asyncio.get_running_loop())
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    request = make_mocked_request("POST", "/v1/driver/proofs", headers=headers, payload=payload)
    payload.feed_data(said)
    payload.feed_eof()
    request.app[BODIES] = Bodies(2**20, wait_s=10)
    with TemporaryFile() as disk:
        form = await read_form(request, disk, max_bytes=MOST_FILE_BYTES)
        assert form.size == disk.seek(0, SEEK_END) <= MOST_FILE_BYTES
    about_in(form.fields, at="")


def _tus(said: bytes) -> None:
    text = "".join(one for one in said.decode("latin-1") if one.isprintable())  # as a header can be
    about_in(metadata_in(text), at="")


def _checksum(said: bytes) -> None:
    text = "".join(one for one in said.decode("latin-1") if one.isprintable())
    checksum_in(_asked("/", {"Upload-Checksum": text}))


def _cursor(said: bytes) -> None:
    text = said.decode("latin-1")
    refused = 0
    for kind in (tuple[int], tuple[int, str], tuple[datetime, int]):
        try:
            cursor_in(make_mocked_request("GET", f"/?cursor={_quoted(text)}"), kind)
        except Invalid:
            refused += 1
    if refused == 3:
        raise Invalid("of no list")


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _asked(path: str, headers: Mapping[str, str]) -> web.Request:
    return make_mocked_request("PATCH", path, headers=headers)


BOUNDARY = "xXx"
PING = {
    "time": NOW_MS, "lat": 19.43, "lon": -99.13, "accuracy_m": 5.5, "altitude_m": 2240.0, "speed_mps": 8.0,
    "heading_deg": 271.5, "battery": 0.8, "charging": True, "mock": False, "activity": "in_vehicle", "id": "a1",
}  # fmt: skip
LISTS = {"columns": {name: [value] * 2 for name, value in PING.items()}}
PACKED = {
    "columns": {"time": np.full(2, NOW_MS).tobytes(), "lat": np.full(2, 9.0).tobytes(), "lon": np.zeros(2).tobytes()}
}
BATCHES = ({"pings": [PING, {**PING, "time": "2026-03-02T13:00:00Z"}], "sent_at": NOW_MS, "n": 7}, LISTS, [PING])
TRACCAR = {
    "device_id": "4", "location": {
        "timestamp": "2026-03-02T13:06:30.250Z", "battery": {"level": 0.81, "is_charging": True}, "uuid": "7f8a",
        "coords": {"latitude": 19.4, "longitude": -99.1, "accuracy": 5.2, "speed": 8.3, "heading": 271, "altitude": 2},
        "activity": {"type": "in_vehicle"}, "extras": {"alarm": "sos"},
    },
}  # fmt: skip
QUERY = b"id=4&timestamp=1772459990&lat=19.4&lon=-99.1&speed=16.2&bearing=271&altitude=2&accuracy=7.5&batt=81&alarm=sos"
OWNTRACKS = {
    "_type": "location", "lat": 19.4, "lon": -99.1, "tst": 1_772_459_990, "acc": 5, "alt": 2240, "vel": 36, "cog": 271,
    "batt": 81, "bs": 2, "_id": "a1", "motionactivities": ["automotive"], "tid": "an",
}  # fmt: skip
FEATURE = {
    "type": "Feature", "geometry": {"type": "Point", "coordinates": [-99.1, 19.4]}, "properties": {
        "timestamp": "2026-03-02T13:06:30Z", "altitude": 2, "speed": 8, "course": 271, "horizontal_accuracy": 5,
        "motion": ["driving"], "battery_state": "charging", "battery_level": 0.81,
    },
}  # fmt: skip
GPSLOGGER = (
    b"lat=19.4&lon=-99.1&time=2026-03-02T13:06:30.250Z&acc=7.5&alt=2&spd=8.5&dir=271&batt=81&ischarging=true&act=x"
)
GPRMC = b"id=a&batt=81&alt=2240&gprmc=$GPRMC,130630,A,1925.95648,N,9907.99248,W,16.5,271.0,020326,,*00"
SAID = {
    "events": [
        {"id": "0b0f8f6e-4a55-4f4f-8a53-2f6c6f8f2c11", "type": "completed", "stop_id": "st_1", "occurred_at": NOW_MS,
         "lat": 19.4, "lon": -99.1, "manifest_version": 3,
         "data": {"recipient": {"name": "Ana", "relation": "self"}, "note": "x", "pin": "1", "barcodes": ["b"],
                  "cash": {"amount": 1.5, "method": "cash"}, "parcels": [{"seq": 0, "outcome": "delivered"}],
                  "proofs": [{"upload_id": "0b0f8f6e-4a55-4f4f-8a53-2f6c6f8f2c12", "kind": "photo"}]}},
        {"id": "0b0f8f6e-4a55-4f4f-8a53-2f6c6f8f2c13", "type": "failed", "stop_id": "st_2",
         "occurred_at": "2026-03-02T13:00:00-06:00", "data": {"reason": "nobody_home"}},
    ],
    "sent_at": NOW_MS,
}  # fmt: skip
ROUTE = {
    "driver": "ana", "date": "2026-03-02", "timezone": "America/Bogota", "start_at": "2026-03-02T08:00:00-05:00",
    "end_at": "2026-03-02T17:00:00-05:00", "depot": {"name": "d", "lat": 4.6, "lon": -74.1}, "return_to_depot": True,
    "path": {"type": "LineString", "coordinates": [[-74.1, 4.6], [-74.0, 4.7]]},
    "stops": [
        {"external_id": "1", "kind": "delivery", "name": "Ana", "address": "Calle 1", "lat": 4.6, "lon": -74.1,
         "phone": "+573001112233", "email": "a@b.co", "locale": "es", "service_s": 60, "instructions": "x",
         "window": {"start": "2026-03-02T08:00:00-05:00", "end": "2026-03-02T12:00:00-05:00"}, "proof": ["photo"],
         "parcels": [{"barcode": "b", "description": "d", "quantity": 1}],
         "cash_on_delivery": {"amount": 1.0, "currency": "COP"},
         "geofence": {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]]}},
    ],
}  # fmt: skip
FORM = (
    b'--xXx\r\nContent-Disposition: form-data; name="stop_id"\r\n\r\nst_1\r\n'
    b'--xXx\r\nContent-Disposition: form-data; name="kind"\r\n\r\nphoto\r\n'
    b'--xXx\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n/9j/4AAQ\r\n--xXx--\r\n"
)
METADATA = b"stop_id c3RfMQ==,kind cGhvdG8=,filename cHVlcnRhLmpwZw==,filetype aW1hZ2UvanBlZw==,lat NC42,lon LTc0LjE="


def _json(*values: Any) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


def _msgpack(*values: Any) -> list[bytes]:
    return [msgspec.msgpack.encode(value) for value in values]


def _blocks() -> list[bytes]:
    pings = native.decode(native.read(_json(BATCHES[0])[0], packed=False), ARRIVAL, max_batch=MOST_PINGS).pings
    return [block.body for block in blocks.split([(1, pings)])]


_OF_PHONES = (Unreadable, TooMuch)
READERS = {
    one.name: one
    for one in (
        Reader(
            name="pings, JSON", read=lambda said: _native(said, packed=False), good=_json(*BATCHES), refuses=_OF_PHONES
        ),
        Reader(
            name="pings, MessagePack",
            read=lambda said: _native(said, packed=True),
            good=_msgpack(*BATCHES, PACKED),
            refuses=_OF_PHONES,
        ),
        Reader(name="OsmAnd and Traccar, form", read=_osmand, good=[QUERY]),
        Reader(name="Traccar, JSON", read=_osmand_json, good=_json(TRACCAR)),
        Reader(name="OwnTracks", read=partial(_posted, owntracks.decode), good=_json(OWNTRACKS)),
        Reader(
            name="Overland",
            read=partial(_posted, overland.decode),
            good=_json({"locations": [FEATURE, FEATURE], "current": FEATURE}, OWNTRACKS),
            refuses=_OF_PHONES,
        ),
        Reader(
            name="GPSLogger", read=partial(_posted, gpslogger.decode), good=[GPSLOGGER, *_json({"lat": 1, "lon": 2})]
        ),
        Reader(name="GPRMC", read=partial(_posted, gprmc.decode), good=[GPRMC]),
        Reader(
            name="background-geolocation",
            read=partial(_posted, bggeo.decode),
            good=_json(TRACCAR, [TRACCAR["location"]], {"latitude": 1.5, "longitude": 2, "time": NOW_MS}),
            refuses=_OF_PHONES,
        ),
        Reader(name="blocks of the inbox", read=blocks.decode, good=_blocks(), refuses=(ValueError,)),
        Reader(name="events, JSON", read=lambda said: _events(said, JSON), good=_json(SAID), refuses=(Problem,)),
        Reader(
            name="events, MessagePack",
            read=lambda said: _events(said, MSGPACK),
            good=_msgpack(SAID),
            refuses=(Problem,),
        ),
        Reader(name="route, JSON", read=lambda said: _route(said, JSON), good=_json(ROUTE), refuses=(Problem,)),
        Reader(
            name="route, MessagePack", read=lambda said: _route(said, MSGPACK), good=_msgpack(ROUTE), refuses=(Problem,)
        ),
        Reader(name="multipart form", read=_form, good=[FORM], refuses=(Problem,)),
        Reader(name="tus metadata", read=_tus, good=[METADATA], refuses=(Problem,)),
        Reader(name="tus checksum", read=_checksum, good=[b"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="], refuses=(Problem,)),
        Reader(
            name="cursors", read=_cursor, good=[cursor_of(5, "x").encode(), cursor_of(7).encode()], refuses=(Problem,)
        ),
    )
}
