"""The parts of a form with a file in it, read as they come: the file onto a disk of ours, a little of it in memory."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, cast

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web

from api.http.problem import BadRequest, FieldError, Invalid, Problem, TooLarge, UnsupportedMediaType
from api.http.shares.bodies import BODIES, Holding, Pace
from work.away import Away
from work.proofs.store import keeping

FILE = "file"
"""The field of the file."""

_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 8_192  # 2,000 letters of any script
_BESIDE_BYTES = _MOST_FIELDS * _MOST_FIELD_BYTES
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form says, and of its file the bytes and their SHA-256 in hexadecimal digits."""

    fields: dict[str, str]
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFile:
    """A file of a form, on its disk: how many bytes, and their SHA-256 in hexadecimal digits."""

    disk: IO[bytes]
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormWithFiles:
    """What a form says, and the files in it; a field where no file was chosen is a file of no bytes."""

    fields: dict[str, str]
    files: list[FormFile]


async def read_form(request: web.Request, disk: IO[bytes], *, max_bytes: int) -> Form:
    """Read a whole form with one file in it, within its limits.

    Args:
        disk: the file in it goes there.
        max_bytes: of the file.

    Raises:
        Invalid: there is no file in it.
        Problem, StoreAway: as `read_files` does.
    """
    form = await read_files(request, [disk], max_bytes=max_bytes)
    if not form.files:
        raise Invalid("There is no file in the form.", errors=[FieldError(at=FILE, why="is missing")])
    return Form(fields=form.fields, size=form.files[0].size, sha256=form.files[0].sha256)


async def read_files(request: web.Request, disks: Sequence[IO[bytes]], *, max_bytes: int) -> FormWithFiles:
    """Read a whole form within its limits.

    Args:
        disks: the files in it go there, one each: there may be no more.
        max_bytes: of each file.

    Raises:
        UnsupportedMediaType: it is no form with files.
        TooLarge: a file is too large, or a field too long.
        BadRequest: it cannot be read, or has more files.
        Unavailable, TooManyRequests: it comes too slowly, or too much comes at once.
        StoreAway: the disk cannot take it.
    """
    if request.content_type != "multipart/form-data":
        raise UnsupportedMediaType("Send multipart/form-data with the file in the field `file`.")
    most = max_bytes * len(disks) + _BESIDE_BYTES
    if (request.content_length or 0) > most:
        raise TooLarge(f"The form has {request.content_length} bytes; a file may have {max_bytes}.")
    try:
        with request.app[BODIES].holding(request) as holding:
            content = _Paced(request, most)
            reader = MultipartReader(request.headers, cast(StreamReader, content))
            spools = [_Spool(disk, holding, max_bytes) for disk in disks]
            fields, used = await _read_parts(reader, spools)
    except (Problem, Away):
        raise
    except UnicodeDecodeError as error:
        raise BadRequest("A field of the form is not UTF-8 text.") from error
    except Exception as error:  # aiohttp's reader of forms raises whatever a damaged one leads it into
        raise BadRequest("The form cannot be read, or breaks off.") from error
    files = [FormFile(disk=disks[n], size=spools[n].size, sha256=spools[n].sha256) for n in range(used)]
    return FormWithFiles(fields=fields, files=files)


class _Paced:
    """The bytes of a form for aiohttp's reader of forms: no more, and no slower, than they may come."""

    def __init__(self, request: web.Request, most: int) -> None:
        self._content = request.content
        self._pace = Pace(request.app[BODIES].wait_s)
        self._left = most

    async def read(self, size: int) -> bytes:
        return self._came(await self._pace.within(self._content.read(size)))

    async def readline(self, **limits: int) -> bytes:
        return self._came(await self._pace.within(self._content.readline(**limits)))

    def at_eof(self) -> bool:
        return self._content.at_eof()

    def unread_data(self, data: bytes) -> None:
        self._left += len(data)
        self._content.unread_data(data)

    def _came(self, some: bytes) -> bytes:
        self._left -= len(some)
        if self._left < 0:
            raise TooLarge("The form is longer than its file may be.")
        return some


class _Spool:
    """Puts a file on a disk as it comes."""

    def __init__(self, disk: IO[bytes], holding: Holding, most: int) -> None:
        self._disk, self._holding, self._most = disk, holding, most
        self._waiting = bytearray()
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def add(self, some: bytes) -> None:
        self.size += len(some)
        if self.size > self._most:
            raise TooLarge(f"The file has more than {self._most} bytes.")
        self._holding.take(len(some))
        self._waiting += some
        if len(self._waiting) >= _PIECE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        piece = bytes(self._waiting)
        self._waiting.clear()
        self._hash.update(piece)
        with keeping():
            await asyncio.to_thread(self._write, piece)
        self._holding.give_back(len(piece))

    def _write(self, piece: bytes) -> None:
        self._disk.write(piece)
        self._disk.flush()


async def _read_parts(reader: MultipartReader, spools: Sequence[_Spool]) -> tuple[dict[str, str], int]:
    """Read the fields of a form, and its files onto the first of these; tell onto how many."""
    fields: dict[str, str] = {}
    used = 0
    while (part := await reader.next()) is not None:
        name = part.name if isinstance(part, BodyPartReader) else None
        if not isinstance(part, BodyPartReader) or name is None:
            raise BadRequest("Every part of the form needs a name, and none may be a form itself.")
        if name == FILE and used < len(spools):
            file = spools[used]
            used += 1
            while come := await part.read_chunk():
                await file.add(part.decode(come))
            await file.flush()
            fields.setdefault("filename", part.filename or "")
        elif name == FILE or name in fields or len(fields) >= _MOST_FIELDS:
            raise BadRequest("The form has a field twice, or too many.")
        else:
            fields[name] = await _read_field(part)
    return fields, used


async def _read_field(part: BodyPartReader) -> str:
    content = bytearray()
    while come := await part.read_chunk():
        content += part.decode(come)
        if len(content) > _MOST_FIELD_BYTES:
            raise TooLarge(f"A field of the form has more than {_MOST_FIELD_BYTES} bytes.")
    return content.decode()
