"""E-mail addresses of people, in one way of writing each; and how often something may be tried with one."""

import hashlib

from aiohttp import web

from api.http.shares.attempts import admit_attempt, hash_of_address
from sql.pool import Db, Pool
from sql.portal import limits
from work.messages.rules.contacts import email_of

LONGEST = 320
"""Characters that an address has at most."""

SIGN_INS_OF_A_PERSON, SIGN_IN_WINDOW_S = 10, 900.0
"""Then it is closed for the rest of the window, whoever tries, and whether or not there is such a person."""

SIGN_INS_OF_AN_ADDRESS = 100
"""An hour, of an address of the network: a company behind one router, at the begin of its shifts."""

RESETS_OF_A_PERSON, RESETS_OF_AN_ADDRESS = 5, 30
"""An hour."""


def address_in(text: str) -> str | None:
    """Write an e-mail address in small letters; None: it is none."""
    email = email_of(text.strip())
    return None if email is None else email.lower()


async def admit_sign_in(request: web.Request, email: str) -> None:
    """Count that somebody tries to sign in as a person, there or not.

    Raises:
        TooManyRequests: from this address of the network, or as this person, too often.
    """
    await admit_attempt(request, hash_of_address(request), "sign-in", SIGN_INS_OF_AN_ADDRESS)
    await admit_attempt(request, _hash_of(email), "sign-in", SIGN_INS_OF_A_PERSON, window_s=SIGN_IN_WINDOW_S)


async def admit_begun(request: web.Request) -> None:
    """Count that somebody begins to sign in by something else than a password.

    Raises:
        TooManyRequests: from this address of the network too often.
    """
    await admit_attempt(request, hash_of_address(request), "sign-in", SIGN_INS_OF_AN_ADDRESS)


async def admit_reset(request: web.Request, email: str) -> None:
    """Count that somebody asks for a new password of a person, there or not.

    Raises:
        TooManyRequests: from this address of the network, or for this person, too often.
    """
    await admit_attempt(request, hash_of_address(request), "reset", RESETS_OF_AN_ADDRESS)
    await admit_attempt(request, _hash_of(email), "reset", RESETS_OF_A_PERSON)


async def signed_in(db: Db | Pool, email: str) -> None:
    """Forget how often it was tried: it is them."""
    await limits.forget(db, _hash_of(email), "sign-in")


def _hash_of(email: str) -> bytes:
    return hashlib.sha256(b"person " + email.encode(errors="replace")).digest()
