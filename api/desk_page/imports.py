"""The pages of imports: a sheet is looked at, then imported; what became of its rows, and which are to be mended."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.http import ids
from api.http.app_keys import POOL
from api.http.ids import id_in_path
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.imports.view import Import, NoteRead, RowRead, import_of, item_of
from api.pages.whys import told
from api.planning.orders import depots_of
from sql.imports.imports import ImportRow, find_import, list_imports, verdicts_of
from work.imports.headings import SYNONYMS

operations = Operations("desk")

MOST_SHOWN = 20
"""Of imports, the newest."""

MOST_ROWS = 100
"""Rows of which something is said, on a page: more are mended in their file."""

_LAST = 2**63 - 1
_TONES = {"done": "well", "failed": "broken"}


@operations.operation(
    "GET",
    "/desk/imports",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in."},
)
@for_people(but=NOT_THE_DAY)
async def get_imports_page(request: web.Request, looker: Looker) -> web.Response:
    """Show what was imported lately; dispatchers send a sheet there, and look at what would become of it before."""
    pool, account_id = request.app[POOL], looker.caller.account_id
    rows = await list_imports(pool, account_id, before=_LAST, limit=MOST_SHOWN)
    zones = await _zones(request, looker)
    return shown(
        request,
        looker,
        "imports.html",
        title=looker.words["imports"]["title"],
        imports=[_item(looker, row, _zone(zones, rows)) for row in rows],
        asks_zone=len(zones) != 1,
        has_zones=bool(zones),
        fields=[(kind, list(names)) for kind, names in SYNONYMS.items()],
    )


@operations.operation(
    "GET",
    "/desk/imports/{import}",
    who=Who.ANYONE,
    query=(LANG,),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in.", 404: "The page says that there is no such import."},
)
@for_people(but=NOT_THE_DAY)
async def get_import_page(request: web.Request, looker: Looker) -> web.Response:
    """Show an import: how far it is, how its sheet was read, and the rows that are not taken or doubtful."""
    pool, import_id = request.app[POOL], id_in_path(request, "import", ids.IMPORT)
    row = await find_import(pool, looker.caller.account_id, import_id)
    if row is None:
        raise NotFound("There is no import of this id.")
    said = await verdicts_of(pool, import_id, verdict=None, after=0, limit=MOST_ROWS + 1, only_said=True)
    one = import_of(row, said[:MOST_ROWS], None)
    more = looker.words["imports"]["more"].format(most=MOST_ROWS) if len(said) > MOST_ROWS else ""
    return shown(
        request,
        looker,
        "import.html",
        title=one.file or looker.words["imports"]["title"],
        one=_item(looker, row, _zone(await _zones(request, looker), [row])),
        why=_said(looker, one, NoteRead(at="", why=one.why)) if one.why else None,
        notes=[_said(looker, one, note) for note in one.notes],
        parts=[
            ("wrong", [_row(looker, one, read, read.errors) for read in one.verdicts if read.errors]),
            ("doubtful", [_row(looker, one, read, read.warnings) for read in one.verdicts if read.warnings]),
        ],
        more=more,
    )


def _row(looker: Looker, one: Import, read: RowRead, said: list[FieldError]) -> dict[str, Any]:
    return {"row": read.row, "id": read.external_id or "", "said": [_said(looker, one, error) for error in said]}


def _said(looker: Looker, one: Import, note: NoteRead | FieldError) -> dict[str, str]:
    """Tell what is wrong, or doubtful, in the looker's language: where the catalog has no words for it, in English."""
    why, at = told(note.why, looker.language), note.at
    if all(column.heading != at for column in one.columns):
        at = looker.words["import_field"].get(at, at)
    return {"at": at, "why": note.why if why is None else why, "lang": "en" if why is None else looker.language}


async def _zones(request: web.Request, looker: Looker) -> list[str]:
    """Give the time zones that the depots have, each once, in the order of the depots."""
    depots = await depots_of(request.app[POOL], looker.caller.account_id)
    return list(dict.fromkeys(str(one.body["timezone"]) for one in depots))


def _zone(zones: Sequence[str], rows: Sequence[ImportRow]) -> str:
    """Choose the time zone in which times are shown: of the depots, else what somebody said of a sheet."""
    return next((one for one in (*zones, *(row.asked.get("timezone") for row in rows)) if one), "UTC")


def _item(looker: Looker, row: ImportRow, zone: str) -> dict[str, Any]:
    words, item = looker.words["imports"], item_of(row)
    is_trial = row.dry_run and row.state == "done"
    return {
        "id": item.id,
        "file": item.file or words["no_name"],
        "kind": words[row.kind],
        "state": words["looked_at"] if is_trial else words[row.state],
        "tone": "off" if is_trial else _TONES.get(row.state, "doing"),
        "is_trial": row.dry_run,
        "is_over": row.state in ("done", "failed"),
        "percent": round(100 * item.progress),
        "counts": {name: getattr(item, name) for name in ("created", "updated", "unchanged", "rejected")},
        "when": looker.manner(zone).moment(row.created_at, looker.now),
    }
