"""The second step of what the link alone may not do: a code goes to the contact on file, and into the same form."""

from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from api.http.problem import Problem
from api.http.read.forms import Typed, first
from api.tracking_page.asking import post

_STEP_UP, _WRONG = "step-up-needed", "wrong-code"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStep:
    """A form that asks for a code.

    Attributes:
        to: where it went, as little of it as whoever reads it there needs; empty: it went there before.
        minutes: how long it counts.
        wrong: what is wrong with the one that was typed; None: nothing yet.
    """

    to: str = ""
    minutes: int = 0
    wrong: Literal["wrong", "empty"] | None = None


def code_in(typed: Typed) -> str:
    """Give the code that was typed; empty for none."""
    return "".join(first(typed, "code").split())


async def step_after(request: web.Request, typed: Typed, refused: Problem) -> CodeStep | None:
    """Say which step follows a refusal; None: it is not for want of a code. Has one sent where none was asked for yet.

    Raises:
        Problem: none can be sent.
    """
    if refused.type == _WRONG:
        return CodeStep(wrong="wrong")
    if refused.type != _STEP_UP:
        return None
    if "code" in typed and not code_in(typed) and "again" not in typed:
        return CodeStep(wrong="empty")
    sent = await post(request, "code", {})
    return CodeStep(to=sent["to"], minutes=sent["valid_s"] // 60)
