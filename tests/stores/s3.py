"""A real S3 server: OpenStack Swift, which checks signatures as S3 does and keeps objects on disk."""

import hashlib
import hmac
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reparto.child import free_port
from tests.stores.server import Bucket, running

ACCESS_KEY, SECRET_KEY, REGION = "test:tester", "testing", "us-east-1"


@contextmanager
def s3_bucket(folder: Path) -> Iterator[Bucket]:
    """A bucket that lasts as long as the block."""
    pytest.importorskip("swift", reason="OpenStack Swift, the S3 server of this test, is not installed")
    try:
        os.setxattr(folder, "user.swift", b"kept")
    except (AttributeError, OSError):
        pytest.skip(f"Swift keeps what it knows of an object in extended attributes, and {folder} has none")
    port = free_port()
    program = Path(__file__).with_name("s3_process.py")
    with running((sys.executable, program, folder / "swift", str(port)), port=port, log=folder / "swift.log"):
        _make_bucket(port, "proofs")
        credentials = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
        }
        yield Bucket(
            port=port,
            url="s3://proofs/some/prefix",
            missing_url="s3://no-such-bucket/some/prefix",
            credentials=credentials,
            wrong_credentials={**credentials, "AWS_SECRET_ACCESS_KEY": "guessed"},
        )


def _make_bucket(port: int, name: str) -> None:
    """Sign a PUT as AWS describes it (Signature Version 4): obstore makes no buckets."""
    now = datetime.now(UTC)
    day, at, nothing = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(b"").hexdigest()
    host, headers = f"127.0.0.1:{port}", "host;x-amz-content-sha256;x-amz-date"
    asked = f"PUT\n/{name}\n\nhost:{host}\nx-amz-content-sha256:{nothing}\nx-amz-date:{at}\n\n{headers}\n{nothing}"
    scope = f"{day}/{REGION}/s3/aws4_request"
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signed = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(asked.encode()).hexdigest()}"
    signature = hmac.digest(key, signed.encode(), "sha256").hex()
    told = {
        "x-amz-date": at,
        "x-amz-content-sha256": nothing,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={headers}, "
        f"Signature={signature}",
    }
    urllib.request.urlopen(urllib.request.Request(f"http://{host}/{name}", method="PUT", headers=told), timeout=30)
