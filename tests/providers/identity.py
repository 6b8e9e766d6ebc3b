"""Identity providers on this machine: a real one, and one that says whatever a test wants."""

import base64
import hashlib
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey


@contextmanager
def real_provider() -> Iterator[str]:
    """Run `oidc-provider-mock`, made on authlib; give its issuer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # authlib's own, of what it will not have any more
        mock = pytest.importorskip("oidc_provider_mock", reason="oidc-provider-mock is not installed")
        with mock.run_server_in_thread() as server:
            yield f"http://127.0.0.1:{server.server_port}"


async def put_user(issuer: str, subject: str, **claims: Any) -> None:
    """Have the real provider know somebody."""
    async with ClientSession() as session, session.put(f"{issuer}/users/{subject}", json=claims) as response:
        assert response.status in (200, 204), await response.text()


async def consent(url: str, subject: str) -> str:
    """Sign in at the real provider as a person would; give where it sends the browser."""
    async with (
        ClientSession() as session,
        session.post(url, data={"sub": subject}, allow_redirects=False) as response,
    ):
        assert response.status == 302, await response.text()
        return response.headers["Location"]


@dataclass(kw_only=True)
class Liar:
    """A provider that signs what a test wants.

    Attributes:
        claims: over those of a good token; None takes one away.
        header, key: by what and how it signs; `key`: not the one that it shows.
        shown: keys that it shows, in place of its own; None: its own.
        discovery: over what it says of itself.
        userinfo: what it says of who has the access token.
        asked: requests that came, by path.
        refuses: what it answers to whoever brings a code, status and JSON; None: a token.
        secrets: that came with codes, empty where none did.
    """

    issuer: str = ""
    own: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    key: Any = None
    raw: str | None = None
    shown: list[dict[str, Any]] | None = None
    discovery: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: tuple[int, dict[str, Any]] | None = None
    secrets: list[str] = field(default_factory=list)
    _begun: dict[str, str] = field(default_factory=dict)

    def authorize(self, url: str) -> str:
        """Take a browser that comes to `url`; give the query that it is sent back with."""
        self._begun = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert self._begun["code_challenge_method"] == "S256"
        return f"code=secret&state={self._begun['state']}"

    async def _say(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        match request.path:
            case "/.well-known/openid-configuration":
                return web.json_response(
                    {
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{self.issuer}/auth",
                        "token_endpoint": f"{self.issuer}/token",
                        "jwks_uri": f"{self.issuer}/keys",
                        "userinfo_endpoint": f"{self.issuer}/who",
                    }
                    | self.discovery
                )
            case "/keys":
                return web.json_response({"keys": self.shown or [self.own.as_dict(private=False)]})
            case "/who":
                assert request.headers["Authorization"] == "Bearer access"
                return web.json_response(self.userinfo)
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        basic = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        self.secrets.append(form.get("client_secret", basic.partition(":")[2]))
        if self.refuses is not None:
            return web.json_response(self.refuses[1], status=self.refuses[0])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self._begun["code_challenge"]
        return web.json_response({"id_token": self.raw or self._token(), "access_token": "access"})

    def _token(self) -> str:
        now_s = int(time.time())
        good = {"iss": self.issuer, "aud": self._begun["client_id"], "nonce": self._begun["nonce"], "sub": "s-1"}
        good |= {"iat": now_s, "exp": now_s + 300, "email": "ana@tienda.example", "email_verified": True}
        claims = {name: value for name, value in (good | self.claims).items() if value is not None}
        return jwt.encode(self.header, claims, self.key or self.own, algorithms=[self.header["alg"]])


@asynccontextmanager
async def lying_provider() -> AsyncIterator[Liar]:
    """Run a provider that lies as it is told."""
    liar = Liar()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", liar._say)
    async with TestServer(app) as server:
        liar.issuer = str(server.make_url("/")).rstrip("/")
        yield liar
