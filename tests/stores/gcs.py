"""A stand-in for Google Cloud Storage: its XML API as far as obstore speaks it.

The emulators that can be installed from a registry speak Google's other API (JSON) only. This one checks who asks, as
Google does: by the signature under a token of the service account.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.stores.server import Bucket

BUCKET = "proofs"
ACCOUNT = "proofs@reparto.example"


class Server(ThreadingHTTPServer):
    """A bucket in memory, for whoever has the account's key."""

    daemon_threads = True

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.key = key
        self.objects: dict[str, tuple[bytes, datetime]] = {}

    def knows(self, authorization: str) -> bool:
        """Tell whether this is a token that the account's key signed."""
        kind, _, token = authorization.partition(" ")
        head, _, signature = token.rpartition(".")
        try:
            self.key.public_key().verify(_unpacked(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return kind == "Bearer" and json.loads(_unpacked(head.split(".")[1]))["iss"] == ACCOUNT


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if name := self._name():
            self.server.objects[name] = content, datetime.now(UTC)
            self._say(200, headers={"ETag": _tag(content)})

    def do_GET(self) -> None:
        if self._is_list() or (name := self._name()) is None:
            return
        if name in self.server.objects:
            content, at = self.server.objects[name]
            self._say(200, content, headers={"ETag": _tag(content), "Last-Modified": format_datetime(at, usegmt=True)})
        else:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        if name := self._name():
            there = self.server.objects.pop(name, None)
            self._say(404 if there is None else 204)

    def _is_list(self) -> bool:
        asked = urlsplit(self.path)
        if "list-type" not in (query := parse_qs(asked.query)):
            return False
        if self._is_let_in(asked.path.strip("/")):
            prefix = query.get("prefix", [""])[0]
            found = "".join(
                f"<Contents><Key>{escape(name)}</Key><LastModified>{at.isoformat()}</LastModified>"
                f"<ETag>{escape(_tag(content))}</ETag><Size>{len(content)}</Size></Contents>"
                for name, (content, at) in sorted(self.server.objects.items())
                if name.startswith(prefix)
            )
            self._say(200, f"<ListBucketResult>{found}</ListBucketResult>".encode())
        return True

    def _name(self) -> str | None:
        """The object that is asked for; None when nobody may ask for it, which is then said."""
        bucket, _, name = urlsplit(self.path).path.strip("/").partition("/")
        return unquote(name) if self._is_let_in(bucket) else None

    def _is_let_in(self, bucket: str) -> bool:
        if not self.server.knows(self.headers["Authorization"]):
            self._say(401, b"<Error><Code>AuthenticationRequired</Code></Error>")
        elif bucket != BUCKET:
            self._say(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        else:
            return True
        return False

    def _say(self, status: int, content: bytes = b"", *, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _tag(content: bytes) -> str:
    return f'"{md5(content).hexdigest()}"'


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _account(key: rsa.RSAPrivateKey, port: int) -> str:
    """A service account's key as Google gives it out, and in it the address of this server."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    told = {"client_email": ACCOUNT, "private_key_id": "1", "private_key": pem}
    return json.dumps(told | {"gcs_base_url": f"http://127.0.0.1:{port}"})


@contextmanager
def gcs_bucket() -> Iterator[Bucket]:
    """A bucket that lasts as long as the block."""
    key, guessed = (rsa.generate_private_key(public_exponent=65_537, key_size=2048) for _ in range(2))
    with Server(key) as server:
        port = server.server_port
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield Bucket(
                port=port,
                url=f"gs://{BUCKET}/some/prefix",
                missing_url="gs://no-such-bucket/some/prefix",
                credentials={"GOOGLE_SERVICE_ACCOUNT_KEY": _account(key, port)},
                wrong_credentials={"GOOGLE_SERVICE_ACCOUNT_KEY": _account(guessed, port)},
            )
        finally:
            server.shutdown()
            serving.join()
