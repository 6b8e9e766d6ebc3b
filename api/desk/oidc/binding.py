"""Whom a provider means: by its own name for them, and the first time by their e-mail address."""

from aiohttp import web

from api.desk.addresses import address_in
from api.desk.oidc.proof import NamedPerson
from api.desk.oidc.refused import NotLetIn
from api.http.app_keys import POOL
from api.http.auth import SESSION_PREFIX, Caller, Role, hash_of, new_secret
from api.http.trail import note
from sql.desk import links, oidc, people, sessions
from sql.desk.oidc import OidcProvider
from sql.pool import Db


async def open_by_provider(request: web.Request, provider: OidcProvider, issuer: str, named: NamedPerson) -> str:
    """Open a session for whom the provider of an account names, at that account alone; give the cookie's secret.

    Raises:
        NotLetIn: they are nobody there, or not clearly.
    """
    account_id, secret = provider.account_id, new_secret(SESSION_PREFIX)
    async with request.app[POOL].acquire() as db, db.transaction():
        now = await oidc.hold_provider(db, account_id)
        if now is None or (now.issuer, now.client_id) != (provider.issuer, provider.client_id):
            raise NotLetIn("over")
        person_id = await oidc.person_of(db, account_id, issuer, named.subject)
        is_first = person_id is None
        if person_id is None:
            person_id = await _first_time(db, now, issuer, named)
        membership = await people.membership_of(db, account_id, person_id)
        assert membership is not None
        await sessions.open_session(
            db, account_id=account_id, person_id=person_id, secret_hash=hash_of(secret), by_provider=True
        )
        caller = Caller(account_id=account_id, person_id=person_id, role=Role[membership.role.upper()])
        after = {"by": "provider"} | ({"first": True, "role": membership.role} if is_first else {})
        await note(request, db, caller=caller, after=after)
    return secret


async def _first_time(db: Db, provider: OidcProvider, issuer: str, named: NamedPerson) -> int:
    """Find the user, or the invitation, of the address that a provider vouches for; from now on its subject is them."""
    email = None if named.email is None else address_in(named.email)
    if email is None:
        raise NotLetIn("email")
    if not named.is_verified:
        raise NotLetIn("unverified")
    if provider.domains and email.rpartition("@")[2] not in provider.domains:
        raise NotLetIn("domain")
    account_id = provider.account_id
    person = await people.find_person(db, email)
    if person is None or await people.role_of(db, account_id, person.id) is None:
        link_id = await oidc.open_invitation(db, account_id, email)
        link = None if link_id is None else await links.use_link(db, link_id)
        if link is None or link.role is None:
            raise NotLetIn("nobody")
        person = await people.ensure_person(db, email)
        await people.add_member(db, account_id, person.id, link.role, by_provider=True, driver_id=link.driver_id)
    if not await oidc.bind_identity(db, account_id, issuer, named.subject, person.id):
        raise NotLetIn("other")
    return person.id
