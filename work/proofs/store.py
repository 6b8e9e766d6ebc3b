"""What uploads and proofs share in a process: the store of bytes, and the threads that look into them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, ParamSpec, TypeVar
from uuid import UUID

from work.proofs.blobs import UNFINISHED, Blobs
from work.proofs.blobs_watch import StoreAway, why_of
from work.proofs.config import ProofConfig

P = ParamSpec("P")
T = TypeVar("T")

ORIGINAL, SHOWN, THUMBNAIL = "original", "shown", "thumbnail"

IMAGE_WORKERS = 2
"""Files judged and pictures made at once in one process. What they take together is bounded (`room`),
and each worker keeps a core busy that requests need, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStore:
    """Open for as long as the process serves or works.

    Attributes:
        config: the settings of uploads and proofs.
        blobs: where the bytes are.
        threads: what is slow (unpacking, drawing, hashing) runs here, so many at a time.
        turn: who holds it may have a whole file in memory.
        folder: on a disk of ours, also where the bytes are in a bucket.
    """

    config: ProofConfig
    blobs: Blobs
    threads: ThreadPoolExecutor
    turn: asyncio.Semaphore
    folder: Path

    @contextmanager
    def unfinished(self) -> Iterator[IO[bytes]]:
        """Have a file without a name on a disk of ours during the block, for what is not in the store yet.

        Raises:
            StoreAway: the disk cannot have it.
        """
        place = self.folder / UNFINISHED
        with keeping():
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = TemporaryFile(dir=place)  # noqa: SIM115 (closed below)
        with file:
            yield file

    async def slow(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something slow off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, lambda: work(*args, **kwargs))


@asynccontextmanager
async def open_proof_store(config: ProofConfig, *, folder: Path) -> AsyncIterator[ProofStore]:
    """Open the store during the block.

    Args:
        folder: where the bytes are when no REPARTO_BLOB_URL is set.

    Raises:
        OSError, ValueError, obstore.exceptions.BaseError: the store cannot be used.
    """
    blobs = Blobs.open(config.blob_url, folder=folder)
    with ThreadPoolExecutor(IMAGE_WORKERS, thread_name_prefix="images") as threads:
        yield ProofStore(
            config=config, blobs=blobs, threads=threads, turn=asyncio.Semaphore(IMAGE_WORKERS), folder=folder
        )


@contextmanager
def keeping() -> Iterator[None]:
    """Write onto that disk.

    Raises:
        StoreAway: it is full, or fails.
    """
    try:
        yield
    except OSError as error:
        raise StoreAway(why_of(error)) from error


def part_name(upload_id: UUID, from_byte: int, token: str) -> str:
    """Name one part of an upload; `token` keeps two requests apart that write the same place."""
    return f"{parts_prefix(upload_id)}/{from_byte:012d}-{token}"


def parts_prefix(upload_id: UUID) -> str:
    """Name the folder of an upload's parts."""
    return f"parts/{upload_id}"


def blob_name(account_id: int, proof_id: int, what: str) -> str:
    """Name one of the three blobs of a proof."""
    return f"proofs/{account_id}/{proof_id}/{what}"


def photo_name(account_id: int, photo_id: int, what: str) -> str:
    """Name one of the two blobs of a photo that a recipient sent: shown and thumbnail."""
    return f"photos/{account_id}/{photo_id}/{what}"


async def drop_photo_files(store: ProofStore, photos: Sequence[tuple[int, int]]) -> None:
    """Delete the bytes of photos that recipients sent, each named by its id and its account; their rows go after."""
    names = [photo_name(account_id, photo_id, what) for photo_id, account_id in photos for what in (SHOWN, THUMBNAIL)]
    await store.blobs.drop(names)
