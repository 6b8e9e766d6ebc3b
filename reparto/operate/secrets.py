"""`reparto secrets rotate`: another key for what providers and endpoints trust us with."""

import argparse
import asyncio
from pathlib import Path

from reparto.command import CannotRun, Subparsers, err
from reparto.settings.database import check_schema, connected, database_at_hand
from reparto.settings.outgoing import sealer_of
from reparto.settings.settings import Settings
from sql.addresses.geocoding import put_sealed_geocoder, sealed_geocoders
from sql.config import DatabaseConfig
from sql.desk.audit import write_for_all
from sql.desk.factors import put_sealed_totp, sealed_totps
from sql.desk.oidc import put_sealed_provider, sealed_providers
from sql.desk.push import put_sealed_browser, sealed_browsers
from sql.messages.push import put_sealed_subscription, sealed_subscriptions
from sql.messages.setup import put_sealed_channel, sealed_channels
from sql.pool import Db
from sql.webhooks.webhooks import put_webhook_secrets, sealed_webhooks
from work.outgoing.sealed import CannotOpen, Sealer, add_key


def add_parser(subparsers: Subparsers) -> None:
    """Declare `secrets rotate`."""
    parser = subparsers.add_parser("secrets", help="rotate the key that seals secrets", description="Sealed secrets.")
    actions = parser.add_subparsers(metavar="action", required=True)
    words = "seal every secret anew, with a new key"
    actions.add_parser("rotate", help=words, description=f"rotate: {words}.").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Rotate the key on the database at hand."""
    settings = Settings.read()
    sealer_of(settings)  # the file is there, and is one
    if not settings.outgoing.secrets_key:
        add_key(Path(settings.server.data_dir))
    sealer = sealer_of(settings)
    with database_at_hand(settings, "secrets") as database:
        count = asyncio.run(_on(database, sealer))
    err.print(f"{count} secrets are sealed with the new key.", markup=False)
    return 0


async def _on(database: DatabaseConfig, sealer: Sealer) -> int:
    await check_schema(database)
    async with connected(database) as db, db.transaction():
        try:
            count = await seal_anew(db, sealer)
        except CannotOpen as error:
            raise CannotRun(f"Nothing was changed. {error}") from error
        await write_for_all(db, "reparto secrets rotate")
    return count


async def seal_anew(db: Db, sealer: Sealer) -> int:
    """Seal what another key sealed; return how many secrets that are. In a transaction.

    Raises:
        CannotOpen: the key of one is not there.
    """
    count = 0
    for account_id, channel, sealed in await sealed_channels(db):
        if not sealer.is_current(sealed):
            fresh = sealer.seal(sealer.open(sealed))
            await put_sealed_channel(db, account_id=account_id, channel=channel, secrets=fresh)
            count += 1
    for account_id, sealed in await sealed_geocoders(db):
        if not sealer.is_current(sealed):
            await put_sealed_geocoder(db, account_id, sealer.seal(sealer.open(sealed)))
            count += 1
    for webhook_id, sealed in await sealed_webhooks(db):
        if not sealer.is_current(sealed):
            await put_webhook_secrets(db, webhook_id, sealer.seal(sealer.open(sealed)))
            count += 1
    for person_id, sealed in await sealed_totps(db):
        if not sealer.is_current(sealed):
            await put_sealed_totp(db, person_id, sealer.seal(sealer.open(sealed)))
            count += 1
    for which, sealed in await sealed_browsers(db):
        if not sealer.is_current(sealed):
            await put_sealed_browser(db, which, sealer.seal(sealer.open(sealed)))
            count += 1
    for account_id, sealed in await sealed_providers(db):
        if not sealer.is_current(sealed):
            await put_sealed_provider(db, account_id, sealer.seal(sealer.open(sealed)))
            count += 1
    for stop_id, endpoint_hash, sealed in await sealed_subscriptions(db):
        if not sealer.is_current(sealed):
            await put_sealed_subscription(db, stop_id, endpoint_hash, sealer.seal(sealer.open(sealed)))
            count += 1
    return count
