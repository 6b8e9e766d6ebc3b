"""A maker's push service on this machine, and what a browser knows that reads what comes from it."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import http_ece
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


@dataclass(slots=True)
class Browser:
    """A browser with its keys, and its push service."""

    url: str
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"
    name: str = "b1"

    @property
    def subscription(self) -> dict[str, Any]:
        public = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": b64(public), "auth": b64(self.auth)}
        return {"endpoint": f"{self.url}/send/{self.name}", "expirationTime": None, "keys": keys}

    def read(self, content: bytes) -> dict[str, Any]:
        opened = http_ece.decrypt(content, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        read: dict[str, Any] = json.loads(opened)
        return read


@dataclass(slots=True)
class PushService:
    """The maker's side; `behave` gives the status for a browser's name."""

    behave: Callable[[str], int] = lambda name: 201
    url: str = ""
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.taken.append((name, dict(request.headers), await request.read()))
        return web.Response(status=self.behave(name), headers={"Location": f"{self.url}/message/m-{name}"})


@asynccontextmanager
async def push_service(**more: Any) -> AsyncIterator[PushService]:
    made = PushService(**more)
    app = web.Application()
    app.router.add_post("/send/{name}", made.take)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made
