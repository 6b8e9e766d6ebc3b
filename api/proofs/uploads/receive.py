"""Bytes of an upload come in: each piece durable before it is counted, and counted by Postgres."""

import asyncio
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO, NoReturn
from uuid import UUID

import aiohttp
from aiohttp import web

from api.http.problem import BadRequest, Problem, TooLarge, TooManyRequests, Unavailable
from api.http.shares.bodies import BODIES, Pace
from api.proofs.uploads.state import Action, may
from api.proofs.uploads.tus import Checksum, ChecksumDiffers, UploadBusy
from sql.delivery import uploads
from sql.delivery.uploads import UploadKey
from sql.pool import Pool
from work.proofs.store import ProofStore, part_name

PIECE_BYTES = 256 * 1024
"""One part in the store. A connection that is cut loses less than this."""

_PIECE_S = 1.0  # on a slow network a smaller piece is counted after so long
_FILE_PIECE_BYTES = 1024 * 1024
"""One part of a file that is all here already."""

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

    async def receive(self, body: "Arriving", checksum: Checksum | None) -> None:
        """Append a body.

        Without a checksum every piece counts as soon as it is durable, whatever becomes of the connection. With one all
        of the body counts, or nothing.

        Raises:
            UploadBusy, OffsetDiffers: another request appends, or has.
            Gone: the upload was given up meanwhile.
            TooLarge: more comes than the upload's length.
            ChecksumDiffers: it is not what the checksum says.
            BadRequest, Unavailable: the body broke off, or stopped coming.
            TooManyRequests: the phone sends too much at once.
        """
        async with self._right_to_append():
            if checksum is not None:
                await self._receive_whole(body, checksum)
                return
            async for piece in body.pieces(self._length - self.offset):
                await self._count([await self._keep(piece, self.offset)])

    async def receive_file(self, file: IO[bytes]) -> None:
        """Append what a file holds from its place on.

        Raises:
            UploadBusy, OffsetDiffers, Gone, Unavailable: as `receive`.
        """
        async with self._right_to_append():
            while piece := await asyncio.to_thread(file.read, _FILE_PIECE_BYTES):
                await self._count([await self._keep(piece, self.offset)])

    @asynccontextmanager
    async def _right_to_append(self) -> AsyncIterator[None]:
        if not await uploads.start_writing(self._pool, self._key, writer=self._writer, offset=self.offset):
            await self._refuse()
        try:
            yield
        finally:
            await uploads.stop_writing(self._pool, self._key, self._writer)

    async def _receive_whole(self, body: "Arriving", checksum: Checksum) -> None:
        parts: list[Part] = []
        come = checksum.new()
        try:
            at = self.offset
            async for piece in body.pieces(self._length - self.offset):
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


class Arriving:
    """A body on its way in, within the share of whoever sends it and as slow as bodies may be."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._pace = Pace(request.app[BODIES].wait_s)

    async def pieces(self, room: int) -> AsyncIterator[bytes]:
        """Cut the body into pieces, by size or time; what came before it broke off is given first.

        Raises:
            TooLarge: more than `room` bytes come; no more than that were given.
            BadRequest, Unavailable: the body broke off, or stopped coming.
            TooManyRequests: the phone sends too much at once.
        """
        loop = asyncio.get_running_loop()
        held = bytearray()
        ended: Problem | None = None
        at_end = False
        give_at_s = 0.0
        with self._request.app[BODIES].holding(self._request) as holding:
            while not at_end and ended is None:
                come = None
                try:
                    come = await self._come(give_at_s - loop.time() if held else None)
                    holding.take(len(come or b""))
                except (BadRequest, Unavailable, TooManyRequests) as problem:
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
                    holding.give_back(len(piece))
        if ended is not None:
            raise ended

    async def _come(self, wait_s: float | None) -> bytes | None:
        """Wait for bytes of the body; empty at its end, None when `wait_s` is over.

        Args:
            wait_s: None: nothing waits to be given, so there is time.

        Raises:
            BadRequest, Unavailable: the body broke off, or stopped coming.
        """
        content = self._request.content
        try:
            if wait_s is None or wait_s >= self._pace.left_s:
                return await self._pace.next(content)
            async with asyncio.timeout(wait_s):
                come = await content.readany()
        except TimeoutError:
            return None
        except (web.RequestPayloadError, aiohttp.ClientError, OSError):
            raise BadRequest("The body breaks off; go on from where the upload is.") from None
        self._pace.came(len(come))
        return come
