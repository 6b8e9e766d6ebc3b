"""Answers of positions in memory: encoded once for all who ask the same until somebody moves, and compared by a tag."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

import msgspec
from aiohttp import web
from cachetools import LRUCache

from api.fleet.position_view import Filter, collection, lasts_until, telling
from api.http.app_keys import now_of
from api.http.media import JSON, MSGPACK, wants_msgpack
from api.stream.hub import Hub
from sql.track.live import LivePosition

MOST_ACCOUNTS, MOST_FILTERS = 10_000, 100
"""Of whom tags are known, and how many of each: of different things that are asked for."""

MOST_BODY_BYTES = 64 * 1024 * 1024
"""Of encoded answers in a process."""

AGES_HOLD = timedelta(seconds=0.5)
"""`age_s` of an answer is so old at most."""

_LONG = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What is known of an account's positions, as long as they stay what they are.

    Attributes:
        tags: of what is asked for, the same for the same content, whatever the ages: who has it can tell them by
            `recorded_at`.
        lasts_until: time alone changes the content then.
    """

    positions: Mapping[int, LivePosition]
    lasts_until: datetime
    tags: LRUCache[Filter, str] = field(default_factory=lambda: LRUCache(MOST_FILTERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """An encoded answer."""

    tag: str
    made_at: datetime
    data: bytes


class HeldAnswers:
    """The answers of a process; `hub.part(HeldAnswers)`."""

    def __init__(self, _hub: Hub) -> None:
        self._told: LRUCache[int, _Told] = LRUCache(MOST_ACCOUNTS)
        self._bodies: LRUCache[tuple[int, Filter, bool], _Body] = LRUCache(
            MOST_BODY_BYTES, getsizeof=lambda body: len(body.data)
        )

    def answer(
        self, request: web.Request, account_id: int, wanted: Filter, positions: Mapping[int, LivePosition]
    ) -> web.Response:
        """Answer who asks for some of an account's positions, as they are now."""
        now = now_of(request)
        tag = self._tag(account_id, wanted, positions, now)
        headers = {"ETag": f'W/"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Accept"}
        if tag in {known.value for known in request.if_none_match or ()}:
            return web.Response(status=304, headers=headers)
        msgpack = wants_msgpack(request)
        key = (account_id, wanted, msgpack)
        body = self._bodies.get(key)
        if body is None or body.tag != tag or now - body.made_at >= AGES_HOLD:
            shown = collection([one for one in positions.values() if wanted.takes(one, now)], now)
            data = msgspec.msgpack.encode(msgspec.to_builtins(shown)) if msgpack else msgspec.json.encode(shown)
            body = _Body(tag=tag, made_at=now, data=data)
            if len(data) <= self._bodies.maxsize:
                self._bodies[key] = body
        return web.Response(body=body.data, content_type=MSGPACK if msgpack else JSON, headers=headers)

    def _tag(self, account_id: int, wanted: Filter, positions: Mapping[int, LivePosition], now: datetime) -> str:
        told = self._told.get(account_id)
        if told is None or told.positions is not positions or now >= told.lasts_until:
            ends = [end for one in positions.values() if (end := lasts_until(one, now)) is not None]
            told = _Told(positions=positions, lasts_until=min(ends, default=now + _LONG))
            self._told[account_id] = told
        tag = told.tags.get(wanted)
        if tag is None:
            content = [telling(one, now) for one in positions.values() if wanted.takes(one, now)]
            tag = told.tags[wanted] = blake2b(msgspec.json.encode(content), digest_size=12).hexdigest()
        return str(tag)
