"""What an account has set for itself."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType, field

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.bodies import read_body, refuse
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from sql.account import accounts
from sql.eta.eta_rules import Approaching, EtaRules, LateAfter
from sql.pool import Db, Pool
from sql.track.effects import tell_live
from sql.track.held import release_held
from sql.track.lanes import lock_lanes

operations = Operations("account")

Language: TypeAlias = Literal["es", "pt", "en"]
Colour: TypeAlias = Annotated[str, Meta(pattern="^#[0-9a-f]{6}$", examples=["#0b7285"])]
Languages: TypeAlias = Annotated[list[Language], Meta(min_length=1, max_length=3)]
StopRadius: TypeAlias = Annotated[float, Meta(ge=10, le=1_000)]
Service: TypeAlias = Annotated[float, Meta(ge=0, le=86_400)]
DriverContact: TypeAlias = Literal["always", "on_route", "never"]
LocationPolicy: TypeAlias = Literal["always", "working", "shift"]


class Colours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the pages that recipients see, as #rrggbb."""

    primary: Colour


class Visibility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When recipients see the van: both must hold."""

    max_stops_before: Annotated[int, Meta(ge=0, le=100)]
    max_minutes: Annotated[int, Meta(ge=1, le=1_440)]


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a delivery can fail: what the driver picks from and the feed tells."""

    code: Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$")]
    text: Annotated[str, Meta(min_length=1, max_length=200)]


Brand: TypeAlias = Annotated[str, Meta(max_length=60)]
Reasons: TypeAlias = Annotated[list[Reason], Meta(min_length=1, max_length=50)]


_USUAL_REASONS = (
    Reason(code="nobody_home", text="No había nadie"),
    Reason(code="wrong_address", text="Dirección incorrecta"),
    Reason(code="refused", text="Rechazado por el destinatario"),
    Reason(code="damaged", text="Paquete dañado"),
    Reason(code="no_access", text="Sin acceso al lugar"),
    Reason(code="other", text="Otro motivo"),
)


class Settings(EtaRules, frozen=True, kw_only=True):
    """What an account can set."""

    brand: Brand = ""
    """Who delivers, as recipients read it on the tracking page; empty: nothing is shown."""
    languages: Languages = field(default_factory=lambda: ["es", "pt", "en"])
    """Of the pages that recipients see; the first one is for those who ask for none of them."""
    colours: Colours = Colours(primary="#0b7285")
    visibility: Visibility = Visibility(max_stops_before=3, max_minutes=60)
    failure_reasons: Reasons = field(default_factory=lambda: list(_USUAL_REASONS))
    stop_radius_m: StopRadius = 60.0
    """Of the circle around a stop that has no geofence of its own."""
    service_s: Service = 120.0
    """How long a driver stays at a stop whose planner did not say."""
    wait_for_window: bool = False
    """A driver who is early waits until the stop's window begins; counts for routes that are put from then on."""
    driver_contact: DriverContact = "on_route"
    """When drivers see a recipient's phone and e-mail: `on_route` is while the route is their current one."""
    location_policy: LocationPolicy = "always"
    """Which places of drivers are kept: all, those recorded at work (a shift or a tour), or only those in a shift."""


class SettingsChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New settings; what is left out stays."""

    brand: Brand | UnsetType = UNSET
    languages: Languages | UnsetType = UNSET
    colours: Colours | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    failure_reasons: Reasons | UnsetType = UNSET
    stop_radius_m: StopRadius | UnsetType = UNSET
    service_s: Service | UnsetType = UNSET
    wait_for_window: bool | UnsetType = UNSET
    approaching: Approaching | UnsetType = UNSET
    late_after_minutes: LateAfter | UnsetType = UNSET
    driver_contact: DriverContact | UnsetType = UNSET
    location_policy: LocationPolicy | UnsetType = UNSET


class Account(Settings, frozen=True, kw_only=True):
    """An account and its settings."""

    name: str
    created_at: datetime


def settings_of(stored: dict[str, Any]) -> Settings:
    """Read an account's settings; what it never set has its default."""
    return msgspec.convert(stored, Settings)


async def read_settings(db: Db | Pool, account_id: int) -> Settings:
    """Read the settings of an account that is known to exist."""
    return settings_of((await accounts.account_by_id(db, account_id)).settings)


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
    async with request.app[POOL].acquire() as db, db.transaction():
        if change.location_policy is not UNSET:  # no tracker may be at it: each of them goes by one policy or the other
            await lock_lanes(db, range((await accounts.read_instance(db)).lanes))
        account = await accounts.change_account_settings(db, account_id, new)
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
    return errors


def _shown(account: accounts.Account) -> Account:
    settings = msgspec.structs.asdict(settings_of(account.settings))
    return Account(name=account.name, created_at=account.created_at, **settings)
