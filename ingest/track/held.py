"""What was recorded outside work, of accounts that do not keep it: sealed and held for a day, then deleted.

A phone without a network says hours later that the shift began, so nothing can be thrown away at once. It is judged by
`recorded_at`; whenever a driver's shifts change, what is kept and what is held of them is judged again.
docs/howto/privacy.md tells what is promised.
"""

import hmac
import logging
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from nacl.exceptions import CryptoError
from nacl.secret import Aead

from geo.pings import Bools, Ints, Pings, Rows
from geo.plan.numbers import EARLY_MS, LATE_MS
from geo.plan.plans import FOREVER_MS
from geo.times import time_of
from geo.trust.clean import GIVEN
from ingest import blocks
from ingest.config import IngestConfig
from ingest.drivers.drivers import Drivers, Progress
from ingest.track.batch import Batch, Sent
from ingest.track.working import USED_MS, working_spells
from sql.account.accounts import read_instance
from sql.inbox.quarantine import Quarantined, put_quarantined
from sql.pings import held
from sql.pings.working import accounts_of_working, tours_of_drivers
from sql.pool import Connection, Db

log = logging.getLogger(__name__)

_HOUR_MS = 3_600_000

_TOGETHER_MS = 600_000
"""Pings that came within ten minutes share a block, which goes when the first of them has to: none is held too long."""

_DRIVER_MS = 1 << 44
"""More than any recorded_ms: a driver's number times this and a time make one number in the order of both."""


async def hold_back(db: Connection, batch: Batch) -> Batch:
    """Keep from history what was recorded outside work; go on with what belongs to it.

    Of drivers whose shifts or tours changed, held pings that are claimed now come back with the others, and stored ones
    that are not any more are taken out: those drivers fold again from there.
    """
    drivers, config, pings = batch.drivers, batch.known.config, batch.sent.pings
    watched, asked = drivers.shift_only_ms != FOREVER_MS, drivers.shifts_from_ms != FOREVER_MS
    if not (watched | asked).any():
        return batch
    shelf = _Shelf((await read_instance(db)).secret)
    hold_ms = int(config.hold_hours * _HOUR_MS)
    if asked.any():
        pings = Pings.concat([pings, await shelf.pop(db, drivers, asked, hold_ms)])
    spells = await _read_spells(db, drivers, pings.rows, watched, asked, config)
    outside = _outside(drivers, pings.rows, spells)
    back = await _take_out(db, drivers, np.flatnonzero(watched & asked), spells)
    await shelf.put(db, drivers, Pings.concat([pings.rows_at(outside), *back.values()]), hold_ms)
    kept = pings.rows_at(~outside)
    sent = Sent(kept, drivers.lanes[drivers.index_of(kept.rows["driver_id"])])
    return replace(batch.with_sent(sent), progress=_folds_again(batch.progress, back))


async def _read_spells(
    db: Db, drivers: Drivers, rows: Rows, watched: Bools, asked: Bools, config: IngestConfig
) -> Rows:
    since_ms = np.where(asked, drivers.shifts_from_ms, FOREVER_MS)
    np.minimum.at(since_ms, drivers.index_of(rows["driver_id"]), rows["recorded_ms"])
    wanted = watched & (since_ms != FOREVER_MS)
    longest_ms = int(config.longest_shift_hours * _HOUR_MS)
    working = await accounts_of_working(db, np.unique(drivers.accounts[wanted]).tolist())
    by_tours = wanted & np.isin(drivers.accounts, sorted(working))
    since_ms[by_tours] -= USED_MS
    shifts = await held.spells_of_drivers(
        db, drivers.ids[wanted].tolist(), since_ms[wanted].tolist(), longest_ms=longest_ms
    )
    if not by_tours.any():
        return shifts
    ids = drivers.ids[by_tours]
    tours = await tours_of_drivers(db, ids.tolist(), since_ms[by_tours].tolist(), early_ms=EARLY_MS, late_ms=LATE_MS)
    mine = np.isin(shifts["driver_id"], ids)
    spells = np.concatenate([shifts[~mine], working_spells(ids, shifts[mine], tours)])
    return spells[np.argsort(spells["driver_id"], kind="stable")]


def _outside(drivers: Drivers, rows: Rows, spells: Rows) -> Bools:
    """Mark pings that their account does not keep."""
    of = drivers.index_of(rows["driver_id"])
    watched: Bools = rows["received_ms"] >= drivers.shift_only_ms[of]
    if not len(spells):
        return watched
    begins = drivers.index_of(spells["driver_id"]) * _DRIVER_MS + spells["from_ms"]
    last = np.searchsorted(begins, of * _DRIVER_MS + rows["recorded_ms"], "right") - 1
    inside: Bools = (last >= 0) & (spells["driver_id"][last] == rows["driver_id"])
    inside &= rows["recorded_ms"] <= spells["until_ms"][last]
    return watched & ~inside


async def _take_out(db: Db, drivers: Drivers, which: Ints, spells: Rows) -> dict[int, Pings]:
    """Take stored pings that lie in no shift any more out of history; give back those of each entry that had some."""
    found = {}
    begin = np.searchsorted(spells["driver_id"], drivers.ids[which], "left").tolist()
    end = np.searchsorted(spells["driver_id"], drivers.ids[which], "right").tolist()
    for i, b, e in zip(which.tolist(), begin, end, strict=True):
        out = await held.take_out_pings(
            db,
            lane=int(drivers.lanes[i]),
            driver_id=int(drivers.ids[i]),
            from_ms=int(drivers.shifts_from_ms[i]),
            received_from_ms=int(drivers.shift_only_ms[i]),
            spells=spells[b:e],
        )
        if len(out):
            out.rows["flags"] &= int(GIVEN)
            found[i] = out
    return found


def _folds_again(progress: Progress, out: Mapping[int, Pings]) -> Progress:
    """Have drivers fold again at once: what was taken out of their tracks must not be shown a moment longer."""
    rerun_from_ms, may_rerun = progress.rerun_from_ms.copy(), progress.may_rerun.copy()
    for i, pings in out.items():
        rerun_from_ms[i] = min(int(rerun_from_ms[i]), int(pings.rows["recorded_ms"].min()))
        may_rerun[i] = True
    return replace(progress, rerun_from_ms=rerun_from_ms, may_rerun=may_rerun)


class _Shelf:
    """The table `held`, as blocks that only this installation reads, and only as those of the driver they are of."""

    def __init__(self, secret: bytes) -> None:
        self._box = Aead(hmac.digest(secret, b"reparto held pings", "sha256"))

    async def put(self, db: Db, drivers: Drivers, pings: Pings, hold_ms: int) -> None:
        """Hold pings until so long after they were received."""
        if not len(pings):
            return
        order = np.lexsort((pings.rows["received_ms"], pings.rows["driver_id"]))
        pings = pings.rows_at(order)
        driver_ids, received_ms = pings.rows["driver_id"], pings.rows["received_ms"]
        part = np.column_stack((driver_ids, received_ms // _TOGETHER_MS))
        starts = np.flatnonzero(np.append(True, (part[1:] != part[:-1]).any(axis=1)))
        lanes, of, expires_ms, bodies = [], [], [], []
        for start, end in zip(starts, np.append(starts[1:], len(pings)), strict=True):
            driver_id = int(driver_ids[start])
            lane = int(drivers.lanes[drivers.index_of(driver_ids[start])])
            for block in blocks.split([(lane, pings.rows_at(slice(start, end)))]):
                lanes.append(lane)
                of.append(driver_id)
                expires_ms.append(int(received_ms[start]) + hold_ms)
                bodies.append(bytes(self._box.encrypt(block.body, aad=b"%d" % driver_id)))
        await held.put_held(db, lanes, of, expires_ms, bodies)

    async def pop(self, db: Db, drivers: Drivers, which: Bools, hold_ms: int) -> Pings:
        """Take out all that is held of some drivers, but for what cannot be opened: that stays, and is shown once."""
        parts = []
        sealed: list[held.HeldBlock] = []
        for block in await held.pop_held(db, drivers.lanes[which].tolist(), drivers.ids[which].tolist()):
            try:
                parts.append(blocks.decode(self._box.decrypt(block.body, aad=b"%d" % block.driver_id)))
            except (CryptoError, ValueError) as error:
                sealed.append(block)
                log.error(
                    "held block %d of lane %d: %s; it is kept until its time is over", block.id, block.lane, error
                )
        if sealed:
            await held.put_back_held(db, sealed)
            account_of = dict(zip(drivers.ids.tolist(), drivers.accounts.tolist(), strict=True))
            new = [block for block in sealed if not block.unreadable]
            await put_quarantined(db, [_unreadable(block, account_of[block.driver_id], hold_ms) for block in new])
        return Pings.concat(parts)


def _unreadable(block: held.HeldBlock, account_id: int, hold_ms: int) -> Quarantined:
    """Describe a block that cannot be opened, without its content."""
    return Quarantined(
        account_id=account_id,
        driver_id=block.driver_id,
        device_id=None,
        received_at=time_of(block.expires_ms - hold_ms),
        source="tracker",
        reason="unreadable-held",
        detail=f"held block of lane {block.lane}, kept until {time_of(block.expires_ms):%Y-%m-%dT%H:%M:%SZ}",
        body=b"",
    )
