"""What people are given and nobody stores: tokens of tracking links, PINs, the addresses of hooks, what lets users in.

All are derived: HMAC-SHA256 of the installation's secret over what they are for and a generation.
"""

import base64
import hmac
from collections.abc import Callable

TOKEN_BYTES = 18
"""Of the HMAC that are used: beyond guessing, and 24 characters in a text message."""

_SHORT_BYTES = 9
_DIGITS = "0123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"


def token_of(secret: bytes, stop_id: int, generation: int) -> str:
    """Derive the token of a stop's tracking link."""
    return _derived(secret, b"reparto tracking link %d %d" % (stop_id, generation))


def order_token(secret: bytes, order_id: int) -> str:
    """Derive the token of an order's link; it names the order, so that it is found without being stored."""
    return f"o{_in_digits(order_id)}-{_derived(secret, b'reparto order link %d' % order_id)}"


def order_of_token(secret: bytes, token: str) -> int | None:
    """Read the order that a token of `order_token` is of; None: it is none."""
    number = _number_in(token.partition("-")[0][1:]) if may_be_order(token) else None
    if number is None:
        return None
    return number if hmac.compare_digest(order_token(secret, number).encode(), token.encode()) else None


def may_be_order(token: str) -> bool:
    """Tell whether a token may be one of `order_token`, without the secret: those of stops are shorter."""
    return len(token) > 4 * TOKEN_BYTES // 3 + 2 and token[0] == "o"


def pin_of(secret: bytes, stop_id: int, generation: int) -> str:
    """Derive the PIN of a stop."""
    mac = hmac.digest(secret, b"reparto pin %d %d" % (stop_id, generation), "sha256")
    return f"{int.from_bytes(mac[:8]) % 10_000:04d}"


def code_of(secret: bytes, stop_id: int, generation: int) -> str:
    """Derive the code that goes to the contact of a stop, so that whoever has its link shows they have that too."""
    mac = hmac.digest(secret, b"reparto code %d %d" % (stop_id, generation), "sha256")
    return f"{int.from_bytes(mac[:8]) % 1_000_000:06d}"


def hook_token(secret: bytes, account_id: int, channel: str, generation: int) -> str:
    """Derive the token of the address that a channel's provider calls back."""
    said = f"reparto hook {account_id} {channel} {generation}".encode()
    return f"{account_id}-{_derived(secret, said)}"


def unsubscribe_token(secret: bytes, message_id: int) -> str:
    """Derive the token by which whoever got a message says that they want no more; short, for text messages."""
    return f"{_in_digits(message_id)}.{_derived(secret, b'reparto unsubscribe %d' % message_id, _SHORT_BYTES)}"


def message_of_token(secret: bytes, token: str) -> int | None:
    """Read the message that a token of `unsubscribe_token` is of; None: it is none."""
    return _number_of(token, lambda number: unsubscribe_token(secret, number))


def desk_token(secret: bytes, link_id: int) -> str:
    """Derive the token of a link that lets somebody set a password, or takes an invitation."""
    return f"{_in_digits(link_id)}.{_derived(secret, b'reparto desk link %d' % link_id)}"


def desk_link_of_token(secret: bytes, token: str) -> int | None:
    """Read the link that a token of `desk_token` is of; None: it is none."""
    return _number_of(token, lambda number: desk_token(secret, number))


def _number_of(token: str, derive: Callable[[int], str]) -> int | None:
    """Read the number at the begin of a token; None where the token was not derived from it."""
    number = _number_in(token.partition(".")[0])
    if number is None:
        return None
    return number if hmac.compare_digest(derive(number).encode(), token.encode()) else None


def return_token(secret: bytes, message_id: int) -> str:
    """Derive what a return path carries, so that a bounce names its message. Mail servers may change its case."""
    mac = hmac.digest(secret, b"reparto return %d" % message_id, "sha256")
    return f"{message_id}-{mac[:6].hex()}"


def _derived(secret: bytes, said: bytes, size: int = TOKEN_BYTES) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret, said, "sha256")[:size]).decode()


def _in_digits(number: int) -> str:
    text = ""
    while number or not text:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def _number_in(text: str) -> int | None:
    if not 0 < len(text) <= 12 or any(digit not in _DIGITS for digit in text):
        return None
    number = 0
    for digit in text:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return number
