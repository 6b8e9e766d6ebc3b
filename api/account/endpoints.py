"""What an account has set for itself."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.http.shares.rates import ACCOUNT_WRITES
from api.http.trail import note
from sql.account import accounts
from sql.account.settings import (
    AccountSettings,
    AddressForm,
    AdminEmail,
    AlertMails,
    AlertRules,
    Approaching,
    Brand,
    Colours,
    ContactCard,
    DriverContact,
    Languages,
    LateAfter,
    LocationPolicy,
    MailsAnHour,
    ProposalRule,
    Reasons,
    RecipientMayNot,
    RedirectWithin,
    ReturnApproval,
    ReturnDays,
    Service,
    StopRadius,
    TicketDays,
    Visibility,
    WidgetSites,
    settings_of,
)  # fmt: skip
from sql.desk.alert_mails import members_among
from sql.pings.held import release_held
from sql.pool import Db
from sql.track.lanes import lock_account
from sql.track.live import tell_live
from work.messages.rules.contacts import email_of

operations = Operations("account")


class SettingsChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New settings; what is left out stays."""

    brand: Brand | UnsetType = UNSET
    widget_sites: WidgetSites | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    address_form: AddressForm | UnsetType = UNSET
    colours: Colours | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    failure_reasons: Reasons | UnsetType = UNSET
    stop_radius_m: StopRadius | UnsetType = UNSET
    service_s: Service | UnsetType = UNSET
    wait_for_window: bool | UnsetType = UNSET
    approaching: Approaching | UnsetType = UNSET
    late_after_minutes: LateAfter | UnsetType = UNSET
    driver_contact: DriverContact | UnsetType = UNSET
    recipient_may_not: RecipientMayNot | UnsetType = UNSET
    contact: ContactCard | UnsetType | None = UNSET
    ticket_days: TicketDays | UnsetType = UNSET
    return_approval: ReturnApproval | UnsetType = UNSET
    return_days: ReturnDays | UnsetType = UNSET
    redirect_within_m: RedirectWithin | UnsetType = UNSET
    alert_rules: AlertRules | UnsetType = UNSET
    alert_mails: AlertMails | UnsetType = UNSET
    alert_mails_an_hour: MailsAnHour | UnsetType = UNSET
    admin_email: AdminEmail | UnsetType = UNSET
    accept_proposals: ProposalRule | UnsetType | None = UNSET
    location_policy: LocationPolicy | UnsetType = UNSET


class Account(AccountSettings, frozen=True, kw_only=True):
    """An account and its settings."""

    name: str
    created_at: datetime


@operations.operation("GET", "/v1/account", who=Who.VIEWER, answer=Account)
async def get_account(request: web.Request) -> web.Response:
    """Read the account and its settings."""
    account = await accounts.account_by_id(request.app[POOL], caller_of(request).account_id)
    return answer(request, _shown(account))


@operations.operation("PATCH", "/v1/account", who=Who.ADMIN, body=SettingsChange, answer=Account)
async def patch_account(request: web.Request) -> web.Response:
    """Change settings of the account.

    What is left out stays as it is; an object or a list that is given replaces the whole of the one before.
    `location_policy` counts for what phones send from now on; what was held back is judged by the new one.
    """
    change = await read_body(request, SettingsChange)
    refuse(_mistakes(change))
    new: dict[str, Any] = msgspec.to_builtins(change)
    account_id = caller_of(request).account_id
    request.app[ACCOUNT_WRITES].admit(account_id)
    async with request.app[POOL].acquire() as db, db.transaction():
        if change.location_policy is not UNSET:  # no tracker may be at it: each of them goes by one policy or the other
            await lock_account(db, account_id)
        before = (await accounts.account_by_id(db, account_id)).settings
        if change.alert_mails is not UNSET:
            refuse(await _not_members(db, account_id, change.alert_mails))
        account = await accounts.change_account_settings(db, account_id, new)
        await note(request, db, before={name: before.get(name) for name in new}, after=new)
        if change.location_policy is not UNSET:
            await release_held(db, account_id=account_id)
    await tell_live(request.app[POOL], [(account.id, 0, 0)])
    return answer(request, _shown(account))


def _mistakes(change: SettingsChange) -> list[FieldError]:
    errors = []
    if change.languages is not UNSET and len(set(change.languages)) < len(change.languages):
        errors.append(FieldError(at="/languages", why="names a language twice"))
    if change.failure_reasons is not UNSET:
        codes = [reason.code for reason in change.failure_reasons]
        if len(set(codes)) < len(codes):
            errors.append(FieldError(at="/failure_reasons", why="has a code twice"))
    if change.admin_email is not UNSET and change.admin_email and email_of(change.admin_email) is None:
        errors.append(FieldError(at="/admin_email", why="must be an e-mail address"))
    rule = change.accept_proposals
    if isinstance(rule, ProposalRule) and rule.saves_minutes is None and not rule.new_orders:
        errors.append(FieldError(at="/accept_proposals", why="accepts nothing; null means that a dispatcher decides"))
    return [*errors, *_mistakes_of_mails(change.alert_mails or []), *_mistakes_of_contact(change.contact or None)]


def _mistakes_of_mails(rules: AlertMails) -> Iterator[FieldError]:
    for row, rule in enumerate(rules):
        if not rule.users and not rule.emails:
            yield FieldError(at=f"/alert_mails/{row}/users", why="tells nobody: name users or e-mail addresses")
        for place, email in enumerate(rule.emails):
            if email_of(email) is None:
                yield FieldError(at=f"/alert_mails/{row}/emails/{place}", why="must be an e-mail address")


async def _not_members(db: Db, account_id: int, rules: AlertMails) -> list[FieldError]:
    """Name the users of rules that may not be told: members are told, but for those who drive."""
    named = {user: int(user.removeprefix("us_")) for rule in rules for user in rule.users}
    may = await members_among(db, account_id, named.values())
    return [
        FieldError(at=f"/alert_mails/{row}/users/{place}", why="must be a user of the account who is no driver")
        for row, rule in enumerate(rules)
        for place, user in enumerate(rule.users)
        if named[user] not in may
    ]


def _mistakes_of_contact(card: ContactCard | None) -> Iterator[FieldError]:
    if card is None:
        return
    if card.timezone not in available_timezones():
        yield FieldError(at="/contact/timezone", why="must be a time zone, like America/Bogota")
    if card.email is not None and email_of(card.email) is None:
        yield FieldError(at="/contact/email", why="must be an e-mail address")
    if not (card.phone or card.whatsapp or card.email):
        yield FieldError(at="/contact", why="has no phone, no whatsapp and no email")
    for row, hours in enumerate(card.hours):
        if hours.close <= hours.open:
            yield FieldError(
                at=f"/contact/hours/{row}/close", why="is not after open; past midnight is a row of the next day"
            )


def _shown(account: accounts.AccountRow) -> Account:
    settings = msgspec.structs.asdict(settings_of(account.settings))
    return Account(name=account.name, created_at=account.created_at, **settings)
