"""Imports: a sheet is sent, and what became of each of its rows is read."""

import asyncio
import hashlib

import msgspec
from aiohttp import web

from api.http import ids
from api.http.app_keys import CONFIG, POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound, TooLarge, TooManyRequests
from api.http.read.bodies import refuse
from api.http.trail import note
from api.imports.asked import QUERY, Reading, is_dry_run, kind_in, mapping_of, reading_of, surroundings
from api.imports.carry_on import SOON_S, carry_on, packed
from api.imports.receive import SHEETS, TAKES, ReceivedSheet, UnreadableFile, received
from api.imports.steps import HOLD_S
from api.imports.view import Import, ImportList, import_of, item_of
from api.imports.words import LANG, refused_in_words
from api.routes.roads import tools_of
from sql.account.settings import read_settings
from sql.imports import imports
from sql.imports.imports import VERDICTS, NewImport, Verdict
from sql.pool import Pool
from work.imports.columns import SheetColumns, understood
from work.imports.headings import HeadingError, Kind
from work.imports.read import SheetReader


def _prepare(app: web.Application) -> None:
    app[SHEETS] = SheetReader()


operations = Operations("planning", prepare=_prepare)

MOST_WAITING = 20
"""Of an account: what is done takes no room."""

_LAST = 2**63 - 1


@operations.operation(
    "POST", "/v1/imports", who=Who.DISPATCHER, answer=Import, status=202, query=(*QUERY, LANG), takes=TAKES
)
async def post_import(request: web.Request) -> web.Response:
    """Import a sheet of orders or of routes: CSV, XLSX, XLS or ODS, as the body or as `file` of a form.

    A row is an order, or a stop of a route, whose rows stand for it together. Each has its own verdict: a bad row keeps
    out only itself, or its route. Orders go the way of `POST /v1/orders`, routes that of `PUT /v1/routes/{route}`: the
    same file again changes nothing. A small file is done when this answers; of another ask `GET /v1/imports/{import}`.
    """
    with refused_in_words(request):
        return await _imported(request)


async def _imported(request: web.Request) -> web.Response:
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    kind, dry_run = kind_in(request), is_dry_run(request)
    said = mapping_of(request.query.get("mapping", ""), kind)
    language = (await read_settings(pool, account_id)).languages[0]
    known = await imports.read_mapping(pool, account_id, kind)
    reading_of(request, language, known)  # before the file comes
    if await imports.waiting_imports(pool, account_id) >= MOST_WAITING:
        raise TooManyRequests("Other imports of this account are not done yet.", retry_after_s=10)
    file = await received(request)
    said |= mapping_of(file.mapping, kind)
    reading = reading_of(request, language, known | said)
    columns = await _understood(pool, account_id, kind, file, reading)
    new = await asyncio.to_thread(_new, kind, dry_run, file, reading, columns)
    if new.rows > request.app[CONFIG].max_import_rows:
        raise TooLarge(f"The file has {new.rows} rows; at most {request.app[CONFIG].max_import_rows} are read.")
    import_id = await _kept(request, new, said)
    row = await imports.take_import(pool, hold_s=HOLD_S, only=import_id)
    if row is not None:
        await carry_on(tools_of(request), row, within_s=SOON_S)
    return await _answered(request, import_id, after=0, verdict=None, status=202)


@operations.operation(
    "GET",
    "/v1/imports/{import}",
    who=Who.VIEWER,
    answer=Import,
    query=(
        Parameter(
            name="verdict",
            description="Only rows of this verdict.",
            schema={"type": "string", "enum": [*VERDICTS]},
        ),
        *PAGING,
    ),
)
async def get_import(request: web.Request) -> web.Response:
    """Read an import: how far it is, how its sheet was read, and what became of each row."""
    after: tuple[int] = cursor_in(request, tuple[Id]) or (0,)
    verdict, import_id = _verdict_in(request), ids.id_in_path(request, "import", ids.IMPORT)
    return await _answered(request, import_id, after=min(after[0], 2**31 - 1), verdict=verdict)


@operations.operation("GET", "/v1/imports", who=Who.VIEWER, answer=ImportList, query=PAGING)
async def list_imports(request: web.Request) -> web.Response:
    """List imports, the newest first."""
    limit = limit_in(request)
    before: tuple[int] = cursor_in(request, tuple[Id]) or (_LAST,)
    rows = await imports.list_imports(
        request.app[POOL], caller_of(request).account_id, before=before[0], limit=limit + 1
    )
    page, more = cut(rows, limit, lambda row: (row.id,))
    return answer(request, ImportList(imports=[item_of(row) for row in page], next=more))


async def _understood(pool: Pool, account_id: int, kind: Kind, file: ReceivedSheet, reading: Reading) -> SheetColumns:
    around = await surroundings(pool, account_id, reading)
    try:
        return await asyncio.to_thread(understood, file.sheet, kind, reading.mapping, around)
    except HeadingError as error:
        errors = [FieldError(at=heading, why=why) for heading, why in error.headings.items()]
        raise UnreadableFile(f"The file is not understood: {error}.", errors=errors) from error


def _new(kind: Kind, dry_run: bool, file: ReceivedSheet, reading: Reading, columns: SheetColumns) -> NewImport:
    """Make an import of a sheet that is understood. For threads: of the largest it takes half a second.

    Raises:
        UnreadableFile: there is no row in it.
    """
    rows = len(file.sheet.rows) - columns.headings.row - 1
    if rows < 1:
        raise UnreadableFile("There is no row below the headings.")
    asked = msgspec.to_builtins(reading)
    same = msgspec.json.encode([kind, dry_run, file.sha256.hex(), asked], order="sorted")
    headings = zip(columns.headings.names, columns.headings.fields, strict=True)
    return NewImport(
        kind=kind,
        dry_run=dry_run,
        file_name=file.name,
        asked_hash=hashlib.sha256(same).digest(),
        asked=asked,
        headings=[{"heading": name, "field": field} for name, field in headings],
        notes=msgspec.to_builtins(columns.notes),
        sheet=packed(file.sheet),
        rows=rows,
    )


async def _kept(request: web.Request, new: NewImport, said: dict[str, str | None]) -> int:
    """Keep an import until it is done; one that waits already is that one."""
    account_id = caller_of(request).account_id
    while True:
        async with request.app[POOL].acquire() as db, db.transaction():
            import_id = await imports.create_import(db, account_id, new)
            if import_id is not None:
                if said and not new.dry_run:
                    await imports.add_mapping(db, account_id, new.kind, said)
                about = {"kind": new.kind, "dry_run": new.dry_run, "rows": new.rows}
                await note(request, db, made=ids.shown(ids.IMPORT, import_id), after=about)
                return import_id
            import_id = await imports.same_import(db, account_id, new.asked_hash)
            if import_id is not None:
                return import_id


async def _answered(
    request: web.Request, import_id: int, *, after: int, verdict: Verdict | None, status: int = 200
) -> web.Response:
    pool, limit = request.app[POOL], limit_in(request)
    row = await imports.find_import(pool, caller_of(request).account_id, import_id)
    if row is None:
        raise NotFound("There is no import of this id.")
    rows = await imports.verdicts_of(pool, import_id, verdict=verdict, after=after, limit=limit + 1)
    page, more = cut(rows, limit, lambda one: (one.number,))
    return answer(request, import_of(row, page, more), status=status)


def _verdict_in(request: web.Request) -> Verdict | None:
    text = request.query.get("verdict") or None
    found = next((one for one in VERDICTS if one == text), None)
    if text is not None and found is None:
        refuse([FieldError(at="verdict", why=f"must be one of {', '.join(VERDICTS)}")])
    return found
