"""How a sheet is to be read: what a request says of it, and what the account is known to have."""

from collections.abc import Mapping
from datetime import date
from typing import Literal
from zoneinfo import available_timezones

import msgspec
from aiohttp import web

from api.http.operation import Parameter
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.planning.days import day_in
from api.planning.orders import depots_of
from sql.pool import Pool
from work.imports.columns import KnownDepot, Surroundings
from work.imports.headings import LONGEST_HEADING, SYNONYMS, Kind, plain
from work.imports.sheet import MOST_COLUMNS

QUERY = (
    Parameter(name="kind", description="What its rows are.", schema={"type": "string", "enum": ["orders", "routes"]}),
    Parameter(
        name="dry_run", description="`true`: nothing is changed, the verdicts are the same.", schema={"type": "boolean"}
    ),
    Parameter(
        name="mapping",
        description="Of headings that are not understood: a JSON object by heading, each the name of a field, or null:"
        " it is not read. Remembered, but of a dry run; a form may have it as a field.",
    ),
    Parameter(name="date", description="The day of rows that name none.", schema={"type": "string", "format": "date"}),
    Parameter(name="timezone", description="Of times; else that of the depot, like America/Bogota."),
)
"""What may be asked of a sheet."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How a sheet is read, as it is stored until the sheet is done.

    Attributes:
        language: of the account.
        mapping: all that the account said of headings, as `plain` writes them.
    """

    language: Literal["es", "pt", "en"]
    timezone: str | None
    date: date | None
    mapping: dict[str, str | None]


def kind_in(request: web.Request) -> Kind:
    """Read `?kind=`.

    Raises:
        Invalid: it is missing, or none.
    """
    text = request.query.get("kind", "")
    if text == "orders" or text == "routes":
        return "orders" if text == "orders" else "routes"
    refuse([FieldError(at="kind", why="must be one of orders, routes")])
    raise AssertionError


def is_dry_run(request: web.Request) -> bool:
    """Read `?dry_run=`.

    Raises:
        Invalid: it is neither true nor false.
    """
    text = request.query.get("dry_run", "").lower()
    if text not in ("", "true", "false", "1", "0"):
        refuse([FieldError(at="dry_run", why="must be true or false")])
    return text in ("true", "1")


def timezone_in(request: web.Request) -> str | None:
    """Read `?timezone=`; None: there is none.

    Raises:
        Invalid: there is no such zone.
    """
    text = request.query.get("timezone") or None
    if text is not None and text not in available_timezones():
        refuse([FieldError(at="timezone", why="is not a time zone of the IANA list, like America/Bogota")])
    return text


def mapping_of(text: str, kind: Kind) -> dict[str, str | None]:
    """Read what headings are for, by headings as `plain` writes them; empty where nothing is said.

    Raises:
        Invalid: it is no object of headings, or names no field.
    """
    if not text:
        return {}
    try:
        said = msgspec.json.decode(text, type=dict[str, str | None])
    except (msgspec.DecodeError, RecursionError):
        refuse([FieldError(at="mapping", why='must be a JSON object like {"Nro": "external_id", "Vendedor": null}')])
        raise
    fields = ", ".join(SYNONYMS[kind])
    refuse(
        [
            FieldError(at="mapping", why=f"{field[:40]!r} is no field of {kind}; these are: {fields}")
            for field in said.values()
            if field is not None and field not in SYNONYMS[kind]
        ][:1]
    )
    if len(said) > MOST_COLUMNS or any(len(heading) > LONGEST_HEADING for heading in said):
        refuse([FieldError(at="mapping", why=f"has more than {MOST_COLUMNS} headings, or one is too long")])
    return {plain(heading): field for heading, field in said.items()}


def reading_of(request: web.Request, language: Literal["es", "pt", "en"], mapping: Mapping[str, str | None]) -> Reading:
    """Say how a sheet is read.

    Raises:
        Invalid: a parameter of the query is not usable.
    """
    return Reading(language=language, timezone=timezone_in(request), date=day_in(request), mapping=dict(mapping))


async def surroundings(pool: Pool, account_id: int, reading: Reading) -> Surroundings:
    """Tell what is not in the sheet."""
    depots = [
        KnownDepot(
            external_id=one.external_id,
            name=one.body["name"],
            lat=one.body["lat"],
            lon=one.body["lon"],
            timezone=one.body["timezone"],
        )
        for one in await depots_of(pool, account_id)
    ]
    return Surroundings(language=reading.language, timezone=reading.timezone, on=reading.date, depots=depots)
