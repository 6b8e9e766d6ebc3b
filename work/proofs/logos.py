"""Logos of companies, as letters carry them."""

import io
import logging
from dataclasses import dataclass, field

from cachetools import LRUCache
from PIL import Image

from work.messages.words.letter import Logo
from work.proofs.blobs import BlobMissing, Blobs
from work.proofs.blobs_watch import StoreAway

log = logging.getLogger(__name__)

MOST_WIDTH, MOST_HEIGHT = 160, 48
"""CSS pixels: half of what is kept, so that it is sharp on a phone."""

_KEPT = 100


def logo_name(account_id: int, name: str) -> str:
    """Name the blob of a logo; `name` as the account's settings have it: another picture has another."""
    return f"logos/{account_id}/{name}"


@dataclass(slots=True)
class Logos:
    """The logos of a store; those that were asked for lately are at hand."""

    blobs: Blobs
    _kept: LRUCache[str, Logo] = field(default_factory=lambda: LRUCache(_KEPT))

    async def find(self, account_id: int, name: str) -> Logo | None:
        """Give a logo; None: it is not there, or the store is away."""
        blob = logo_name(account_id, name)
        if (kept := self._kept.get(blob)) is not None:
            return kept
        try:
            content = await self.blobs.get(blob)
        except (BlobMissing, StoreAway) as error:
            log.warning("a letter leaves without the logo of account %d: %s", account_id, error)
            return None
        self._kept[blob] = found = drawn(content)
        return found


def drawn(content: bytes) -> Logo:
    """Say how large a picture is drawn: whole, within `MOST_WIDTH` and `MOST_HEIGHT`, never larger than it is."""
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    by = min(1.0, MOST_WIDTH / width, MOST_HEIGHT / height)
    return Logo(content=content, width=max(1, round(width * by)), height=max(1, round(height * by)))
