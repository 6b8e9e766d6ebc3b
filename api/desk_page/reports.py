"""Reports for people: three numbers of a period, a table by day or by driver, and the files that hold the rest."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.shown import NOT_THE_DAY, Looker, for_people, shown
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Invalid
from api.pages.times import Manner
from api.reports.kinds import REPORTS, rows_of
from api.reports.period import PERIOD, USUAL, Period, days, period_in
from api.reports.rows import Outcomes, Punctuality
from sql.reports.asked import ToursAsked

operations = Operations("desk")

_BY = ("day", "driver")


@operations.operation(
    "GET",
    "/desk/reports",
    who=Who.ANYONE,
    query=(
        *PERIOD,
        Parameter(name="by", description="Rows by day, else by driver.", schema={"type": "string", "enum": [*_BY]}),
        LANG,
    ),
    media=("text/html",),
    also={303: "Nobody is signed in: the form to sign in."},
)
@for_people(but=NOT_THE_DAY)
async def get_reports_page(request: web.Request, looker: Looker) -> web.Response:
    """Show how much was on time, in full and done at the first attempt, by day or driver; of a week unless asked."""
    today = looker.now.date()
    period = days(today - USUAL + timedelta(days=1), today)
    is_wrong = False
    if request.query.get("from") or request.query.get("to"):
        try:
            period = period_in(request)
        except Invalid:
            is_wrong = True
    by = "driver" if request.query.get("by") == "driver" else "day"
    asked = ToursAsked(
        account_id=looker.caller.account_id,
        since=period.since,
        until=period.until,
        first_day=period.first_day,
        last_day=period.last_day,
    )
    kept = await rows_of(request.app[POOL], "punctuality", asked)
    ended = await rows_of(request.app[POOL], "reasons", asked)
    words = looker.words["reports"]
    of = dict(zip(("from", "to"), period.shown, strict=True))
    return shown(
        request,
        looker,
        "reports.html",
        title=words["title"],
        is_wrong=is_wrong,
        first=_day_of(period, 0),
        last=_day_of(period, 1),
        by=by,
        ways=[{"name": words[f"by_{one}"], "is_here": one == by, "asked": urlencode({**of, "by": one})} for one in _BY],
        numbers=_numbers(words, kept[0], ended[0]),
        head=words[by],
        rows=_rows(looker, by, kept, ended),
        files=[{"name": words[f"file_{name}"], "path": f"report-{name}.xlsx"} for name in REPORTS]
        + [{"name": words["file_stops"], "path": "stops.xlsx"}],
        asked=urlencode(of),
    )


def _day_of(period: Period, place: int) -> str:
    """Give a day as a form has it; of a period of times nothing."""
    return period.shown[place] if period.first_day is not None else ""


def _numbers(words: Mapping[str, str], kept: Punctuality, ended: Outcomes) -> list[dict[str, str]]:
    shares = (
        ("on_time", kept.last_on_time, kept.last_n),
        ("otif", kept.otif, kept.otif_n),
        ("first_try", ended.first_attempts_done, ended.first_attempts),
    )
    return [
        {"name": words[name], "said": _part(part, whole), "of": f"{part}/{whole}" if whole else words["none_of"]}
        for name, part, whole in shares
    ]


def _part(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def _rows(looker: Looker, by: str, kept: list[Punctuality], ended: list[Outcomes]) -> list[dict[str, Any]]:
    became = {row.of: row for row in ended if row.by == by}
    manner, words = looker.manner("UTC"), looker.words["reports"]
    rows = []
    for row in kept:
        if row.by != by:
            continue
        end = became.get(row.of)
        rows.append(
            {
                "name": _name(manner, words, row),
                "stops": row.stops,
                "done": end.completed + end.partially_completed if end else 0,
                "not_done": end.failed + end.skipped if end else 0,
                "on_time": _part(row.last_on_time, row.last_n),
                "promised": row.last_n,
                "first_try": _part(end.first_attempts_done, end.first_attempts) if end else "–",
            }
        )
    return rows


def _name(manner: Manner, words: Mapping[str, str], row: Punctuality) -> str:
    if row.by == "day" and row.of is not None:
        return manner.date(date.fromisoformat(row.of))
    return row.name or (words["nobody"] if row.of is None else words["forgotten"])
