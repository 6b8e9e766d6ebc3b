"""Why a provider's word lets nobody in."""

from typing import Literal, TypeAlias

Why: TypeAlias = Literal[
    "none",
    "stopped",
    "over",
    "away",
    "issuer",
    "audience",
    "nonce",
    "expired",
    "signature",
    "token",
    "email",
    "unverified",
    "domain",
    "nobody",
    "other",
]
"""Names of the texts that say so, behind `company_`.

none: no account has a provider for this address, or not one alone; stopped: the provider did not let them in; over:
nothing was begun in this browser; away: the provider does not answer, or not so that it could be read; issuer,
audience, nonce: its word is of another, for another, or for another sign-in; expired; signature: by no key of the
provider's, or in a way that anybody could; token: it lacks something; email: it names no address; unverified: it does
not say that the address is theirs; domain: of another company; nobody: no user of the account and not invited; other:
the provider called this user otherwise before.
"""


class NotLetIn(Exception):  # noqa: N818 (an outcome)
    """Nobody is let in.

    Attributes:
        trouble: of a provider that does not answer as it should, how: unreached, silent, status, unreadable, forbidden
            (it leads where nothing may be asked); else empty.
        detail: what was seen there, for who sets it up.
    """

    def __init__(self, why: Why, *, trouble: str = "", detail: str = "") -> None:
        super().__init__(why)
        self.why: Why = why
        self.trouble, self.detail = trouble, detail
