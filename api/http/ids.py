"""Ids as clients see them: a prefix that says what it is, then the number. Prefixes are reserved in external ids."""

import re
import unicodedata

from aiohttp import web

from api.http.problem import FieldError, NotFound

DRIVER, DEVICE, KEY, ROUTE, STOP, GEOFENCE, QUARANTINED = "dr_", "dv_", "ky_", "rt_", "st_", "gf_", "qu_"
PROOF, MESSAGE, WEBHOOK, WEBHOOK_DELIVERY, PLAN, ORDER = "pf_", "ms_", "wh_", "wd_", "pl_", "or_"
CHANGE, RATING, SLOT, POINT = "rc_", "ra_", "sl_", "pp_"
TICKET, RETURN, PHOTO, NOTE = "tk_", "re_", "ph_", "rn_"
USER, INVITATION, AUDIT, ALERT, PASSKEY, IMPORT = "us_", "in_", "au_", "al_", "pk_", "im_"
_RESERVED = re.compile(
    r"^(dr|dv|ky|rt|st|gf|qu|pf|up|ms|wh|wd|pl|or|rc|ra|sl|pp|tk|re|ph|rn|us|in|au|al|pk|im)_[0-9]+$"
)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def shown(prefix: str, number: int) -> str:
    """Write an id; `shown("rt_", 7)` is `rt_7`."""
    return f"{prefix}{number}"


def shown_or_none(prefix: str, number: int | None) -> str | None:
    """Write an id where there may be none."""
    return None if number is None else shown(prefix, number)


def number_of(prefix: str, text: str) -> int | None:
    """Read an id; None when the text is not one of this kind."""
    digits = text.removeprefix(prefix)
    return int(digits) if text.startswith(prefix) and _NUMBER.fullmatch(digits) else None


def id_in_path(request: web.Request, name: str, prefix: str) -> int:
    """Read the id in a path.

    Raises:
        NotFound: it is not an id of this kind, so there is no such thing.
    """
    number = number_of(prefix, request.match_info[name])
    if number is None:
        raise NotFound(f"There is no {name} of this id.")
    return number


def external_id_in_path(request: web.Request, name: str) -> str:
    """Read the external id in a path.

    Raises:
        NotFound: it cannot be one, so there is no such thing.
    """
    text = request.match_info[name]
    if external_id_error("", text):
        raise NotFound(f"There is no {name} of this id.")
    return text


def external_id_error(at: str, text: str) -> FieldError | None:
    """Say what is wrong with an external id, if anything."""
    if not 1 <= len(text) <= 200 or not text.isprintable() or "/" in text or text.strip() != text:
        return FieldError(at=at, why="must be 1 to 200 printable characters without '/' and without spaces around it")
    if text in (".", ".."):
        return FieldError(at=at, why="must not be '.' or '..', which addresses leave out")
    if not unicodedata.is_normalized("NFC", text):
        return FieldError(at=at, why="must be in Unicode's normal form NFC: what looks the same must be the same")
    if _RESERVED.match(text):
        return FieldError(at=at, why="looks like one of the server's own ids")
    return None
