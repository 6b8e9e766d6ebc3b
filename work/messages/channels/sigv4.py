"""AWS signature version 4, as far as SNS needs it: a form posted to the root of a host.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime


def signed_headers(
    headers: Mapping[str, str], body: bytes, *, host: str, path: str, region: str, key: str, secret: str, now: datetime
) -> dict[str, str]:
    """Give the headers of a signed POST to `path`, without a query."""
    at, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    signing = {
        "content-type": headers.get("Content-Type", ""),
        "host": host,
        "x-amz-date": at,
    }
    names = ";".join(signing)
    lines = "".join(f"{name}:{value}\n" for name, value in signing.items())
    request = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{region}/sns/aws4_request"
    said = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = f"AWS4{secret}".encode()
    for part in (day, region, "sns", "aws4_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, said.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-Amz-Date": at, "Authorization": credential}
