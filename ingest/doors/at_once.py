"""Plain messages, taken in front of the application: most of what phones send, at a fraction of what a request costs.

Plain is a message whose phone is known and within its rate, whose pings are all good and whose clock is right, and that
says nothing else. Of all others nothing comes here, so that the application answers them as if nobody had looked: what
is refused, corrected, quarantined or looked up is written once, there.
"""

import asyncio
import logging
import re
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec
from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, RawRequestMessage

from api.http.auth import bearer_of, hash_of, ingest_token_of
from api.http.host import is_address
from api.http.itself.metrics import seconds_of
from api.http.itself.rights import guard
from api.http.known.devices import DEVICES
from api.http.media import JSON, MSGPACK, as_utf8
from api.http.problem import Problem, Unavailable, respond
from api.http.shares.bodies import BODIES, Holding
from api.http.shares.rates import RATES
from ingest.decode import native
from ingest.decode.columns import Arrival, Decoded
from ingest.decode.message import AppMessage
from ingest.decode.refusals import TooMuch, Unreadable
from ingest.doors.app_keys import DOORS_CONFIG, INBOX
from ingest.doors.apps import DOORS, Door
from ingest.doors.keep import arrival_of, said_off_ms, seen_off_ms
from ingest.doors.native import Kept
from ingest.inbox import Full
from sql.account.devices import DeviceRow

log = logging.getLogger(__name__)

_NATIVE = "/v1/pings"
_APPS = re.compile(r"/ingest/(?P<token>[\w-]+)/(?P<door>\w+)", re.ASCII)
_DOORS: Mapping[tuple[str, str], Door] = {(door.method, door.name): door for door in DOORS if not door.by_header}
_BY_HEADER: Mapping[tuple[str, str], Door] = {(door.method, door.path): door for door in DOORS if door.by_header}
_PATHS = frozenset({_NATIVE, *(path for _, path in _BY_HEADER)})
_TYPES = frozenset({None, JSON, MSGPACK, "application/json; charset=utf-8"})
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A message that was read, and what is said to its phone: the operation, head and body of a good answer."""

    device: DeviceRow
    arrival: Arrival
    decoded: Decoded
    operation: str
    head: bytes
    body: bytes


class AtOnce:
    """Takes what is plain for the doors of an application, as `api.http.app_keys.TakesAtOnce` says."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._native_head = _head("/v1/pings", web.Response(content_type=JSON, headers={"Vary": "Accept"}))
        self._heads = {
            door: _head(door.path, web.Response(body=door.answer, content_type=door.media)) for door in DOORS
        }

    def may_take(self, message: RawRequestMessage) -> bool:
        """Tell whether a request comes to a door and says nothing in its headers that is not said mostly."""
        if message.path not in _PATHS and not message.path.startswith("/ingest/"):
            return False
        headers = message.headers
        host, media = headers.get("Host"), headers.get("Content-Type")
        return (
            (media in _TYPES or (media == _FORM and message.path != _NATIVE))
            and "msgpack" not in headers.get("Accept", "")
            and (host is None or is_address(host))
        )

    def take(self, message: RawRequestMessage, body: bytes, answered: Callable[[bytes], None]) -> bool:
        """Take a plain message; its phone is answered after the commit."""
        began_s = time.perf_counter()
        if len(body) > self._app[DOORS_CONFIG].max_ping_bytes or body.startswith(BOM_UTF8):
            return False
        try:
            read = self._read(message, body)
            if read is None or not _is_plain(read):
                return False
            inbox = self._app[INBOX]
            inbox.admit(read.decoded.pings)
            holding = self._admitted(read, len(body))
        except (Problem, Unreadable, TooMuch, Full):
            return False
        committed = inbox.put(read.decoded.pings, read.device.lane)
        committed.add_done_callback(_Answer(message.method, read, holding, began_s, answered))
        return True

    def _read(self, message: RawRequestMessage, body: bytes) -> _Read | None:
        if message.path == _NATIVE:
            return self._read_native(message, body) if message.method == "POST" else None
        if message.path in _PATHS:
            door = _BY_HEADER.get((message.method, message.path))
            return self._read_app(message, body, ingest_token_of(message.headers), door) if door else None
        match = _APPS.fullmatch(message.path.partition("?")[0])
        door = _DOORS.get((message.method, match["door"])) if match else None
        return self._read_app(message, body, match["token"], door) if match and door else None

    def _read_native(self, message: RawRequestMessage, body: bytes) -> _Read | None:
        device = self._app[DEVICES].believed(hash_of(bearer_of(message.headers)), can_read=True)
        if device is None:
            return None
        packed = message.headers.get("Content-Type") == MSGPACK
        said = native.read(body if packed else as_utf8(body), packed=packed)
        arrival = arrival_of(self._app, device)
        if said_off_ms(arrival, said.sent_ms):
            return None
        if said.sent_ms is not None:
            arrival = replace(arrival, ahead_ms=0)
        decoded = native.decode(said, arrival, max_batch=self._app[DOORS_CONFIG].max_batch)
        kept = msgspec.json.encode(Kept(len(decoded.pings), []))
        return _Read(device, arrival, decoded, _NATIVE, self._native_head, kept)

    def _read_app(self, message: RawRequestMessage, body: bytes, token: str, door: Door) -> _Read | None:
        device = self._app[DEVICES].believed(hash_of(token), can_read=False)
        if device is None:
            return None
        is_json = message.headers.get("Content-Type", "").startswith(JSON)
        most = self._app[DOORS_CONFIG].max_batch
        sent = AppMessage(app=device.app, query=_query_of(message), body=body, is_json=is_json, max_batch=most)
        arrival = arrival_of(self._app, device)
        decoded = door.decode(sent, arrival)
        return _Read(device, arrival, decoded, door.path, self._heads[door], door.answer)

    def _admitted(self, read: _Read, size: int) -> Holding:
        """Take what a message costs from its phone's rate, and hold its body as long as its pings wait.

        Raises:
            TooManyRequests, Unavailable: nothing was taken.
        """
        device = read.device
        holding = self._app[BODIES].of((("device", device.id), ("account", device.account_id)))
        holding.take(size)
        try:
            self._app[RATES].spend(device.id, len(read.decoded.pings))
        except Problem:
            holding.give_back(size)
            raise
        return holding


def _query_of(message: RawRequestMessage) -> Mapping[str, str]:
    """Read a query as `message.url.query` does; of a name that occurs twice the first counts."""
    query = message.path.partition("?")[2]
    if "%" in query or "#" in query:
        return message.url.query
    parts = query.replace("+", " ").split("&")
    return {name: value for name, _, value in (part.partition("=") for part in reversed(parts) if part)}


def _is_plain(read: _Read) -> bool:
    decoded, heard = read.decoded, read.decoded.heard
    return (
        len(decoded.pings) > 0
        and not decoded.rejected
        and (heard is None or heard.alarm is None)
        and not seen_off_ms(read.arrival, decoded)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """Answers a phone when its pings are on disk, or are known not to get there in time."""

    method: str
    read: _Read
    holding: Holding
    began_s: float
    answered: Callable[[bytes], None]

    def __call__(self, committed: "asyncio.Future[None]") -> None:
        self.holding.give_back(self.holding.size)
        error = committed.exception()
        status, operation = 200, self.read.operation
        head, body = self.read.head, self.read.body
        if error is not None:
            assert isinstance(error, Full)
            response = respond(Unavailable(error.detail, retry_after_s=error.retry_after_s))
            assert isinstance(response.body, bytes)
            status, head, body = response.status, _head(operation, response), response.body
            log.info("%s %s %d", self.method, operation, status)
        seconds_of(self.method, operation, status // 100).observe(time.perf_counter() - self.began_s)
        self.answered(_written(head, body))


def _head(path: str, response: web.Response) -> bytes:
    """Write the status and the headers of an answer as aiohttp does, but for the length and the date."""
    guard(path, response.headers)
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items() if name != "Content-Length"]
    return "\r\n".join((*lines, f"Server: {SERVER_SOFTWARE}", "")).encode()


def _written(head: bytes, body: bytes) -> bytes:
    return b"%bContent-Length: %d\r\nDate: %b\r\n\r\n%b" % (head, len(body), rfc822_formatted_time().encode(), body)
