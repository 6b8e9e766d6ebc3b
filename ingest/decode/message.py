"""A request of a phone app that others wrote, as its decoder gets it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AppMessage:
    """One request; no HTTP is left in it, so that a decoder is tested on what phones really send.

    Attributes:
        app: which of the apps that knock at this door the device was made for.
        query: what stands in the URL, by name; of a name that occurs twice the first counts.
        query_text: the same as it was sent.
        body: unpacked; empty where there is none.
        is_json: the phone says so of the body.
        max_batch: pings it may hold.
    """

    app: str
    query: Mapping[str, str] = field(repr=False)
    query_text: str = field(repr=False, default="")
    body: bytes = field(repr=False, default=b"")
    is_json: bool = False
    max_batch: int = 10_000

    @property
    def sent(self) -> bytes:
        """What the phone said: the body, or the query where there is none."""
        return self.body or self.query_text.encode()
