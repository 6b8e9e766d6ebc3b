"""`reparto doctor` on the store of proofs: whether it works, and whether it has what the database says."""

import asyncio
import hashlib
import os
import secrets

from api.http.ids import PROOF, shown
from reparto.command import CannotRun
from reparto.operate.finding import Finding, Severity, free_space, judge
from reparto.settings.proof_store import folder_of_proofs, proofs_of
from reparto.settings.settings import Settings
from sql.delivery import proof_files
from sql.delivery.proof_files import ProofFiles
from sql.pool import Db
from work.proofs.blobs import BlobMissing, Blobs
from work.proofs.blobs_watch import StoreAway
from work.proofs.store import ORIGINAL, SHOWN, THUMBNAIL, blob_name

_NEWEST = 20
_PAGE = 200
_AT_ONCE = 4  # files in memory
_NAMED = 50


async def try_store(settings: Settings) -> list[Finding]:
    """Write a small blob, read it, list it and delete it."""
    folder = folder_of_proofs(settings)
    where = str(folder or settings.proofs.blob_url)
    try:
        if folder is not None and not folder.exists():
            what = f"the folder of proofs {where} is not there yet; `reparto api` and `reparto work` make it"
            return [Finding(Severity.GOOD, what)]
        if folder is not None and (owner := folder.stat().st_uid) != os.geteuid():
            what = f"{where} belongs to the user {owner}, and this is the user {os.geteuid()}: it was not tried"
            return [Finding(Severity.LOOK, what, "Ask as the user that runs `reparto api` and `reparto work`.")]
        async with proofs_of(settings) as store:
            findings = [await _try(store.blobs, where)]
        if folder is not None and settings.proofs.blob_url:  # else it is in the data directory, which is looked at
            findings.append(free_space(folder))
        return findings
    except (CannotRun, OSError) as why:
        return [Finding(Severity.BAD, f"the store of proofs {where} cannot be opened", str(why))]


async def _try(blobs: Blobs, where: str) -> Finding:
    name, content = f"doctor/{secrets.token_hex(8)}", secrets.token_bytes(1_000)
    try:
        await blobs.put(name, content)
        is_same = await blobs.get(name) == content
        is_listed = name in {blob.name for blob in await blobs.list("doctor")}
        await blobs.drop([name])
    except BlobMissing:
        is_same = is_listed = False
    except StoreAway as away:
        check = (
            "the credentials: they must let us write, read, list and delete"
            if blobs.folder is None
            else "that folder: who owns it, how it is mounted, how much is free"
        )
        advice = f"Phones keep their files until it works. Check REPARTO_BLOB_URL and {check}."
        return Finding(Severity.BAD, f"the store of proofs {where} {away.why}", advice)
    strange = "What was just written is not there, or is something else. Nobody else may write there."
    return judge(
        is_same and is_listed, f"the store of proofs {where} takes bytes and gives them back", strange, Severity.BAD
    )


async def look_into_store(settings: Settings, db: Db, *, all_of_it: bool) -> list[Finding]:
    """Tell whether the store has what the database says: of the newest proofs, or every file of all of them."""
    newest = await proof_files.newest(db, at_most=_NEWEST)
    folder = folder_of_proofs(settings)
    if not newest:
        return []
    try:
        if folder is not None and not folder.exists():
            return [_newest_finding(missing=len(newest), of=len(newest))]
        async with proofs_of(settings) as store:
            if all_of_it:
                return [await _read_all(db, store.blobs)]
            there = [await store.blobs.has(blob_name(one.account_id, one.id, ORIGINAL)) for one in newest]
            return [_newest_finding(missing=there.count(False), of=len(newest))]
    except (CannotRun, OSError) as why:
        return [Finding(Severity.BAD, "the files of proofs could not be looked at", str(why))]
    except StoreAway as away:
        return [Finding(Severity.BAD, "the files of proofs could not be looked at", f"The store of proofs {away.why}.")]


def _newest_finding(*, missing: int, of: int) -> Finding:
    if not missing:
        return Finding(Severity.GOOD, f"the bytes of the newest proofs are there ({of} looked for)")
    advice = "`reparto doctor --proofs` reads the files of all proofs and names those that are not whole."
    if missing == of:
        advice = (
            "This is not the store that they were written into. `reparto api` and `reparto work` need the same"
            " REPARTO_BLOB_URL, or one folder that all of them mount. After a restore: bring the blobs back too."
        )
    return Finding(Severity.BAD, f"the bytes of {missing} of the newest {of} proofs are not there", advice)


async def _read_all(db: Db, blobs: Blobs) -> Finding:
    """Compare every file of every proof with the hash in the database."""
    count, wrong = 0, dict[int, str]()
    async for page in proof_files.all_in_pages(db, of=_PAGE):
        count += len(page)
        found = await _wrong_ones(blobs, page)
        there = await proof_files.still_there(db, found)  # what is forgotten meanwhile is not missing
        wrong |= {proof_id: why for proof_id, why in found.items() if proof_id in there}
    if not wrong:
        return Finding(Severity.GOOD, f"all files of {count:,} proofs are there, and are what was taken in")
    named = "; ".join(f"{shown(PROOF, proof_id)}: {why}" for proof_id, why in list(wrong.items())[:_NAMED])
    more = f"; and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
    advice = f"Bring them back from a backup of the blobs. {named}{more}."
    return Finding(Severity.BAD, f"{len(wrong):,} of {count:,} proofs are not whole", advice)


async def _wrong_ones(blobs: Blobs, page: list[ProofFiles]) -> dict[int, str]:
    """Give the proofs of which something is wrong, and what."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def look(one: ProofFiles) -> str:
        async with gate:
            return await _what_is_wrong(blobs, one)

    said = await asyncio.gather(*map(look, page))
    return {one.id: why for one, why in zip(page, said, strict=True) if why}


async def _what_is_wrong(blobs: Blobs, one: ProofFiles) -> str:
    """Say it in words; nothing when all is well."""
    wrong = []
    for what, sha256 in ((ORIGINAL, one.sha256), (SHOWN, one.served_sha256)):
        if sha256 is None:
            continue
        try:
            content = await blobs.get(blob_name(one.account_id, one.id, what))
        except BlobMissing:
            wrong.append(f"{what} missing")
        else:
            if (await asyncio.to_thread(hashlib.sha256, content)).digest() != sha256:
                wrong.append(f"{what} differs")
    if one.has_thumbnail and not await blobs.has(blob_name(one.account_id, one.id, THUMBNAIL)):
        wrong.append(f"{THUMBNAIL} missing")
    return ", ".join(wrong)
