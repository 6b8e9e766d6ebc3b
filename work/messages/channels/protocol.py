"""What every channel is: it sends one message and says what came of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as a channel sends it.

    Attributes:
        id: ours; the same however often it is tried.
        at: when it was taken up to be sent.
        values: what templates of the provider are filled with.
        unsubscribe: address where the reader says that they want no more; empty: none.
        return_token: what a return path carries; empty: nothing comes back.
        lives_s: how long it is still worth reading.
        browsers: that a push service tells, sealed.
    """

    id: int
    kind: str
    to: str
    locale: str
    body: str
    at: datetime
    subject: str | None = None
    html: str | None = None
    unsubscribe: str = ""
    return_token: str = ""
    values: dict[str, str] = field(default_factory=dict)
    lives_s: float = 0.0
    browsers: Sequence[bytes] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it; `id` is what it calls it, None: it said nothing. `gone`: browsers that are not, by hash."""

    id: str | None = None
    gone: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never take it. `elsewhere`: another channel may reach them."""

    why: str
    elsewhere: bool = True
    gone: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """It went out and nobody said what became of it."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """It was not taken, and may be tried again; `down`: the provider as a whole takes nothing."""

    after_s: float
    why: str
    down: bool = False


MOST_SAID = 200
"""Characters that are kept of what a provider says."""


def storable(text: str) -> str:
    """Make what a provider said fit to be kept: short, and without what no database takes."""
    return text[:MOST_SAID].replace("\0", "").encode("utf-8", "replace").decode()


Outcome: TypeAlias = Accepted | Refused | Unknown | Later


Give: TypeAlias = Callable[[], Awaitable[None]]
"""Notes, for good, that a message is given to its provider now: before it returns nothing may have got there."""


class NotGiven(Exception):  # noqa: N818 (an outcome)
    """That could not be noted, or somebody else has the message by now: it must not leave."""


async def unnoted() -> None:
    """Note nothing: of what is not tried again after a crash."""


class Sends(Protocol):
    """A channel of an account, ready to send."""

    again_when_unknown: bool
    """Whether a message whose outcome nobody knows is sent once more: twice is better than never."""

    at_once: int
    """Messages under way at once."""

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Send one message. Expected failures are outcomes; what is raised counts as unknown.

        Raises:
            NotGiven: by `give`; nothing was sent.
        """

    async def close(self) -> None:
        """Let go of connections."""
