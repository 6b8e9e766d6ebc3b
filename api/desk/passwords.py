"""Passwords: kept as argon2id hashes, and compared so that nothing is learned from how long it takes.

A comparison takes 64 MiB and some hundredths of a second of the processor on purpose, so few are made at once.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from typing import Annotated, TypeAlias, TypeVar

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from msgspec import Meta

from api.http.problem import Unavailable

PASSWORDS: web.AppKey["Passwords"] = web.AppKey("passwords")

SHORTEST, LONGEST = 10, 200
"""Characters of a new password."""

GivenPassword: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
NewPassword: TypeAlias = Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST)]

_AT_ONCE, _MOST_WAITING = 2, 40

T = TypeVar("T")


class Passwords:
    """Makes and compares hashes, in threads: some at once, the others in turn."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Begin; `hasher` says what a comparison costs, None: what its authors advise."""
        self._hasher = hasher or PasswordHasher()
        cost = f"m={self._hasher.memory_cost},t={self._hasher.time_cost},p={self._hasher.parallelism}"
        self._of_nobody = f"$argon2id$v=19${cost}${'A' * 22}${'A' * 43}"
        """Fits no password, and takes as long to compare as any other."""
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """Give what is kept of a password.

        Raises:
            Unavailable: too many wait.
        """
        return await self._in_turn(lambda: self._hasher.hash(_normal(password)))

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Tell whether it is the password; takes as long if there is none (None), and is False then.

        Raises:
            Unavailable: too many wait.
        """

        def compare() -> bool:
            try:
                return self._hasher.verify(password_hash or self._of_nobody, _normal(password))
            except VerificationError:
                return False

        return await self._in_turn(compare)

    async def _in_turn(self, do: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("Too many sign in just now. Please try again in a moment.")
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(do)
        finally:
            self._waiting -= 1


def open_passwords(app: web.Application) -> None:
    """Put them into an application."""
    app.setdefault(PASSWORDS, Passwords())


def _normal(password: str) -> str:
    """Write it as every keyboard would: some send é as one character, some as two. Halves of a character count too."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass").decode("utf-8", "replace")
