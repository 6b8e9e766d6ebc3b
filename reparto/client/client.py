"""A small client of the product's own HTTP doors: what simulator, replay, import, export and demo talk through.

`Client` is a dispatcher's program with an API key. `Phone` is a driver's phone: first in, first out, and a batch is
kept until it is acknowledged.
"""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
import msgspec

from reparto.client.planner import PlannedRoute
from reparto.client.recordings import SentPing, as_json
from reparto.client.tally import Tally
from reparto.command import CannotRun
from reparto.settings.config import address_of
from reparto.settings.settings import Settings

ANSWER_TIMEOUT_S = 30.0
MAX_BATCH = 500
"""Pings in one request at most; fewer when they are not due yet."""
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 10.0
_ASK_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_UNAVAILABLE = 503
_UNAVAILABLE_FOR_S = 60.0
"""So long a program asks again when nothing could be changed now: the embedded Postgres is back sooner after a kill."""


class RequestRefused(CannotRun):
    """The product said no, in its own words."""

    def __init__(self, what: str, status: int, problem: Mapping[str, Any]) -> None:
        said = problem.get("detail") or problem.get("title") or "no reason given"
        fields = "".join(f"\n  {error['at']}: {error['why']}" for error in problem.get("errors", ()))
        super().__init__(f"{what} is refused ({status}): {said}{fields}")
        self.status = status


class Client:
    """The API as a program with a key uses it.

    Every method raises:
        Refused: the product answered with a problem.
        CannotRun: it does not answer.
    """

    def __init__(self, url: str, key: str, *, connections: int = 100) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self._connections = connections

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S),
            json_serialize=lambda value: msgspec.json.encode(value).decode(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def fetch(self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None) -> bytes:
        """Ask, again while it cannot be answered now, and give the answer's bytes."""
        until_s = time.monotonic() + _UNAVAILABLE_FOR_S
        while True:
            heard = await self._ask_once(method, path, body, query)
            if heard.status < 400:
                return heard.body
            if heard.status != _UNAVAILABLE or time.monotonic() > until_s:
                raise RequestRefused(f"{method} {path}", heard.status, _problem(heard.body))
            await asyncio.sleep(heard.wait_s(_FIRST_PAUSE_S))

    async def _ask_once(self, method: str, path: str, body: Any, query: Mapping[str, str] | None) -> "Heard":
        try:
            async with self.session.request(
                method, self.url + path, json=body, params=query, headers={"Authorization": f"Bearer {self.key}"}
            ) as response:
                return Heard(status=response.status, headers=response.headers, body=await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CannotRun(f"nothing answers at {self.url}: {error or 'timeout'}. Is `reparto up` running?") from error

    async def pour(self, path: str, into: Callable[[bytes], Any], *, query: Mapping[str, str]) -> None:
        """Read a long answer piece by piece; it may take as long as it likes, while pieces come."""
        patience = aiohttp.ClientTimeout(total=None, sock_read=ANSWER_TIMEOUT_S)
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            async with self.session.get(self.url + path, params=query, headers=headers, timeout=patience) as response:
                if response.status >= 400:
                    raise RequestRefused(f"GET {path}", response.status, _problem(await response.read()))
                async for piece in response.content.iter_any():
                    into(piece)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CannotRun(f"{self.url} answers nothing, or not to the end: {error or 'timeout'}.") from error

    async def ask(self, method: str, path: str, *, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        """Ask, and give the answer's value; None when it has none."""
        answer = await self.fetch(method, path, body=body, query=query)
        return msgspec.json.decode(answer) if answer else None

    async def pages(self, path: str, *, query: Mapping[str, str] | None = None) -> AsyncIterator[dict[str, Any]]:
        """Read a list page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.ask("GET", path, query={**(query or {}), **({"cursor": cursor} if cursor else {})})
            yield page
            cursor = page.get("next")

    async def driver(self, external_id: str, name: str) -> str:
        """Find a driver by their external id, or make them; give the id."""
        try:
            made = await self.ask("POST", "/v1/drivers", body={"external_id": external_id, "name": name})
        except RequestRefused as refused:
            if refused.status != 409:
                raise
            made = await self.ask("GET", f"/v1/drivers/{quote(external_id, safe='')}")
        return str(made["id"])

    async def device(self, driver_id: str, label: str) -> tuple[str, str]:
        """Make a device; give its id and token."""
        made = await self.ask("POST", f"/v1/drivers/{driver_id}/devices", body={"label": label, "app": "native"})
        return str(made["id"]), str(made["token"])

    async def put_route(self, route: PlannedRoute) -> Any:
        """Import a route; give the product's answer, with the ids and tracking pages of its stops."""
        return await self.ask("PUT", route_path(route.external_id), body=route.body)

    async def track(self, path: str, *, query: Mapping[str, str] | None = None) -> dict[str, list[Any]]:
        """Read a whole track, `/v1/routes/{route}/track` or `/v1/drivers/{driver}/track`, as columns in time order."""
        columns: dict[str, list[Any]] = {}
        async for page in self.pages(path, query=query):
            for name, values in page["columns"].items():
                columns.setdefault(name, []).extend(values)
        return columns


def route_path(route: str) -> str:
    """Give the path of a route, by its id or external id."""
    return f"/v1/routes/{quote(route, safe='')}"


def _problem(answer: bytes) -> dict[str, Any]:
    try:
        problem = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer that a phone or a program waited for."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Give its value."""
        return msgspec.json.decode(self.body)

    def wait_s(self, otherwise_s: float) -> float:
        """Tell how long it asks to wait before the next try; `otherwise_s` when it does not say."""
        after = self.headers.get("Retry-After", "")
        return float(after) if after.isdecimal() else otherwise_s


class Phone:
    """A driver's phone. Like the apps it knows no end of trying: what is not acknowledged is sent again."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, token: str, tally: Tally, chance: random.Random
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._token = token
        self._chance = chance
        self.tally = tally

    async def send(self, pings: Sequence[SentPing], *, hang_up_after_s: float | None = None) -> list[int]:
        """Send a batch until it is acknowledged.

        Args:
            pings: in the order in which the phone has them; not more than one request may have.
            hang_up_after_s: as in `ask`.

        Returns:
            Indices of the pings that were refused for good.

        Raises:
            Refused: trying again cannot help, for example because the device was revoked.
        """
        heard = await self.ask(
            "POST",
            "/v1/pings",
            body=lambda: as_json(pings, time.time_ns() // 1_000_000),
            headers={"Content-Type": "application/json"},
            pings=len(pings),
            hang_up_after_s=hang_up_after_s,
        )
        rejected = heard.json()["rejected"]
        self.tally.refused.update(one["why"] for one in rejected)
        return [one["index"] for one in rejected]

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Callable[[], bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        pings: int = 0,
        hang_up_after_s: float | None = None,
        minds: Collection[int] = (),
    ) -> Heard:
        """Ask until there is an answer.

        Args:
            body: or what writes it, anew for each try: one that says when it leaves is late news the next time.
            pings: how many the body holds, for the tally.
            hang_up_after_s: the first try is given up after so long, whether or not it arrived; None: it is not.
            minds: statuses from 400 on that are an answer.

        Raises:
            Refused: trying again cannot help.
        """
        pause_s = _FIRST_PAUSE_S
        patience_s = hang_up_after_s
        while True:
            self.tally.sent += pings
            began_s = time.monotonic()
            try:
                async with asyncio.timeout(patience_s):
                    heard = await self._ask_once(method, path, body() if callable(body) else body, headers or {})
            except (aiohttp.ClientError, TimeoutError):
                heard = None
            if heard is not None and (heard.status < 400 or heard.status in minds):
                if pings:
                    self.tally.latencies.add(time.monotonic() - began_s)
                    self.tally.batches += 1
                    self.tally.acknowledged += pings
                return heard
            if heard is not None and heard.status not in _ASK_AGAIN:
                raise RequestRefused(f"{method} {path}", heard.status, _problem(heard.body))
            self.tally.retried["no answer" if heard is None else str(heard.status)] += 1
            wait_s = pause_s if heard is None else heard.wait_s(pause_s)
            await asyncio.sleep(wait_s * self._chance.uniform(0.8, 1.2))
            pause_s, patience_s = min(pause_s * 2, _LONGEST_PAUSE_S), None

    async def _ask_once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Heard:
        async with self._session.request(
            method, self._url + path, data=body, headers={"Authorization": f"Bearer {self._token}", **headers}
        ) as response:
            return Heard(status=response.status, headers=response.headers, body=await response.read())


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all at once. When one cannot, the others are ended and only its reason is told.

    Raises:
        CannotRun: one could not.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
    except* CannotRun as reasons:
        raise reasons.exceptions[0] from None


def add_target(parser: argparse.ArgumentParser) -> None:
    """Declare which product a command talks to."""
    parser.add_argument("--url", help="where the product listens (default: REPARTO_LISTEN, http://127.0.0.1:8080)")
    parser.add_argument("--key", help="an API key (default: the admin key in REPARTO_DATA_DIR)")


def target_url(args: argparse.Namespace) -> str:
    """Give the address of the product that `add_target` was told, or that the settings name."""
    if args.url:
        return str(args.url).rstrip("/")
    host, port = address_of(Settings.read().server.listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (where one listens everywhere)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def target_key(args: argparse.Namespace) -> str:
    """Give the API key that `add_target` was told, or that `reparto up` wrote.

    Raises:
        CannotRun: there is none.
    """
    if args.key:
        return str(args.key)
    path = Path(Settings.read().server.data_dir) / "admin.key"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise CannotRun(f"there is no API key at {path}: give one with --key (reparto key create makes one)") from error


@asynccontextmanager
async def open_client(args: argparse.Namespace) -> AsyncIterator[Client]:
    """Open a client of the product that a command's arguments name."""
    async with Client(target_url(args), target_key(args)) as client:
        yield client
