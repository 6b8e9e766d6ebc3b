"""Roads of an OSRM server, over HTTP.

Source: https://project-osrm.org/docs/v5.24.0/api/
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import aiohttp
import msgspec

from work.roads.answer import PRECISION, RoadAnswer
from work.roads.engine import Question
from work.roads.protocol import RoadsAway

TIMEOUT_S, CONNECT_S = 15.0, 3.0
"""How long one question may take, and how long a server may take to be found."""

LONGEST_ANSWER_BYTES = 64 * 1024 * 1024


class OsrmServer:
    """An OSRM server. `at_most`: it takes 100 places of a match unless told otherwise, and long addresses badly."""

    at_most = 100

    def __init__(self, session: aiohttp.ClientSession, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S)

    @classmethod
    @asynccontextmanager
    async def at(cls, url: str) -> AsyncIterator[Self]:
        """Talk to the server at `url`; nothing is asked yet."""
        async with aiohttp.ClientSession() as session:
            yield cls(session, url)

    async def ask(self, question: Question) -> RoadAnswer:
        """Ask the server; see `Asked`."""
        path, query = _address(question)
        try:
            async with self._session.get(self._url + path, params=query, timeout=self._timeout) as response:
                status, body = response.status, await _read(response)
        except TimeoutError as error:
            raise RoadsAway("the OSRM server did not answer in time") from error
        except aiohttp.ClientError as error:
            raise RoadsAway(f"the OSRM server cannot be reached ({type(error).__name__})") from error
        if status not in (200, 400):
            raise RoadsAway(f"the OSRM server answered {status}")
        try:
            return msgspec.json.decode(body, type=RoadAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RoadsAway(f"the OSRM server answered {status} with something that is not OSRM's") from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > LONGEST_ANSWER_BYTES:
            raise RoadsAway("the OSRM server's answer does not end")
    return bytes(body)


def _address(question: Question) -> tuple[str, dict[str, str]]:
    places = ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in zip(question.lon, question.lat, strict=True))
    if question.what == "table":
        return f"/table/v1/driving/{places}", {
            "annotations": "duration,distance",
            "sources": ";".join(map(str, question.sources)),
            "destinations": ";".join(map(str, question.destinations)),
            "generate_hints": "false",
        }
    query = {"overview": "full", "geometries": f"polyline{PRECISION}", "generate_hints": "false"}
    if question.what == "match":
        query |= {
            "timestamps": ";".join(map(str, question.time_s)),
            "radiuses": ";".join(f"{radius:.0f}" for radius in question.accuracy_m),
            "gaps": "ignore",  # a phone that slept for minutes still went along roads
        }
    return f"/{question.what}/v1/driving/{places}", query
