"""Where bytes of proofs are kept: a folder of ours, or a bucket (S3, GCS, Azure), behind one door.

obstore is that door. Only writing into the folder is done here: obstore's own store for folders does not ask the disk
to keep what it wrote (fsync), and what we have acknowledged must outlive a power failure.
"""

import asyncio
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from work.proofs.blobs_watch import BYTES, NOT_THERE, BlobsWatch

UNFINISHED = "unfinished/"
"""Where a file of the folder is written before it gets its name; what a crash leaves there is swept."""

_SIGN_OF_LIFE = "sign-of-life"
_TIMEOUT = timedelta(seconds=20)
_TRIES = 3
_DROPS_AT_ONCE = 16


class BlobMissing(Exception):  # noqa: N818
    """There is no blob of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A name in the store, and when its bytes were written."""

    name: str
    modified_at: datetime


class Blobs:
    """A store of named bytes. What `put` returned from is kept."""

    def __init__(self, store: ObjectStore, folder: Path | None) -> None:
        """Use `open`."""
        self._store = store
        self._watch = BlobsWatch(self._sign_of_life)
        self.folder = folder
        """Where they are on a disk of ours; None in a bucket."""

    @classmethod
    def open(cls, url: str, *, folder: Path) -> Self:
        """Open the store that a URL names; `folder`, which is made if it is missing, when the URL is empty.

        Credentials come from the environment, as the tools of each cloud read them (AWS_ACCESS_KEY_ID, …).

        Raises:
            OSError: the folder cannot be made.
            ValueError, BaseError: the URL names no store.
        """
        ours = folder_of(url, folder)
        if ours is not None:
            ours.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(ours.resolve(), automatic_cleanup=True), ours.resolve())
        return cls(from_url(url, retry_config={"max_retries": 3, "retry_timeout": _TIMEOUT}), None)

    async def put(self, name: str, content: bytes) -> None:
        """Keep bytes under a name, in place of those before. They are durable when this returns.

        Raises:
            StoreAway: the store cannot take them now.
        """
        await self._watch.done("put", self._put(name, content))
        BYTES.labels("put").inc(len(content))

    async def get(self, name: str) -> bytes:
        """Read a blob.

        Raises:
            BlobMissing: there is none of this name.
            StoreAway: the store cannot be read now.
        """
        content = await self._watch.done("get", self._get(name))
        BYTES.labels("get").inc(len(content))
        return content

    async def has(self, name: str) -> bool:
        """Tell whether there is a blob of this name.

        Raises:
            StoreAway: the store cannot be asked now.
        """
        return await self._watch.done("head", self._has(name))

    async def drop(self, names: Sequence[str]) -> None:
        """Forget blobs; one that is not there is forgotten already.

        One by one: of several at once Azure and GCS would leave those behind one that is not there.

        Raises:
            StoreAway: the store cannot do it now; some may be forgotten.
        """
        gate = asyncio.Semaphore(_DROPS_AT_ONCE if self.folder is None else 1)

        async def drop_one(name: str) -> None:
            async with gate:
                await self._watch.done("drop", self._drop(name))

        try:
            async with asyncio.TaskGroup() as tasks:
                for name in names:
                    tasks.create_task(drop_one(name))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

    async def list(self, prefix: str) -> list[Blob]:
        """List the blobs below a prefix, a path without a slash at its end.

        Raises:
            StoreAway: the store cannot be reached now.
        """
        return [*await self._watch.done("list", self._listed(prefix))]

    async def _put(self, name: str, content: bytes) -> None:
        if self.folder is None:
            await obstore.put_async(self._store, name, content)
        else:
            await asyncio.to_thread(_write, self.folder, name, content)

    async def _get(self, name: str) -> bytes:
        try:
            return bytes(await (await obstore.get_async(self._store, name)).bytes_async())
        except NOT_THERE as error:
            raise BlobMissing(name) from error

    async def _has(self, name: str) -> bool:
        try:
            await obstore.head_async(self._store, name)
        except NOT_THERE:
            return False
        return True

    async def _drop(self, name: str) -> None:
        with suppress(*NOT_THERE):
            await obstore.delete_async(self._store, name)

    async def _listed(self, prefix: str) -> Sequence[Blob]:
        try:
            found = await obstore.list(self._store, prefix).collect_async()
        except NOT_THERE:
            return []
        return [Blob(name=one["path"], modified_at=one["last_modified"]) for one in found]

    async def _sign_of_life(self) -> None:
        """Ask for something that is not there; a disk of ours is asked to write."""
        if self.folder is None:
            await self._has(_SIGN_OF_LIFE)
        else:
            await asyncio.to_thread(_write, self.folder, UNFINISHED + _SIGN_OF_LIFE, b"")


def folder_of(url: str, folder: Path) -> Path | None:
    """Give the folder that a URL names, `folder` when it is empty; None for a bucket."""
    if not url:
        return folder
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def _write(folder: Path, name: str, content: bytes) -> None:
    """Write a file so that it is there whole after a power failure, or not at all."""
    for _ in range(_TRIES):
        try:
            return _write_once(folder / name, folder, content)
        except FileNotFoundError:  # a folder went with the last file in it, between making and using it
            continue
    return _write_once(folder / name, folder, content)


def _write_once(target: Path, folder: Path, content: bytes) -> None:
    unfinished = folder / UNFINISHED / secrets.token_hex(12)
    for one in (target, unfinished):
        _make_folders(one.parent, folder)
    try:
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(target.parent)


def _make_folders(folder: Path, root: Path) -> None:
    """Make the missing folders below `root`, each durable in the one above."""
    missing = []
    while folder != root and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(one.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
