"""How a browser is sent to a provider: with a challenge that only this server can answer (PKCE, RFC 7636)."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from api.desk.addresses import address_in, admit_begun
from api.desk.half import begin_half, set_half_cookie
from api.desk.oidc.discovery import PROVIDERS
from api.desk.oidc.refused import NotLetIn
from api.http.app_keys import POOL, SEALER
from api.http.host import public_url
from sql.desk import oidc
from sql.desk.oidc import OidcProvider
from sql.pool import Pool

CALLBACK = "/desk/sign-in/provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentThere:
    """Where a browser goes, and the half of the sign-in that it keeps."""

    url: str
    secret: str

    def keep_in(self, request: web.Request, response: web.Response) -> None:
        """Have the browser keep its half."""
        set_half_cookie(request, response, "provider", self.secret)


async def send_there(request: web.Request, *, account: str, email: str, language: str) -> SentThere:
    """Begin to sign in by the provider of an account, or that for an address.

    Args:
        account: its name; empty: by the domain of the address.
        language: of the page at the end.

    Raises:
        NotLetIn: there is no such provider, or it does not answer.
        TooManyRequests: that was begun too often from there.
    """
    await admit_begun(request)
    provider = await provider_for(request.app[POOL], account=account, email=email)
    if provider is None:
        raise NotLetIn("none")
    found = await request.app[PROVIDERS].discover(provider.issuer)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    said = {"account_id": provider.account_id, "issuer": provider.issuer, "client_id": provider.client_id}
    said |= {"state": state, "nonce": nonce, "verifier": verifier, "language": language}
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(request),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | ({"login_hint": email} if email else {})
    there = found.authorization_endpoint
    url = f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"
    return SentThere(url=url, secret=await begin_half(request, "provider", said=said))


async def provider_for(pool: Pool, *, account: str, email: str) -> OidcProvider | None:
    """Find the provider of an account by its name, else the only one for the domain of an address."""
    if account:
        return await oidc.provider_by_name(pool, account) if account.isprintable() else None
    address = address_in(email)
    return None if address is None else await oidc.provider_by_domain(pool, address.rpartition("@")[2])


def secret_of(request: web.Request, provider: OidcProvider) -> str | None:
    """Open the secret that a provider knows us by; None: it asks for none."""
    secret: str | None = request.app[SEALER].open(provider.sealed).get("secret")
    return secret


def redirect_uri(request: web.Request) -> str:
    """Say where the provider sends people back to; it has to know this address."""
    return public_url(request) + CALLBACK
