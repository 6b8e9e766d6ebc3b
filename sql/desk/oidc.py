"""Identity providers of accounts (OpenID Connect), and whom they named."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """The provider of an account.

    Attributes:
        sealed: the client's secret; None: it has none.
        domains: of the addresses that it may name, in small letters; empty: any.
    """

    account_id: int
    issuer: str
    client_id: str
    sealed: bytes | None = field(repr=False)
    domains: Sequence[str]


async def provider_of(db: Db | Pool, account_id: int) -> OidcProvider | None:
    """Read the provider of an account; None: it has none."""
    row = await db.fetchrow(_SQL["provider_of"], account_id)
    return None if row is None else OidcProvider(**row)


async def hold_provider(db: Db, account_id: int) -> OidcProvider | None:
    """Read the provider of an account, and keep others from changing it until the transaction ends."""
    row = await db.fetchrow(_SQL["hold_provider"], account_id)
    return None if row is None else OidcProvider(**row)


async def provider_to_change(db: Db, account_id: int) -> OidcProvider | None:
    """Read the provider of an account, which nobody else uses or changes until the transaction ends."""
    row = await db.fetchrow(_SQL["provider_to_change"], account_id)
    return None if row is None else OidcProvider(**row)


async def provider_by_name(db: Db | Pool, account: str) -> OidcProvider | None:
    """Read the provider of the account of a name; None: there is no such account, or it has none."""
    row = await db.fetchrow(_SQL["provider_by_name"], account)
    return None if row is None else OidcProvider(**row)


async def provider_by_domain(db: Db | Pool, domain: str) -> OidcProvider | None:
    """Find the one provider for addresses of a domain in small letters; None: there is none, or more than one."""
    rows = await db.fetch(_SQL["providers_by_domain"], domain)
    return OidcProvider(**rows[0]) if len(rows) == 1 else None


async def has_providers(db: Db | Pool) -> bool:
    """Tell whether any account has one."""
    return bool(await db.fetchval(_SQL["has_providers"]))


async def put_provider(db: Db, provider: OidcProvider) -> None:
    """Give an account its provider, in place of another."""
    await db.execute(
        _SQL["put_provider"],
        provider.account_id,
        provider.issuer,
        provider.client_id,
        provider.sealed,
        list(provider.domains),
    )


async def drop_provider(db: Db, account_id: int) -> None:
    """Take the provider away; whom it named is forgotten, the sessions that it opened end."""
    await db.execute(_SQL["drop_provider"], account_id)
    await forget_identities(db, account_id)


async def forget_identities(db: Db, account_id: int) -> None:
    """Forget whom the provider named, and end the sessions that it opened."""
    await db.execute(_SQL["forget_identities"], account_id)


async def person_of(db: Db | Pool, account_id: int, issuer: str, subject: str) -> int | None:
    """Tell who a provider's subject is in an account; None: they never signed in so."""
    person_id: int | None = await db.fetchval(_SQL["identity"], account_id, issuer, subject)
    return person_id


async def bind_identity(db: Db, account_id: int, issuer: str, subject: str, person_id: int) -> bool:
    """Note who a subject is, for ever; False: the provider called this person otherwise before."""
    return await db.fetchval(_SQL["bind_identity"], account_id, issuer, subject, person_id) is not None


async def open_invitation(db: Db, account_id: int, email: str) -> int | None:
    """Find the invitation of an address that nobody took yet; None: there is none."""
    link_id: int | None = await db.fetchval(_SQL["open_invitation"], account_id, email)
    return link_id


async def sealed_providers(db: Db) -> list[tuple[int, bytes]]:
    """List the sealed secrets by account, and keep others from changing them."""
    return [(row["account_id"], row["sealed"]) for row in await db.fetch(_SQL["sealed_providers"])]


async def put_sealed_provider(db: Db, account_id: int, sealed: bytes) -> None:
    """Seal a secret anew."""
    await db.execute(_SQL["put_sealed_provider"], account_id, sealed)
