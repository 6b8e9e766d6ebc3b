"""What the account sets for all: visibility, why deliveries fail, what of its data is kept."""

from collections.abc import Sequence
from typing import get_args

import msgspec
from aiohttp import web

from api.desk.alerts import SEVERITIES
from api.desk.pages import LANG
from api.desk.session import can_mail
from api.desk_page.settings.fields import Fields, SettingsField
from api.desk_page.settings.frame import ALSO, MOST_SHOWN, NOT_ADMINS, day, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Who
from api.pages.catalog import desk_texts
from sql.account.settings import (
    AlertMail,
    AlertType,
    DriverContact,
    LocationPolicy,
    RecipientChange,
    ReturnApproval,
    SeenElement,
    read_settings,
)
from sql.desk.people import list_members
from sql.operate.horizons import read_horizon
from work.desk.alerts import OPENS

operations = Operations("desk")

CLASSES = ("pings", "recipients", "messages", "proofs", "drivers", "routes", "feed", "audit log")
"""Of what is kept, what people ask about."""


def account_page(
    request: web.Request, looker: Looker, name: str, fields: Sequence[SettingsField], **values: object
) -> web.Response:
    """Show a form that changes settings of the account."""
    t = desk_texts(looker.language)
    return settings_page(
        request, looker, "account.html", title=f"settings_{name}", lead=t[f"{name}_lead"], fields=fields, **values
    )


@operations.operation(
    "GET", "/desk/settings/visibility", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO
)
@for_people(but=NOT_ADMINS)
async def get_visibility_page(request: web.Request, looker: Looker) -> web.Response:
    """Show what recipients see and may do, and when drivers see their phone."""
    now, of = await read_settings(request.app[POOL], looker.caller.account_id), Fields(desk_texts(looker.language))
    seen = now.visibility
    changes = looker.words["change_kind"]
    fields = [
        of.make("visibility/max_stops_before", "number", seen.max_stops_before, least=0, most=100, is_needed=True),
        of.make("visibility/max_minutes", "number", seen.max_minutes, least=1, most=1_440, is_needed=True),
        of.make("visibility/max_m", "number", seen.max_m, least=100, most=1_000_000, may_be_none=True),
        of.make("visibility/never", "many", seen.never, choices=of.choices("seen", get_args(SeenElement))),
        of.make(
            "recipient_may_not",
            "many",
            now.recipient_may_not,
            choices=[(one, changes.get(one) or of.word(f"may_{one}")) for one in get_args(RecipientChange)],
        ),
        of.make("redirect_within_m", "number", now.redirect_within_m, least=0, most=50_000, is_needed=True),
        of.make("driver_contact", "choice", now.driver_contact, choices=of.choices("contact", get_args(DriverContact))),
    ]
    return account_page(request, looker, "visibility", fields)


@operations.operation("GET", "/desk/settings/reasons", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_reasons_page(request: web.Request, looker: Looker) -> web.Response:
    """Show why a delivery can fail: what drivers pick from."""
    now = await read_settings(request.app[POOL], looker.caller.account_id)
    reasons = [{"code": one.code, "text": one.text} for one in now.failure_reasons]
    return account_page(request, looker, "reasons", [], reasons=reasons)


@operations.operation("GET", "/desk/settings/alerts", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_alert_rules_page(request: web.Request, looker: Looker) -> web.Response:
    """Show which events open an alert at the desk, how much each hurries, and how long it may last unseen."""
    t, words = desk_texts(looker.language), looker.words
    now, of = await read_settings(request.app[POOL], looker.caller.account_id), Fields(t)
    usual = {one.type: words["severity"][SEVERITIES[one.severity - 1]] for one in OPENS}
    choices = [("off", t["rules_off"]), *((one, words["severity"][one]) for one in SEVERITIES)]
    rules = [
        {
            "type": one,
            "label": words["alert_type"][one.replace(".", "_")],
            "severity": now.alert_rules[one].severity if one in now.alert_rules else None,
            "wait": now.alert_rules[one].wait_minutes if one in now.alert_rules else 0,
            "usual": t["rules_usual"].format(severity=usual[one]),
        }
        for one in get_args(AlertType)
    ]
    fields = [
        of.make("late_after_minutes", "number", now.late_after_minutes, least=0, most=240, is_needed=True),
        of.make("admin_email", "email", now.admin_email, most=254),
    ]
    limit = of.make("alert_mails_an_hour", "number", now.alert_mails_an_hour, least=1, most=60, is_needed=True)
    return account_page(
        request,
        looker,
        "alerts",
        fields,
        rules={
            "own": [one for one in rules if one["severity"] or one["wait"]],
            "usual": [one for one in rules if not (one["severity"] or one["wait"])],
        },
        choices=choices,
        mails=[msgspec.to_builtins(one) for one in now.alert_mails],
        of_mails=await _of_mails(request, looker) | {"limit": limit},
    )


async def _of_mails(request: web.Request, looker: Looker) -> dict[str, object]:
    """Give what a rule of who is told can be made of, and a new one."""
    rows = await list_members(request.app[POOL], looker.caller.account_id, after=0, limit=MOST_SHOWN)
    return {
        "types": [(one, looker.words["alert_type"][one.replace(".", "_")]) for one in get_args(AlertType)],
        "severities": [(one, looker.words["severity"][one]) for one in SEVERITIES],
        "users": [(ids.shown(ids.USER, one.id), one.name or one.email) for one in rows if one.role != "driver"],
        "new": msgspec.to_builtins(AlertMail()),
        "can_mail": await can_mail(request.app[POOL], looker.caller.account_id),
    }


@operations.operation("GET", "/desk/settings/kept", who=Who.ANYONE, query=(LANG,), media=("text/html",), also=ALSO)
@for_people(but=NOT_ADMINS)
async def get_kept_page(request: web.Request, looker: Looker) -> web.Response:
    """Show which places of drivers are kept, what returns need, and since when the data of people are there."""
    pool, t = request.app[POOL], desk_texts(looker.language)
    now, of = await read_settings(pool, looker.caller.account_id), Fields(t)
    fields = [
        of.make(
            "location_policy", "choice", now.location_policy, choices=of.choices("location", get_args(LocationPolicy))
        ),
        of.make("return_days", "number", now.return_days, least=0, most=365, is_needed=True),
        of.make(
            "return_approval", "choice", now.return_approval, choices=of.choices("approval", get_args(ReturnApproval))
        ),
    ]
    kept = [
        {
            "name": t[f"kept_{name.replace(' ', '_')}"],
            "since": day(looker, (await read_horizon(pool, name)).horizon, t["kept_all"]),
        }
        for name in CLASSES
    ]
    return account_page(request, looker, "kept", fields, kept=kept)
