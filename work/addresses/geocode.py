"""Asking an account's geocoder: what it said before, whose turn it is, whether it answers, how long we wait."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Meta, Struct

from sql.addresses import geocoding
from sql.addresses.geocoding import AnswerRow, GeocoderRow
from sql.pool import Pool
from work.addresses.geocoders.google import Google
from work.addresses.geocoders.here import HereMaps
from work.addresses.geocoders.nominatim import Nominatim
from work.addresses.geocoders.pelias import Pelias
from work.addresses.geocoders.photon import Photon
from work.addresses.geocoders.protocol import (
    KEPT_DAYS,
    NONE_KEPT_DAYS,
    AskedAddress,
    Denied,
    FoundAddress,
    FoundQuality,
    Geocoder,
    Strange,
)
from work.addresses.text import normalised
from work.outgoing.breaker import Breaker
from work.outgoing.guard import Guard
from work.outgoing.http import AGENT, Answer, NoAnswer, NotReached, ask, open_session
from work.outgoing.sealed import Sealer

Provider: TypeAlias = Literal["nominatim", "photon", "pelias", "google", "here"]

PROVIDERS: Mapping[str, Geocoder] = MappingProxyType(
    {"nominatim": Nominatim(), "photon": Photon(), "pelias": Pelias(), "google": Google(), "here": HereMaps()}
)

ANSWER_S = 8.0
"""A geocoder that takes longer for one address is held to be away."""

TURN_S = 5.0
"""So long somebody waits for their turn at most; with one question a second that are five who wait."""

_PUBLIC_PER_S = MappingProxyType({"nominatim.openstreetmap.org": 1.0, "photon.komoot.io": 1.0})
"""What these ask of everybody, whatever an account says."""


class GeocoderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who geocodes.

    `url` where it is one's own; `per_s` how often it may be asked, where a contract says so; `countries` by ISO 3166:
    only places there are taken.
    """

    provider: Provider
    url: Annotated[str, Meta(max_length=300)] = ""
    key: Annotated[str, Meta(max_length=300)] = ""
    per_s: Annotated[float, Meta(gt=0, le=100)] | None = None
    countries: Annotated[list[Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")]], Meta(max_length=20)] = []


class CannotAsk(Exception):  # noqa: N818 (an outcome)
    """The geocoder was not asked, or did not answer: nobody knows. The text says why, without the address."""


@dataclass(slots=True)
class Geocoding:
    """Asks geocoders for a process; a geocoder that does not answer is left alone for a while."""

    sealer: Sealer
    guard: Guard
    public_url: str
    _breakers: dict[tuple[int, str], Breaker] = field(default_factory=lambda: defaultdict(Breaker))

    def open(self, *, at_once: int) -> aiohttp.ClientSession:
        """Open a client that reaches only what may be reached."""
        return open_session(self.guard, at_once=at_once)

    async def find(
        self,
        pool: Pool,
        session: aiohttp.ClientSession,
        row: GeocoderRow,
        address: str,
        near: Sequence[tuple[float, float]],
    ) -> FoundAddress | None:
        """Find an address; None: the geocoder finds nothing.

        Args:
            near: (lat, lon) of the depots that it may be served from, degrees.

        Raises:
            CannotAsk: nobody knows.
        """
        now, text = pool.clock.now(), normalised(address)
        since, none_since = now - timedelta(days=KEPT_DAYS), now - timedelta(days=NONE_KEPT_DAYS)
        known = await geocoding.known_answer(pool, row, text, since=since, none_since=none_since)
        if known is None:
            countries: Sequence[str] = row.settings.get("countries") or ()
            asked = AskedAddress(address=address, near=near[0] if near else None, countries=countries)
            known = _row_of(await self._ask(pool, session, row, asked))
            await geocoding.put_answer(pool, row, text, known, now=now)
        return _found_of(known)

    async def _ask(
        self, pool: Pool, session: aiohttp.ClientSession, row: GeocoderRow, asked: AskedAddress
    ) -> FoundAddress | None:
        geocoder = PROVIDERS[row.provider]
        url = row.settings.get("url") or geocoder.url
        host = urlsplit(url).hostname or ""
        breaker = self._breakers[(row.account_id, host)]
        if not breaker.may_send(time.monotonic()):
            raise CannotAsk("it did not answer several times, and is left alone for a while")
        per_s = row.settings.get("per_s") or geocoder.per_s
        wait_s = await geocoding.take_turn(
            pool, host, apart_s=1 / min(per_s, _PUBLIC_PER_S.get(host, per_s)), at_most_s=TURN_S
        )
        if wait_s is None:
            raise CannotAsk("many wait for it")
        await asyncio.sleep(wait_s)
        key = self.sealer.open(row.secrets).get("key", "")
        breaker.began()
        try:
            answer = await self._answer(session, url.rstrip("/") + geocoder.path(asked, key))
            found = geocoder.read(answer.body)
        except Denied as error:
            breaker.worked()
            raise CannotAsk(f"it refused: {error}") from error
        except (CannotAsk, Strange) as error:
            breaker.failed(time.monotonic())
            raise CannotAsk(str(error) if isinstance(error, CannotAsk) else f"it answered {error}") from error
        breaker.worked()
        return found

    async def _answer(self, session: aiohttp.ClientSession, url: str) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": f"{AGENT} (+{self.public_url})"}
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await ask(session, "GET", url, headers=headers, body=None)
        except (NotReached, NoAnswer, TimeoutError) as error:
            raise CannotAsk("it cannot be reached, or does not answer in time") from error
        if answer.status in (401, 403):
            raise Denied(f"{answer.status}, see its key and contract")
        if answer.status != 200:
            raise CannotAsk(f"it answered {answer.status}")
        return answer


def _row_of(found: FoundAddress | None) -> AnswerRow:
    if found is None:
        return AnswerRow(lat=None, lon=None, quality=None)
    return AnswerRow(lat=found.lat, lon=found.lon, quality=found.quality)


def _found_of(row: AnswerRow) -> FoundAddress | None:
    if row.lat is None or row.lon is None:
        return None
    return FoundAddress(lat=row.lat, lon=row.lon, quality=msgspec.convert(row.quality, FoundQuality))
