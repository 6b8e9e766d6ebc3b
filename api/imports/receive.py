"""A file comes in: by a form or as the body, onto a disk of ours, and is read."""

import asyncio
import hashlib
from dataclasses import dataclass
from email.message import Message
from typing import Any

from aiohttp import web

from api.http.app_keys import CONFIG, PROOFS
from api.http.auth import caller_of
from api.http.problem import Problem, TooLarge, UnsupportedMediaType
from api.http.read.limited import read_limited
from api.http.who import parties_of
from api.proofs.uploads.form import FORMS
from api.proofs.uploads.parts import read_form
from work.imports.read import SheetReader
from work.imports.sheet import PlanSheet, SheetError

SHEETS: web.AppKey[SheetReader] = web.AppKey("sheets", SheetReader)

_SHEET = {"type": "string", "format": "binary"}
TAKES: dict[str, dict[str, Any]] = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {"file": _SHEET, "mapping": {"type": "string"}},
    },
    "text/csv": {"type": "string"},
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _SHEET,
    "application/vnd.ms-excel": _SHEET,
    "application/vnd.oasis.opendocument.spreadsheet": _SHEET,
}
"""How a file may come; what it is, its bytes say."""


class UnreadableFile(Problem):
    """It is a sheet, and cannot be read or understood."""

    status = 422
    type = "unreadable-file"
    title = "The file cannot be read"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSheet:
    """A file that came.

    Attributes:
        name: of the file; empty: it has none.
        sha256: of its bytes.
        mapping: as a field of the form says it; empty: it does not.
    """

    name: str
    sha256: bytes
    mapping: str
    sheet: PlanSheet


async def received(request: web.Request) -> ReceivedSheet:
    """Take a file in and read it.

    Raises:
        UnreadableFile, UnsupportedMediaType: it is damaged, or no sheet.
        TooLarge: it has too many bytes or rows, or takes too much to be read.
        Problem, Away: it does not come whole; nothing is lost by sending it again.
    """
    store, config = request.app[PROOFS], request.app[CONFIG]
    with request.app[FORMS].held(parties_of(request)), store.unfinished() as disk:
        if request.content_type == "multipart/form-data":
            form = await read_form(request, disk, max_bytes=config.max_import_bytes)
            name, sha256, mapping = form.fields.get("filename", ""), bytes.fromhex(form.sha256), form.fields
        else:
            content = await read_limited(request, config.max_import_bytes)
            await asyncio.to_thread(disk.write, content)
            name, sha256, mapping = _name_of(request), hashlib.sha256(content).digest(), {}
        disk.seek(0)
        try:
            reader, account_id = request.app[SHEETS], caller_of(request).account_id
            sheet = await reader.read(disk, account_id, most_rows=config.max_import_rows)
        except SheetError as error:
            problems: dict[str, type[Problem]] = {"no-sheet": UnsupportedMediaType, "too-large": TooLarge}
            raise problems.get(error.refused.kind, UnreadableFile)(error.refused.why) from error
    kept = "".join(one for one in name if one.isprintable())[:200]
    return ReceivedSheet(name=kept, sha256=sha256, mapping=mapping.get("mapping", ""), sheet=sheet)


def _name_of(request: web.Request) -> str:
    """Read the name of a file that is the body itself; empty: it has none, or one in letters that nobody knows."""
    said = Message()
    said["Content-Disposition"] = request.headers.get("Content-Disposition", "")
    try:
        return said.get_filename() or ""
    except UnicodeError:
        return ""
