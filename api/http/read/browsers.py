"""Browsers that want to be told by their push service: what they send of themselves, and what is kept of it."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, to_builtins

from api.http.app_keys import GUARD, SEALER
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from sql.messages.setup import channels_of
from sql.pool import Db, Pool
from work.messages.channels.push import NoBrowser, check_keys, public_key_of
from work.outgoing.sealed import Sealer

BrowserKey = Annotated[str, Meta(min_length=1, max_length=200)]


class BrowserKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What seals a message for this browser: base64url."""

    p256dh: BrowserKey
    auth: BrowserKey


class BrowserSubscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `PushManager.subscribe` gives, as JSON."""

    endpoint: Annotated[str, Meta(min_length=1, max_length=2_000)]
    keys: BrowserKeys
    expirationTime: float | None = None  # noqa: N815 (the browser's word)


class PushOffer(Struct, frozen=True, kw_only=True):
    """By which key the browser asks its push service: base64url; null where the sender tells no browsers."""

    key: str | None


def sealed_browser(request: web.Request, browser: BrowserSubscription, at: str = "") -> bytes:
    """Seal what is kept of a browser; `at`: where in the body it stands.

    Raises:
        Invalid: it is none, or its service may not be reached.
    """
    if why := request.app[GUARD].why_not(browser.endpoint):
        refuse([FieldError(at=f"{at}/endpoint", why=why)])
    try:
        check_keys(browser.keys.p256dh, browser.keys.auth)
    except NoBrowser:
        refuse([FieldError(at=f"{at}/keys", why="must be the keys of a browser's subscription, as base64url")])
    return request.app[SEALER].seal({"endpoint": browser.endpoint, **to_builtins(browser.keys)})


async def push_key_of(db: Db | Pool, account_id: int, sealer: Sealer) -> str | None:
    """Give the public key of an account; None: it sends nothing to browsers."""
    row = (await channels_of(db, account_id)).get("push")
    if row is None or not row.enabled:
        return None
    return public_key_of(str(sealer.open(row.secrets).get("key", "")))
