"""Bytes of an upload come in: each piece durable before it is counted, and counted by Postgres."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn
from uuid import UUID

import aiohttp
from aiohttp import web

from api.http.problem import BadRequest, TooLarge, Unavailable
from api.proofs.uploads.state import Action, may
from api.proofs.uploads.tus import Checksum, ChecksumDiffers, UploadBusy
from sql.delivery import uploads
from sql.delivery.uploads import UploadKey
from sql.pool import Pool
from work.proofs.store import ProofStore, part_name

PIECE_BYTES = 256 * 1024
"""One part in the store. A connection that is cut loses less than this."""

_PIECE_S = 1.0  # on a slow network a smaller piece is counted after so long
_SILENT_S = 60.0  # a body of which nothing comes for so long is given up; the phone goes on later

Part = tuple[int, str]
"""The bytes and the name of a durable part."""


class Receiver:
    """The right of one request to append to one upload.

    Another one may take it over when nothing became durable for `uploads.TAKE_OVER_S`; then this one counts no more.
    """

    def __init__(self, pool: Pool, store: ProofStore, key: UploadKey, *, offset: int, length: int) -> None:
        self._pool, self._store, self._key = pool, store, key
        self._length = length
        self._writer = UUID(bytes=secrets.token_bytes(16))
        self.offset = offset

    async def receive(self, content: aiohttp.StreamReader, checksum: Checksum | None) -> None:
        """Append a body.

        Without a checksum every piece counts as soon as it is durable, whatever becomes of the connection. With one all
        of the body counts, or nothing.

        Raises:
            UploadBusy, OffsetDiffers: another request appends, or has.
            Gone: the upload was given up meanwhile.
            TooLarge: more comes than the upload's length.
            ChecksumDiffers: it is not what the checksum says.
            BadRequest, Unavailable: the body broke off, or stopped coming.
        """
        async with self._right_to_append():
            if checksum is not None:
                await self._receive_whole(content, checksum)
                return
            async for piece in _pieces(content, self._length - self.offset):
                await self._count([await self._keep(piece, self.offset)])

    async def receive_bytes(self, content: bytes) -> None:
        """Append bytes that are all here.

        Raises:
            UploadBusy, OffsetDiffers, Gone, Unavailable: as `receive`.
        """
        async with self._right_to_append():
            await self._count([await self._keep(content, self.offset)])

    @asynccontextmanager
    async def _right_to_append(self) -> AsyncIterator[None]:
        if not await uploads.start_writing(self._pool, self._key, writer=self._writer, offset=self.offset):
            await self._refuse()
        try:
            yield
        finally:
            await uploads.stop_writing(self._pool, self._key, self._writer)

    async def _receive_whole(self, content: aiohttp.StreamReader, checksum: Checksum) -> None:
        parts: list[Part] = []
        come = checksum.new()
        try:
            at = self.offset
            async for piece in _pieces(content, self._length - self.offset):
                parts.append(await self._keep(piece, at))
                at += len(piece)
                await self._store.slow(come.update, piece)
                if not await uploads.still_writing(self._pool, self._key, self._writer):
                    await self._refuse()
            if not hmac.compare_digest(come.digest(), checksum.digest):
                raise ChecksumDiffers("The bytes do not have the checksum that was sent; send them again.")
        except BaseException:
            await self._store.blobs.drop([name for _, name in parts])
            raise
        if parts:
            await self._count(parts)

    async def _keep(self, piece: bytes, at: int) -> Part:
        name = part_name(self._key.id, at, secrets.token_hex(8))
        await self._store.blobs.put(name, piece)
        return len(piece), name

    async def _count(self, parts: list[Part]) -> None:
        counted = await uploads.append(
            self._pool,
            self._key,
            writer=self._writer,
            offset=self.offset,
            sizes=[size for size, _ in parts],
            blobs=[name for _, name in parts],
            expiry_h=self._store.config.upload_expiry_h,
        )
        if not counted:
            await self._store.blobs.drop([name for _, name in parts])
            await self._refuse()
        self.offset += sum(size for size, _ in parts)

    async def _refuse(self) -> NoReturn:
        """Say why nothing more may be appended."""
        may(await uploads.find_upload(self._pool, self._key), Action.APPEND, offset=self.offset)
        raise UploadBusy


async def _pieces(content: aiohttp.StreamReader, room: int) -> AsyncIterator[bytes]:
    """Cut a body into pieces, by size or time; what came before it broke off is given first.

    Raises:
        TooLarge: more than `room` bytes come; no more than that were given.
        BadRequest, Unavailable: the body broke off, or stopped coming.
    """
    loop = asyncio.get_running_loop()
    held = bytearray()
    ended: Exception | None = None
    at_end = False
    give_at_s = 0.0
    while not at_end and ended is None:
        try:
            come = await _come(content, give_at_s - loop.time() if held else None)
        except (BadRequest, Unavailable) as problem:
            come, ended = None, problem
        if come is not None:
            at_end = not come
            give_at_s = give_at_s if held else loop.time() + _PIECE_S
            if len(held) + len(come) > room:
                ended = TooLarge(f"More bytes come than the upload has; {room} were left.")
            held += come[: room - len(held)]
        while len(held) >= PIECE_BYTES or (held and (at_end or ended or loop.time() >= give_at_s)):
            piece = bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
            room -= len(piece)
            yield piece
    if ended is not None:
        raise ended


async def _come(content: aiohttp.StreamReader, wait_s: float | None) -> bytes | None:
    """Wait for bytes of a body; empty at its end, None when `wait_s` is over.

    Args:
        wait_s: None: nothing waits to be given, so there is time.

    Raises:
        BadRequest, Unavailable: the body broke off, or stopped coming.
    """
    try:
        async with asyncio.timeout(_SILENT_S if wait_s is None else wait_s):
            return await content.readany()
    except TimeoutError:
        if wait_s is None:
            why = "No bytes came for a while; go on from where the upload is."
            raise Unavailable(why, retry_after_s=1) from None
        return None
    except (web.RequestPayloadError, aiohttp.ClientError, OSError):
        raise BadRequest("The body breaks off; go on from where the upload is.") from None
