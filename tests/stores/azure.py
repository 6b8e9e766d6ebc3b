"""Azurite, Microsoft's own server for trying things out with Azure's blob storage, from npm."""

import base64
import fcntl
import hmac
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest

from reparto.child import free_port
from tests.stores.server import Bucket, running

PLACE = Path(__file__).resolve().parents[2] / "build" / "azurite"
"""It is installed here, once: 186 MB."""

PATIENCE_S = 300

# The one account that Azurite knows, as its documentation names it.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-08-06"


@contextmanager
def azure_bucket(folder: Path) -> Iterator[Bucket]:
    """A container that lasts as long as the block."""
    node, port = shutil.which("node"), free_port()
    if node is None:
        pytest.skip("node is not installed, so Azurite cannot run")
    _install_once()
    program = PLACE / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    command = (node, program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", folder / "azurite")
    with running((*command, "--silent", "--disableTelemetry"), port=port, log=folder / "azurite.log"):
        _make_container(port, "proofs")
        credentials = {
            "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/{ACCOUNT}",
            "AZURE_ALLOW_HTTP": "true",
        }
        yield Bucket(
            port=port,
            url="az://proofs/some/prefix",
            missing_url="az://no-such-container/some/prefix",
            credentials=credentials,
            wrong_credentials={**credentials, "AZURE_STORAGE_ACCOUNT_KEY": base64.b64encode(b"guessed").decode()},
        )


def _install_once() -> None:
    """Install Azurite, or wait until another process of the suite has: it is at its place when it is whole."""
    PLACE.parent.mkdir(exist_ok=True)
    with PLACE.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PLACE.exists():
            _install(PLACE.with_suffix(".new"))
            PLACE.with_suffix(".new").rename(PLACE)


def _install(place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed, so Azurite cannot be fetched")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "package.json").write_text('{"private": true}')
    quietly = ("--silent", "--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts")
    made = subprocess.run(
        [npm, "install", *quietly, "azurite@3"], cwd=place, capture_output=True, text=True, timeout=PATIENCE_S
    )
    if made.returncode != 0:
        pytest.skip(f"npm cannot install Azurite here: {made.stderr[-200:]}")


def _make_container(port: int, name: str) -> None:
    """Sign a PUT as Azure describes it (Shared Key): obstore makes no containers."""
    at = formatdate(usegmt=True)
    none_of_these = "\n" * 12  # the headers that are signed one by one
    asked = f"PUT{none_of_these}x-ms-date:{at}\nx-ms-version:{VERSION}\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), asked.encode(), "sha256")).decode()
    told = {"x-ms-date": at, "x-ms-version": VERSION, "Authorization": f"SharedKey {ACCOUNT}:{signature}"}
    address = f"http://127.0.0.1:{port}/{ACCOUNT}/{name}?restype=container"
    urllib.request.urlopen(urllib.request.Request(address, method="PUT", headers=told), timeout=30)
