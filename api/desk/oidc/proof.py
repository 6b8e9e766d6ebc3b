"""What a provider signed of somebody, held against what was asked (OpenID Connect Core, 3.1.3.7)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import Key

from api.desk.oidc.discovery import Discovered, Providers
from api.desk.oidc.refused import NotLetIn

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""By which only the provider can sign: not `none`, and nothing by a secret that we know too."""

LEEWAY_S = 60.0
"""So much a provider's clock may be wrong."""

_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcClient:
    """Whom the provider knows us as; `secret`: None: by name alone."""

    id: str
    secret: str | None
    redirect_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPerson:
    """Whom a provider named; `email`: in whatever way it writes it, None: it did not say."""

    subject: str
    email: str | None
    is_verified: bool


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str | None = None


async def exchange(providers: Providers, provider: Discovered, client: OidcClient, code: str, verifier: str) -> _Tokens:
    """Give a code back for what it stands for.

    Raises:
        NotLetIn: the provider does not take it.
    """
    headers, body = token_request(provider, client, code, verifier)
    return await providers.read("POST", provider.token_endpoint, _Tokens, headers=headers, body=body)


def token_request(provider: Discovered, client: OidcClient, code: str, verifier: str) -> tuple[dict[str, str], bytes]:
    """Write how a code is given back: the headers, with the client's secret as the provider takes it, and the form."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
    form["code_verifier"] = verifier
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    methods = provider.token_endpoint_auth_methods_supported
    if client.secret is not None and ("client_secret_basic" in methods or "client_secret_post" not in methods):
        both = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
    else:
        form |= {"client_id": client.id} | ({} if client.secret is None else {"client_secret": client.secret})
    return headers, urlencode(form).encode()


async def named_by(
    providers: Providers, provider: Discovered, client: OidcClient, tokens: _Tokens, *, nonce: str, now: datetime
) -> NamedPerson:
    """Say whom the tokens name.

    Raises:
        NotLetIn: they were not signed by this provider, for us, for this sign-in and for now.
    """
    claims = await _signed_claims(providers, provider, tokens.id_token)
    subject = _checked(claims, provider, client, nonce=nonce, now=now)
    if "email" not in claims and provider.userinfo_endpoint and tokens.access_token:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        more = await providers.read("GET", provider.userinfo_endpoint, dict[str, Any], headers=headers)
        if more.get("sub") != subject:
            raise NotLetIn("token")
        claims = {**more, **claims}
    email, verified = claims.get("email"), claims.get("email_verified")
    return NamedPerson(
        subject=subject,
        email=email if isinstance(email, str) else None,
        is_verified=verified is True or verified == "true",  # some write it as text
    )


async def _signed_claims(providers: Providers, provider: Discovered, token: str) -> Mapping[str, Any]:
    claims = _opened(token, await providers.keys_of(provider))
    if claims is None:
        claims = _opened(token, await providers.keys_of(provider, are_wrong=True))
    if claims is None:
        raise NotLetIn("signature")
    return claims


def _opened(token: str, keys: Sequence[Key]) -> Mapping[str, Any] | None:
    """Read what one of the keys signed; None: none did."""
    name = _key_name(token)
    for key in keys:
        if name is not None and key.kid is not None and key.kid != name:
            continue
        try:
            return jwt.decode(token, key, algorithms=ALGORITHMS).claims
        except BadSignatureError:
            continue
        except (JoseError, ValueError, TypeError):  # not this kind of key, or no token at all
            continue
    return None


def _key_name(token: str) -> str | None:
    head = token.partition(".")[0]
    try:
        said = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=dict[str, Any])
    except (ValueError, msgspec.DecodeError):
        return None
    name = said.get("kid")
    return name if isinstance(name, str) else None


def _checked(claims: Mapping[str, Any], provider: Discovered, client: OidcClient, *, nonce: str, now: datetime) -> str:
    """Hold claims against what was asked; give the subject."""
    if claims.get("iss") != provider.issuer:
        raise NotLetIn("issuer")
    said = claims.get("aud")
    audience = said if isinstance(said, list) else [said]
    if client.id not in audience or (len(audience) > 1 and claims.get("azp") != client.id):
        raise NotLetIn("audience")
    if claims.get("azp", client.id) != client.id:
        raise NotLetIn("audience")
    if claims.get("nonce") != nonce:
        raise NotLetIn("nonce")
    _checked_times(claims, now.timestamp())
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise NotLetIn("token")
    return subject


def _checked_times(claims: Mapping[str, Any], now_s: float) -> None:
    ends, begins, made = (claims.get(name, 0) for name in ("exp", "nbf", "iat"))
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (ends, begins, made)):
        raise NotLetIn("token")
    if now_s >= ends + LEEWAY_S:
        raise NotLetIn("expired")
    if max(begins, made) > now_s + LEEWAY_S:
        raise NotLetIn("token")
