"""Short-lived links to the bytes of proofs: the right is in the address, and ends with it.

HMAC-SHA256 of the installation's secret over the proof, which of its bytes, and when the link ends.
"""

import base64
import hmac
import re
from dataclasses import dataclass

from aiohttp import web

from api.http.app_keys import POOL, PROOFS, now_of
from api.http.host import public_url
from api.http.ids import PHOTO, PROOF, shown
from api.http.problem import Gone, NotFound
from sql.account.accounts import read_instance

_PROOF, OF_A_PHOTO = b"proof", b"photo"
_MAC_BYTES = 18
_EXPIRES = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Makes links that end at the same time.

    Attributes:
        base: the address of this server.
        expires_s: when they end, seconds since 1970.
    """

    base: str
    secret: bytes
    expires_s: int

    def link(self, proof_id: int, what: str) -> str:
        """Give the address of some bytes of a proof."""
        return f"{self.base}/v1/blobs/{shown(PROOF, proof_id)}/{what}?{self._right(_PROOF, proof_id, what)}"

    def photo(self, photo_id: int, what: str) -> str:
        """Give the address of some bytes of a photo that a recipient sent."""
        return f"{self.base}/v1/photos/{shown(PHOTO, photo_id)}/{what}?{self._right(OF_A_PHOTO, photo_id, what)}"

    def _right(self, of: bytes, number: int, what: str) -> str:
        return f"expires={self.expires_s}&signature={_signature(self.secret, of, number, what, self.expires_s)}"


async def signer_of(request: web.Request) -> Signer:
    """Prepare to make links for the one who asks."""
    instance = await read_instance(request.app[POOL])
    expires_s = int(now_of(request).timestamp() + request.app[PROOFS].config.proof_link_s)
    return Signer(base=public_url(request), secret=instance.secret, expires_s=expires_s)


def check_link(
    request: web.Request, secret: bytes, number: int, what: str, now_s: float, *, of: bytes = _PROOF
) -> None:
    """Hold the address that is asked against its signature.

    Args:
        number: of the proof, or of what `of` says it is.

    Raises:
        NotFound: it is not one of ours.
        Gone: its time is over.
    """
    expires, given = request.query.get("expires", ""), request.query.get("signature", "")
    if not _EXPIRES.fullmatch(expires):
        raise NotFound("There is nothing at this address.")
    if not hmac.compare_digest(
        _signature(secret, of, number, what, int(expires)).encode(), given.encode(errors="replace")
    ):
        raise NotFound("There is nothing at this address.")
    if int(expires) < now_s:
        raise Gone("This link was made to work for a short time only. Read the proof again for a new one.")


def _signature(secret: bytes, of: bytes, number: int, what: str, expires_s: int) -> str:
    mac = hmac.digest(secret, b"reparto %s %d %s %d" % (of, number, what.encode(), expires_s), "sha256")
    return base64.urlsafe_b64encode(mac[:_MAC_BYTES]).decode()
