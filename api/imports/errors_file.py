"""The rejected rows of an import, as a sheet: mended, it is sent again."""

import csv
import io
from collections.abc import Sequence

from aiohttp import web

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.operation import Operations, Who
from api.http.problem import NotFound
from api.imports.words import LANG, in_language
from sql.imports.imports import RowVerdict, find_import, verdicts_of

operations = Operations("planning")

_AT_ONCE = 1_000
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheet programs run begins so; an apostrophe before it says that it is text, and is not read back."""


@operations.operation("GET", "/v1/imports/{import}/errors.csv", who=Who.VIEWER, query=(LANG,), media=("text/csv",))
async def get_import_errors(request: web.Request) -> web.StreamResponse:
    """Fetch the rows that were rejected, as they came, with their number and why: mend them, and send the file."""
    pool, import_id = request.app[POOL], ids.id_in_path(request, "import", ids.IMPORT)
    row = await find_import(pool, caller_of(request).account_id, import_id)
    if row is None:
        raise NotFound("There is no import of this id.")
    language = request.query.get("lang", "")
    name = f'attachment; filename="{ids.shown(ids.IMPORT, row.id)}-errors.csv"'
    response = web.StreamResponse(headers={"Content-Disposition": name, "Cache-Control": "private, no-store"})
    response.content_type, response.charset = "text/csv", "utf-8"
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    headings = [one["heading"] for one in row.headings]
    await response.write(b"\xef\xbb\xbf" + _lines([["row", "why", *headings]]))
    after = 0
    while page := await verdicts_of(pool, import_id, verdict="rejected", after=after, limit=_AT_ONCE):
        await response.write(_lines([_cells(one, language) for one in page]))
        after = page[-1].number
    await response.write_eof()
    return response


def _cells(one: RowVerdict, language: str) -> list[str]:
    why = "; ".join(": ".join(filter(None, (error["at"], in_language(error["why"], language)))) for error in one.errors)
    return [str(one.number), why, *(one.cells or ())]


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([_safe(one) for one in row] for row in rows)
    return text.getvalue().encode()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_DANGEROUS) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    return cell[1:].replace(".", "").replace(",", "").isdigit() and cell[0] == "-"
