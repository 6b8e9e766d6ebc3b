"""Questions that many ask at once, put to the database as one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Batched(Generic[K, V]):
    """Asks one question at a time; who asks meanwhile is part of the next one.

    So strangers who try keys as fast as they can hold one connection, however many they are.
    """

    def __init__(self, ask: Callable[[Sequence[K]], Awaitable[dict[K, V]]], *, at_once: int) -> None:
        """Prepare to ask.

        Args:
            ask: gives the answers by key; keys without an answer are left out.
            at_once: keys in one question.
        """
        self._ask = ask
        self._at_once = at_once
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._lock = asyncio.Lock()

    async def one(self, key: K) -> V | None:
        """Give the answer to one key; None when there is none."""
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        while not waiting.done():
            async with self._lock:
                if not waiting.done():
                    await self._ask_some()
        return waiting.result()

    async def _ask_some(self) -> None:
        some = dict(list(self._waiting.items())[: self._at_once])
        for key in some:
            del self._waiting[key]
        try:
            answers = await self._ask(list(some))
        except BaseException as error:
            for waiting in some.values():
                waiting.set_exception(error if isinstance(error, Exception) else ConnectionError("broken off"))
                waiting.exception()  # perhaps nobody is left to hear it
            raise
        for key, waiting in some.items():
            waiting.set_result(answers.get(key))
