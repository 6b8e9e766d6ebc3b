"""Devices: the credentials of phones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geo.trust.clock import KnownClock, settled_ahead_ms
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

REVOKED_CHANNEL = "reparto_devices"
"""Channel on which the id of a revoked device is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device that works, with the driver it sends for and that driver's lane."""

    id: int
    account_id: int
    driver_id: int
    lane: int
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDevice:
    """A device as its account sees it; its secrets are not kept."""

    id: int
    label: str | None
    app: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedDevice:
    """A device that was shut out.

    Attributes:
        ended_at: when it had recorded the last that is kept.
        was_heard: there was something of it lately.
    """

    device_id: int
    driver_id: int
    lane: int
    ended_at: datetime
    was_heard: bool


async def find_by_tokens(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
    """Find working devices by their tokens; what is missing there opens nothing."""
    return _by_secret(await db.fetch(_SQL["find_by_tokens"], secret_hashes))


async def find_by_ingest_tokens(db: Db | Pool, secret_hashes: Sequence[bytes]) -> dict[bytes, DeviceRow]:
    """Find working devices by their ingest tokens; what is missing there opens nothing."""
    return _by_secret(await db.fetch(_SQL["find_by_ingest_tokens"], secret_hashes))


def _by_secret(rows: Sequence[Mapping[str, Any]]) -> dict[bytes, DeviceRow]:
    return {
        row["secret_hash"]: DeviceRow(
            id=row["id"],
            account_id=row["account_id"],
            driver_id=row["driver_id"],
            lane=row["lane"],
            app=row["app"],
        )
        for row in rows
    }


async def not_as_known(db: Db | Pool, known: Sequence[tuple[bool, bytes, int]]) -> set[tuple[bool, bytes]]:
    """Find secrets that open no working device any more, or another than was known.

    Args:
        known: whether a secret is the device's token, else its ingest token; the hash of it; the device.
    """
    rows = await db.fetch(_SQL["not_as_known"], *zip(*known, strict=True))
    return {(row["can_read"], row["secret_hash"]) for row in rows}


async def browser_of(db: Db | Pool, account_id: int, person_id: int) -> DeviceRow | None:
    """Find the device by which somebody who signed in speaks as a driver; None: they are none, or it was shut out."""
    row = await db.fetchrow(_SQL["browser_of"], account_id, person_id)
    return None if row is None else DeviceRow(**row)


async def find_device(db: Db | Pool, *, account_id: int, device_id: int) -> DeviceRow | None:
    """Find a device of an account, also one that was revoked; None when there is none, or its driver was deleted."""
    row = await db.fetchrow(_SQL["find_device"], account_id, device_id)
    return None if row is None else DeviceRow(**row)


async def create_device(
    db: Db | Pool,
    *,
    account_id: int,
    driver_id: int,
    label: str | None,
    app: str,
    token_hash: bytes | None,
    ingest_token_hash: bytes,
) -> int | None:
    """Keep a new device; None when the account has no such driver."""
    device_id: int | None = await db.fetchval(
        _SQL["create_device"], account_id, driver_id, label, app, token_hash, ingest_token_hash
    )
    return device_id


async def list_devices(db: Db | Pool, *, account_id: int, driver_id: int) -> list[ListedDevice]:
    """List a driver's working devices."""
    return [ListedDevice(**row) for row in await db.fetch(_SQL["list_devices"], account_id, driver_id)]


async def lane_of_device(db: Db | Pool, *, account_id: int, device_id: int) -> int | None:
    """Give the lane of a device's driver; None when the account has no such working device."""
    lane: int | None = await db.fetchval(_SQL["lane_of_device"], account_id, device_id)
    return lane


async def ended_devices(db: Db, driver_ids: Sequence[int]) -> dict[int, dict[int, int]]:
    """Tell when the phones that were shut out recorded their last, ms by device, by driver; who had none is missing."""
    found: dict[int, dict[int, int]] = {}
    for row in await db.fetch(_SQL["ended_devices"], driver_ids):
        found.setdefault(row["driver_id"], {})[row["device_id"]] = row["ended_ms"]
    return found


async def devices_of_account(db: Db | Pool, account_id: int) -> dict[int, list[ListedDevice]]:
    """List the devices of an account that work, by their drivers, the oldest first."""
    found: dict[int, list[ListedDevice]] = {}
    for row in await db.fetch(_SQL["devices_of_account"], account_id):
        listed = {name: row[name] for name in ("id", "label", "app", "created_at")}
        found.setdefault(row["driver_id"], []).append(ListedDevice(**listed))
    return found


async def revoke_device(db: Db | Pool, *, account_id: int, device_id: int) -> EndedDevice | None:
    """End a device at once and tell every process; None when the account has no such working device.

    The caller holds the lane of its driver, and tells the tracker: from its last ping on another one is heard.
    """
    row = await db.fetchrow(_SQL["revoke_device"], account_id, device_id)
    if row is None:
        return None
    await tell_revoked(db, device_id)
    return EndedDevice(**row)


async def tell_revoked(db: Db | Pool, device_id: int) -> None:
    """Tell every process that a device was revoked."""
    await db.execute(_SQL["notify_revoked"], REVOKED_CHANNEL, str(device_id))


_NOTE_AGAIN_MS = 60_000
"""What is known of a clock is noted again after so long: a phone may send every second."""


async def clock_ahead_ms(db: Db | Pool, device_id: int, shown_ms: int, now_ms: int, *, is_said: bool) -> int:
    """Tell by how much to correct what a device sends, and remember it.

    Args:
        shown_ms: how far ahead the batch shows its clock to be, not 0 (`geo.trust.clock`).
        is_said: the phone said when it sent.
    """
    row = await db.fetchrow(_SQL["clock_of_device"], device_id)
    known = None if row is None else KnownClock(**row)
    ahead_ms = settled_ahead_ms(shown_ms, known, now_ms, is_said=is_said)
    if known is None or known.ahead_ms != ahead_ms or now_ms - known.noted_ms > _NOTE_AGAIN_MS:
        await db.execute(_SQL["note_clock"], device_id, ahead_ms, now_ms)
    return ahead_ms
