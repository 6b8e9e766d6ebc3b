"""Codes of a phone: TOTP as RFC 6238 has it and every app makes them, six digits of thirty seconds by SHA-1.

Which of them counts is decided by the step of its time, so that none counts twice.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_S = 30
AROUND = 1
"""Steps that a phone's clock may be wrong."""

SECRET_BYTES = 20
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits: beyond guessing, even of their hashes
_ISSUER = "Reparto"


def new_code_secret() -> bytes:
    """Make the secret that a phone and we share."""
    return secrets.token_bytes(SECRET_BYTES)


def in_letters(secret: bytes) -> str:
    """Write a secret as people type it into an app."""
    return base64.b32encode(secret).decode()


def uri_of(secret: bytes, email: str) -> str:
    """Write what an app reads from a QR code."""
    label = quote(f"{_ISSUER}:{email}", safe=":@")
    return f"otpauth://totp/{label}?{urlencode({'secret': in_letters(secret), 'issuer': _ISSUER})}"


def code_at(secret: bytes, step: int) -> str:
    """Give the code of a step: seconds since 1970, by thirty."""
    mac = hmac.digest(secret, step.to_bytes(8), "sha1")
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """Tell of which step around now a code is; None: of none."""
    middle, found = int(now.timestamp()) // STEP_S, None
    for step in range(middle - AROUND, middle + AROUND + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Make codes for the day when the phone is lost: each counts once."""
    texts = (base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(text[at : at + 4] for at in range(0, len(text), 4)) for text in texts]


def hash_of_recovery(code: str) -> bytes:
    """Give what is kept of a recovery code, however it was typed."""
    plain = code.lower().replace("-", "").replace(" ", "")
    return hashlib.sha256(b"recovery code " + plain.encode(errors="replace")).digest()
