"""Asking others by HTTP: guarded, no redirects, a limit on time and on what is read of an answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from work.outgoing.guard import Guard

TIMEOUT_S = 15.0
CONNECT_S = 10.0
AGENT = "Reparto"
MOST_ANSWER_BYTES = 64 * 1024
"""Read of an answer; the rest is not waited for."""


class NotReached(Exception):  # noqa: N818 (an outcome)
    """Nobody was connected to: nothing can have been done there. The text says why."""


class NoAnswer(Exception):  # noqa: N818 (an outcome)
    """The request went out and no answer came: it may have been done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; `body` is cut at a limit, `retry_after_s` what its header asks for, None: nothing readable."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def retry_after_s(self) -> float | None:
        """Read `Retry-After` in seconds; a date is not read."""
        text = self.headers.get("Retry-After", "").strip()
        return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def open_session(guard: Guard, *, at_once: int) -> aiohttp.ClientSession:
    """Open a client whose every socket the guard has seen, `at_once` of them at most.

    No connection is kept: a server that closes it at that moment leaves the outcome of the next request unknown, and a
    second try is not always allowed.
    """
    connector = aiohttp.TCPConnector(limit=at_once, force_close=True, socket_factory=guard.socket_for, ttl_dns_cache=60)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_S),
        headers={"User-Agent": AGENT},
        trust_env=False,
    )


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None,
    most_bytes: int = MOST_ANSWER_BYTES,
) -> Answer:
    """Ask once; a redirect is an answer like any other.

    Raises:
        NotReached: nothing can have been done.
        NoAnswer: nobody knows.
    """
    try:
        async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            content = await _read(response, most_bytes)
            return Answer(status=response.status, body=content, headers=response.headers)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        raise NotReached(words_of(error)) from error
    except (aiohttp.ClientError, TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
        raise NoAnswer(words_of(error)) from error


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read what came, up to a limit; an answer whose body breaks off is an answer all the same."""
    parts: list[bytes] = []
    left = most_bytes
    try:
        while left > 0 and (part := await response.content.read(left)):
            parts.append(part)
            left -= len(part)
    except (aiohttp.ClientError, TimeoutError):
        pass
    if left <= 0:
        response.close()
    return b"".join(parts)


def words_of(error: BaseException) -> str:
    """Say what went wrong, shortly."""
    return f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
