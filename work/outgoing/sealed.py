"""Secrets of providers and endpoints at rest: sealed with a key that is not in the database.

Which key seals is named in front of what is sealed, so that a new key can take over while the old one still opens.
"""

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_NAME_BYTES = 4


class CannotOpen(Exception):  # noqa: N818 (what is wrong is the key)
    """No key that is there opens it: REPARTO_SECRETS_KEY or the key file is another one than when it was sealed."""


class Sealer:
    """Seals with the first of its keys, opens with any.

    Where the keys are in a file, it is read again by whoever seals, and by whoever cannot open: another process may
    have rotated them.
    """

    def __init__(self, keys: Sequence[bytes], read: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._read = read
        self._take(keys)

    def _take(self, keys: Sequence[bytes]) -> None:
        self._boxes = {_name_of(key): SecretBox(key) for key in keys}
        self._first = _name_of(keys[0])

    def seal(self, secrets: Mapping[str, Any]) -> bytes:
        """Seal a few named secrets."""
        if self._read is not None:
            self._take(self._read())
        sealed: bytes = self._boxes[self._first].encrypt(msgspec.json.encode(secrets))
        return self._first + sealed

    def open(self, sealed: bytes | None) -> dict[str, Any]:
        """Open what was sealed; nothing holds nothing.

        Raises:
            CannotOpen: with none of the keys.
        """
        if not sealed:
            return {}
        if sealed[:_NAME_BYTES] not in self._boxes and self._read is not None:
            self._take(self._read())
        box = self._boxes.get(sealed[:_NAME_BYTES])
        if box is None:
            raise CannotOpen("The key that sealed a secret is missing: see REPARTO_SECRETS_KEY.")
        try:
            opened: dict[str, Any] = msgspec.json.decode(box.decrypt(sealed[_NAME_BYTES:]))
        except CryptoError as error:
            raise CannotOpen("A sealed secret is damaged.") from error
        return opened

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the first key sealed it."""
        return sealed[:_NAME_BYTES] == self._first


def _name_of(key: bytes) -> bytes:
    return blake2b(key, digest_size=_NAME_BYTES, person=b"reparto key").digest()


def keys_in(text: str) -> list[bytes]:
    """Read keys: base64 of 32 bytes each, separated by commas or lines.

    Raises:
        ValueError: one is not.
    """
    keys = []
    for part in text.replace("\n", ",").split(","):
        if not part.strip():
            continue
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != SecretBox.KEY_SIZE:
            raise ValueError("must be base64 of 32 bytes, like `openssl rand -base64 32` makes")
        keys.append(key)
    return keys


def new_key() -> str:
    """Make a key, as it is written down."""
    return base64.b64encode(os.urandom(SecretBox.KEY_SIZE)).decode()


def key_file(data_dir: Path) -> Path:
    """Say where the key is kept that no setting gives."""
    return data_dir / "secrets.key"


def open_sealer(text: str, data_dir: Path) -> Sealer:
    """Take the keys of the setting, else those of the file, which is made when there is none.

    Raises:
        OSError: the file cannot be read or made.
        ValueError: it holds something else.
    """
    if keys := keys_in(text):
        return Sealer(keys)
    file = key_file(data_dir)

    def read() -> list[bytes]:
        return keys_in(file.read_text())

    try:
        return Sealer(read(), read)
    except FileNotFoundError:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(f".{os.getpid()}")
    write_keys(fresh, [new_key()])
    try:
        os.link(fresh, file)  # of two processes that start together, one makes it and both read it
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return Sealer(read(), read)


def add_key(data_dir: Path) -> None:
    """Put a new key in front of those of the file. The one before stays and opens; those before it go."""
    file = key_file(data_dir)
    before = [part for part in file.read_text().split() if part] if file.exists() else []
    write_keys(file, [new_key(), *before[:1]])


def write_keys(file: Path, keys: Sequence[str]) -> None:
    """Write a key file that only its owner reads; never half of one."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as to:
        to.write("\n".join(keys) + "\n")
        to.flush()
        os.fsync(to.fileno())
    fresh.rename(file)
