"""Providers that behave badly, as real servers on this machine: SMS, WhatsApp, e-mail. Each keeps what it took."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiohttp import ClientSession, web
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP, Envelope, Session

GOOD = "good"
"""Take it and say so. Others: `429`, `503`, `500`, `400`: that status, nothing taken. `lost`: taken, then hung up.
`hangs`: taken, no answer, ever. `131026`: Meta's word for somebody who cannot be reached."""


@dataclass(slots=True)
class HttpProvider:
    """A gateway for SMS, or Meta's API.

    Attributes:
        behave: says what it does with the n-th request (from 0) to an address.
        taken: what it took, in order: address and body.
        asked: every request.
        slow_s: how long an answer takes.
    """

    behave: Callable[[int, str], str] = lambda n, to: GOOD
    slow_s: float = 0.0
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""
    ids: dict[str, str] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await self._body(request)
        to = str(body.get("to") or body.get("To"))
        n = sum(other == to for other, _ in self.asked)
        self.asked.append((to, body))
        self.headers.append(dict(request.headers))
        how = self.behave(n, to)
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if how.isdigit() and len(how) == 3:
            headers = {"Retry-After": "1"} if how in ("429", "503") else {}
            return web.json_response({"error": {"message": "no"}}, status=int(how), headers=headers)
        if how.isdigit():
            return web.json_response({"error": {"code": int(how), "message": "Undeliverable"}}, status=400)
        self.taken.append((to, body))
        provider_id = f"p{len(self.taken)}"
        self.ids[provider_id] = to
        if how == "lost":
            if request.transport is not None:
                request.transport.close()
            return web.Response()
        if how == "hangs":
            await asyncio.Event().wait()
        return web.json_response({"data": {"id": provider_id}, "messages": [{"id": provider_id}], "sid": provider_id})

    async def _body(self, request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        return dict(await request.post())

    def heard(self, to: str) -> list[str]:
        """What an address got."""
        return [str(body.get("text") or body.get("Body") or body) for other, body in self.taken if other == to]


@asynccontextmanager
async def http_provider(**more: Any) -> AsyncIterator[HttpProvider]:
    """Run a provider."""
    provider = HttpProvider(**more)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", provider.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield provider
    finally:
        await runner.cleanup()


async def meta_says(session: ClientSession, url: str, secret: str, provider_id: str, status: str, **more: Any) -> int:
    """Call back as Meta does; give the status of the answer."""
    said = {"id": provider_id, "status": status, **more}
    body = json.dumps({"entry": [{"changes": [{"value": {"statuses": [said]}}]}]}).encode()
    signature = "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    headers = {"X-Hub-Signature-256": signature, "Content-Type": "application/json"}
    async with session.post(url, data=body, headers=headers) as response:
        return response.status


@dataclass(slots=True)
class MailServer:
    """A mail server; `behave` gives the answer to the n-th mail to an address.

    `lost` hangs up after taking it, `hangs` takes it and never answers.
    """

    behave: Callable[[int, str], str] = lambda n, to: "250 OK"
    taken: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        to = envelope.rcpt_tos[0]
        n = self.asked.count(to)
        self.asked.append(to)
        how = self.behave(n, to)
        if how.startswith("250") or how in ("lost", "hangs"):
            mail = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
            self.taken.append((envelope.mail_from or "", to, mail))
        if how == "lost":
            assert server.transport is not None
            server.transport.abort()
            return "250 OK"
        if how == "hangs":
            await asyncio.Event().wait()
        return how

    def heard(self, to: str) -> list[EmailMessage]:
        """What an address got."""
        return [mail for _, other, mail in self.taken if other == to]


@asynccontextmanager
async def mail_server(**more: Any) -> AsyncIterator[MailServer]:
    """Run a mail server."""
    server = MailServer(**more)
    controller = UnthreadedController(server, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    listening = await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def hanging_server() -> AsyncIterator[int]:
    """Run a server of whatever kind that takes connections and never says a word; gives its port."""
    over = asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        over.set()
        server.close()
        await server.wait_closed()
