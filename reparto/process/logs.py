"""What the processes say: one JSON object a line on stderr, plain lines in a terminal; no secrets, no places.

Messages are written with ids and counts only. What a library or an error's text might bring along all the same
(tokens, passwords, coordinates, the rows that Postgres quotes) is blacked out here, as the last thing before writing.
"""

import json
import logging
import re
import sys
from contextlib import suppress
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

ACCESS = logging.getLogger("reparto.access")

_SECRETS = (
    (re.compile(r"\brp[a-z]_[A-Za-z0-9_-]{8,}"), "[secret]"),  # keys and tokens of ours
    # not a route, nor a file of ours in a traceback
    (re.compile(r"(/(?:t|ingest|v1/track)/)(?!\{|[a-z_/]+\.py\")[^/\s\"'?]+"), r"\1[token]"),
    (re.compile(r"(?i)\b(bearer|basic) [A-Za-z0-9._~+/=-]+"), r"\1 [secret]"),
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@"), r"\1:[secret]@"),
    (re.compile(r"\n(DETAIL|CONTEXT): .*"), r"\n\1: [left out]"),  # Postgres quotes keys and rows there
    (re.compile(r"-?\b\d{1,3}\.\d{4,}\b"), "[number]"),  # a coordinate, if it has decimals enough to be a place
)


def configure(level: str, role: str) -> None:
    """Send the logs of this process to stderr, from `level` (DEBUG, INFO, WARNING, ERROR) up.

    Args:
        role: told in every line, because processes may share one stderr.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(PlainLines(role) if sys.stderr.isatty() else JsonLines(role))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)


def _is_ours(record: logging.LogRecord) -> bool:
    """Leave out what aiohttp calls unhandled but is a client's: a body nobody wanted, damaged, after its answer."""
    return not (record.exc_info and isinstance(record.exc_info[1], web.RequestPayloadError))


def blacked_out(text: str) -> str:
    """Replace what must not be in a log."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """One object a line: `at` (UTC), `level`, `role`, `logger`, `message`, and `error` with the traceback."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        members = {
            "at": _time(record),
            "level": record.levelname.lower(),
            "role": self._role,
            "logger": record.name,
            "message": blacked_out(record.getMessage()),
        }
        if record.exc_info:
            members["error"] = blacked_out(self.formatException(record.exc_info))
        return json.dumps(members, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """For the eyes: time, role, level where it matters, message."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as a line, and its traceback below."""
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        text = f"{_time(record)[11:19]} {self._role}: {level}{record.getMessage()}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return blacked_out(text)


class AccessLog(AbstractAccessLogger):
    """Requests that failed; with the level DEBUG all of them. Named by their route, never by their path.

    Thousands of good requests a second are counted in /metrics, not written down.
    """

    @property
    def enabled(self) -> bool:
        """Whether anything would be written."""
        return ACCESS.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write a request down; `time` is how long it took, seconds."""
        level = logging.DEBUG if response.status < 400 else logging.INFO
        if ACCESS.isEnabledFor(level):
            ACCESS.log(level, "%s %s %d in %.1f ms", request.method, route_of(request), response.status, time * 1000)


def route_of(request: web.BaseRequest) -> str:
    """Give a request's route, `/t/{token}`, not its path; `-` when there is none."""
    resource = None
    with suppress(AssertionError, AttributeError):  # what was no request was never matched
        resource = request.match_info.route.resource if isinstance(request, web.Request) else None
    return "-" if resource is None else resource.canonical


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
