"""AWS signature version 4, as far as SNS needs it: a form posted to the root of a host.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKey:
    """An access key of AWS, and where it is used."""

    region: str
    key: str
    secret: str = field(repr=False)


def signed_headers(headers: Mapping[str, str], body: bytes, url: str, aws: AwsKey, now: datetime) -> dict[str, str]:
    """Give the headers of a signed POST to an address without a query."""
    parts = urlsplit(url)
    host, path = parts.netloc, parts.path or "/"
    at, day = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}"
    signing = {
        "content-type": headers.get("Content-Type", ""),
        "host": host,
        "x-amz-date": at,
    }
    names = ";".join(signing)
    lines = "".join(f"{name}:{value}\n" for name, value in signing.items())
    request = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/{aws.region}/sns/aws4_request"
    said = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = f"AWS4{aws.secret}".encode()
    for part in (day, aws.region, "sns", "aws4_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, said.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={aws.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "X-Amz-Date": at, "Authorization": credential}
