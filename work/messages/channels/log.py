"""Nothing leaves: what would be sent stays in its row, where the page of the demo shows it."""

from dataclasses import dataclass

from work.messages.channels.protocol import Accepted, Give, Outcome, Outgoing, unnoted


@dataclass(slots=True)
class LogChannel:
    """Takes everything."""

    again_when_unknown: bool = True
    at_once: int = 100

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Take one message."""
        return Accepted(f"log-{message.id}")

    async def close(self) -> None:
        """There is nothing to let go of."""
