"""Signatures of webhooks, as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over id, time and body.

Source: github.com/standard-webhooks/standard-webhooks, spec. While a secret is rotated both sign.
"""

import base64
import hmac
import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

PREFIX = "whsec_"
ROTATION = timedelta(days=1)
"""How long the secret before signs too."""


def new_secret() -> str:
    """Make a secret of 256 bits, as libraries take it."""
    return PREFIX + base64.b64encode(os.urandom(32)).decode()


def signature(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """Sign one message."""
    mac = _begun(secret).copy()  # a third of the time that a new one takes
    mac.update(f"{message_id}.{at_s}.".encode() + body)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"


@lru_cache(maxsize=256)
def _begun(secret: str) -> hmac.HMAC:
    return hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), digestmod="sha256")


def headers_of(secrets: Sequence[str], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Give the headers of one try, signed with every secret that counts."""
    at_s = int(now.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signature(secret, message_id, at_s, body) for secret in secrets),
    }


def secrets_in(opened: Mapping[str, Any], now: datetime) -> list[str]:
    """Say which secrets sign now: the current one first."""
    secrets = [str(opened["secret"])]
    if opened.get("old_secret") and datetime.fromisoformat(opened["old_until"]) > now:
        secrets.append(str(opened["old_secret"]))
    return secrets


def rotated(opened: Mapping[str, Any], fresh: str, now: datetime) -> dict[str, Any]:
    """Put a new secret in the place of the current one, which signs for another day."""
    return {"secret": fresh, "old_secret": opened["secret"], "old_until": (now + ROTATION).isoformat()}
