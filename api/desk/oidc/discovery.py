"""What a provider says of itself: where it is asked, and by which keys its word is known. Asked for now and then.

An account names the provider, so what is fetched is bounded in size and time, and never leads into the operator's own
network.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from cachetools import TTLCache
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from api.desk.oidc.refused import NotLetIn
from api.http.app_keys import GUARD
from work.outgoing.guard import Guard
from work.outgoing.http import NoAnswer, NotReached, ask, open_session

PROVIDERS: web.AppKey["Providers"] = web.AppKey("oidc_providers")

BELIEVED_S = 3_600.0
AGAIN_S = 60.0
"""Keys that do not fit are asked for again, they may have been changed; so often at most, whoever sends what."""

_MOST_PROVIDERS, _MOST_KEYS = 1_000, 50

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

T = TypeVar("T")


class Discovered(msgspec.Struct, frozen=True, kw_only=True):
    """What its page `.well-known/openid-configuration` says, as far as it is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    response_types_supported: list[str] | None = None
    code_challenge_methods_supported: list[str] | None = None
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(default_factory=lambda: ["client_secret_basic"])


class _Jwks(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Keys:
    keys: Sequence[Key]
    asked_s: float


@dataclass(slots=True)
class Providers:
    """Asks providers, and believes for an hour what they said of themselves."""

    guard_of: Callable[[], Guard]
    clock_s: Callable[[], float] = time.monotonic
    _discovered: TTLCache[str, Discovered] = field(init=False)
    _keys: TTLCache[str, _Keys] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self._discovered = TTLCache(_MOST_PROVIDERS, BELIEVED_S, timer=self.clock_s)
        self._keys = TTLCache(_MOST_PROVIDERS, BELIEVED_S, timer=self.clock_s)

    async def discover(self, issuer: str) -> Discovered:
        """Say where a provider is asked.

        Raises:
            NotLetIn: it does not answer, is another, or leads where nothing may be asked.
        """
        known = self._discovered.get(issuer)
        if known is not None:
            return known
        url = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        found = await self.read("GET", url, Discovered)
        if found.issuer.removesuffix("/") != issuer.removesuffix("/"):
            raise NotLetIn("issuer", detail=found.issuer)
        places = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri, found.userinfo_endpoint)
        if beyond := next((one for one in places if one is not None and self.guard_of().why_not(one)), None):
            raise NotLetIn("away", trouble="forbidden", detail=beyond)
        self._discovered[issuer] = found
        return found

    async def keys_of(self, provider: Discovered, *, are_wrong: bool = False) -> Sequence[Key]:
        """Give the public keys of a provider.

        Args:
            are_wrong: none of those given before fits: they are asked for again, unless that was done a moment ago.

        Raises:
            NotLetIn: it does not answer.
        """
        known = self._keys.get(provider.jwks_uri)
        if known is None or (are_wrong and self.clock_s() >= known.asked_s + AGAIN_S):
            found = await self.read("GET", provider.jwks_uri, _Jwks)
            keys = [key for one in found.keys[:_MOST_KEYS] if (key := _public(one)) is not None]
            known = self._keys[provider.jwks_uri] = _Keys(keys, self.clock_s())
        return known.keys

    async def read(
        self,
        method: str,
        url: str,
        kind: type[T],
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        body: bytes | None = None,
    ) -> T:
        """Ask, and read the answer as JSON.

        Raises:
            NotLetIn: nobody answers, or not so.
        """
        if self.guard_of().why_not(url):
            raise NotLetIn("away", trouble="forbidden", detail=url)
        both = {"Accept": "application/json", **headers}
        try:
            async with open_session(self.guard_of(), at_once=1) as session:
                got = await ask(session, method, url, headers=both, body=body)
            if got.status != 200:
                raise NotLetIn("away", trouble="status", detail=str(got.status))
            return msgspec.json.decode(got.body, type=kind)
        except NotReached as error:
            raise NotLetIn("away", trouble="unreached", detail=str(error)) from error
        except NoAnswer as error:
            raise NotLetIn("away", trouble="silent", detail=str(error)) from error
        except msgspec.DecodeError as error:
            raise NotLetIn("away", trouble="unreadable", detail=str(error)) from error


def open_providers(app: web.Application) -> None:
    """Put them into an application."""
    app.setdefault(PROVIDERS, Providers(lambda: app[GUARD]))


def _public(parameters: dict[str, Any]) -> Key | None:
    """Read a key that signs; None: it is for something else, a secret that both would know, or of a kind not known."""
    if parameters.get("kty") not in ("RSA", "EC", "OKP") or parameters.get("use", "sig") != "sig":
        return None
    try:
        return import_key(parameters)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
