"""Web Push (RFC 8030): sealed for one browser (RFC 8291), signed by the account (VAPID, RFC 8292), by our own client.

Addresses of push services come from browsers, so from anybody: the guard sees every connection.
"""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from sql.messages.push import hash_of_endpoint
from work.messages.channels.protocol import Accepted, Give, Later, Outcome, Outgoing, Refused, Unknown, unnoted
from work.messages.channels.settings import Push
from work.outgoing.guard import Guard
from work.outgoing.http import NoAnswer, NotReached, ask, open_session
from work.outgoing.sealed import Sealer

MOST_BODY = 1_000
"""Characters: a notification shows fewer, and a push service takes 4 kB."""

_SIGNED_FOR = timedelta(hours=12)  # RFC 8292: a day at most
_GONE = frozenset({404, 410})


class NoBrowser(ValueError):  # noqa: N818 (what is wrong is what was given)
    """The keys are not those of a browser."""


def new_key() -> str:
    """Make the key by which an account signs, as it is kept."""
    secret = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return _text(secret.to_bytes(32))


def public_key_of(key: str) -> str:
    """Give what browsers know an account by: an uncompressed point, base64url.

    Raises:
        ValueError: the key is none.
    """
    if len(_bytes(key)) != 32:
        raise ValueError("a private key of P-256 has 32 bytes")
    public = Vapid02.from_raw(key.encode()).public_key
    return _text(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def check_keys(p256dh: str, auth: str) -> None:
    """Look whether a browser's keys are keys.

    Raises:
        NoBrowser: they are not.
    """
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
        if len(_bytes(auth)) != 16:
            raise ValueError
    except ValueError as error:
        raise NoBrowser from error


@dataclass(slots=True)
class PushChannel:
    """The browsers that asked to be told."""

    settings: Push
    sealer: Sealer
    session: aiohttp.ClientSession
    again_when_unknown: bool = True  # a browser shows the second in the place of the first
    at_once: int = 32

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Tell every browser; that one took it is enough."""
        browsers = [self.sealer.open(sealed) for sealed in message.browsers]
        if not browsers:
            return Refused("no-browser")
        await give()
        came = await asyncio.gather(*(self._tell(one, message) for one in browsers))
        gone = tuple(
            hash_of_endpoint(one["endpoint"])
            for one, what in zip(browsers, came, strict=True)
            if isinstance(what, Refused) and what.why == "gone"
        )
        taken = next((one for one in came if isinstance(one, Accepted)), None)
        if taken is not None:
            return Accepted(taken.id, gone=gone)
        refused = [one for one in came if isinstance(one, Refused)]
        if len(refused) == len(came):
            return Refused(refused[0].why, gone=gone)
        return next(one for one in came if not isinstance(one, Refused))

    async def close(self) -> None:
        """Close connections."""
        await self.session.close()

    async def _tell(self, browser: Mapping[str, str], message: Outgoing) -> Outcome:
        endpoint = browser["endpoint"]
        headers = {
            "TTL": str(max(0, int(message.lives_s))),
            "Urgency": "high",
            "Topic": str(message.id),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            **self._signed(endpoint, message.at),
        }
        try:
            got = await ask(self.session, "POST", endpoint, headers=headers, body=sealed_for(browser, shown(message)))
        except NotReached as error:
            return Later(10.0, str(error))
        except NoAnswer as error:
            return Unknown(str(error))
        if 200 <= got.status < 300:
            return Accepted(got.headers.get("Location", "").rpartition("/")[2][:100] or None)
        if got.status in _GONE:
            return Refused("gone")
        if got.status in (429, 503):
            return Later(got.retry_after_s or 5.0, f"HTTP {got.status}")
        return Unknown(f"HTTP {got.status}") if got.status >= 500 else Refused(f"HTTP {got.status}")

    def _signed(self, endpoint: str, at: datetime) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((at + _SIGNED_FOR).timestamp()),
            "sub": self.settings.contact,
        }
        signed: dict[str, str] = Vapid02.from_raw((self.settings.key or "").encode()).sign(claims)
        return signed


def shown(message: Outgoing) -> bytes:
    """Write what the page's worker shows (api/static/page/worker.js)."""
    brand = message.values.get("brand", "")
    body = message.body.removeprefix(f"{brand}: ")
    return msgspec.json.encode(
        {
            "title": brand or body[:100],
            "body": (body[:1].upper() + body[1:])[:MOST_BODY],
            "url": message.values.get("link", ""),
            "tag": message.kind,
            "lang": message.locale,
        }
    )


def sealed_for(browser: Mapping[str, str], content: bytes) -> bytes:
    """Encrypt for one browser, which alone can read it."""
    sealed: bytes = http_ece.encrypt(
        content,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_bytes(browser["p256dh"]),
        auth_secret=_bytes(browser["auth"]),
        version="aes128gcm",
    )
    return sealed


def open_push(settings: Push, guard: Guard, sealer: Sealer) -> PushChannel:
    """Open a channel.

    Raises:
        ValueError: its key is none.
    """
    public_key_of(settings.key or "")
    return PushChannel(
        settings=settings,
        sealer=sealer,
        session=open_session(guard, at_once=settings.at_once),
        at_once=settings.at_once,
    )


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")
