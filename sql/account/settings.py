"""What an account can set for itself: its types, limits and defaults, and the one way to read what is stored."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from sql.account import accounts
from sql.pool import Db, Pool

Language: TypeAlias = Literal["es", "pt", "en"]
Colour: TypeAlias = Annotated[str, Meta(pattern=r"^#[0-9a-f]{6}$(?!\n)", examples=["#0b7285"])]
Languages: TypeAlias = Annotated[list[Language], Meta(min_length=1, max_length=3)]
StopRadius: TypeAlias = Annotated[float, Meta(ge=10, le=1_000)]
Service: TypeAlias = Annotated[float, Meta(ge=0, le=86_400)]
DriverContact: TypeAlias = Literal["always", "on_route", "never"]
AddressForm: TypeAlias = Literal["tu", "usted", "vos"]
LocationPolicy: TypeAlias = Literal["always", "working", "shift"]


class Colours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the pages that recipients see, as #rrggbb."""

    primary: Colour


SeenElement: TypeAlias = Literal["position", "path", "driver", "stops_before", "photos"]
"""What of a tour a recipient may see: the van, its way to them, the driver's first name, how many stops are before
theirs, photos of the delivery."""


class Visibility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When recipients see the van: all must hold. `never`: what they do not see at all."""

    max_stops_before: Annotated[int, Meta(ge=0, le=100)]
    max_minutes: Annotated[int, Meta(ge=1, le=1_440)]
    max_m: Annotated[int, Meta(ge=100, le=1_000_000)] | None = None
    """Along the path from the van to the stop; None: however far."""
    never: Annotated[list[SeenElement], Meta(max_length=5)] = []


class Reason(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a delivery can fail: what the driver picks from and the feed tells."""

    code: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,40}$(?!\n)")]
    text: Annotated[str, Meta(min_length=1, max_length=200)]


Site: TypeAlias = Annotated[
    str, Meta(pattern=r"^https?://[a-z0-9.-]{1,200}(:[0-9]{1,5})?$(?!\n)", examples=["https://tienda.example"])
]
"""Scheme, host and port, as browsers write them: nothing after them."""
WidgetSites: TypeAlias = Annotated[list[Site], Meta(max_length=20)]

Brand: TypeAlias = Annotated[str, Meta(max_length=60)]
Reasons: TypeAlias = Annotated[list[Reason], Meta(min_length=1, max_length=50)]

AdminEmail: TypeAlias = Annotated[str, Meta(max_length=254)]
LateAfter: TypeAlias = Annotated[float, Meta(ge=0, le=240)]


class Approaching(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a stop is told that the van is near: as soon as one of these holds; null: that one never does.

    `minutes`: expected within so many. `stops`: at most so many are before it.
    """

    # A quarter of an hour is enough to come home from around the corner, and short enough to wait at the door. How many
    # stops are left says nothing of time: two are five minutes in a city and an hour in the country.
    minutes: Annotated[int, Meta(ge=1, le=240)] | None = 15
    stops: Annotated[int, Meta(ge=0, le=100)] | None = None


RecipientChange: TypeAlias = Literal[
    "instructions",
    "safe-place",
    "neighbour",
    "pin-drop",
    "slot",
    "pickup-point",
    "address",
    "contact",
    "away",
    "problem",
    "return",
    "rating",
]
"""What a recipient may do by their tracking link."""
RedirectWithin: TypeAlias = Annotated[float, Meta(ge=0, le=50_000)]
RecipientMayNot: TypeAlias = Annotated[list[RecipientChange], Meta(max_length=12)]


TicketKind: TypeAlias = Literal["not_received", "damaged", "missing", "wrong_place", "courier", "charge"]
"""What a recipient may report."""
WorkingDays: TypeAlias = Annotated[int, Meta(ge=0, le=30)]
TicketDays: TypeAlias = dict[TicketKind, WorkingDays]

USUAL_TICKET_DAYS: TicketDays = {
    "not_received": 1,
    "damaged": 2,
    "missing": 2,
    "wrong_place": 1,
    "courier": 5,
    "charge": 3,
}
"""Working days until a report is answered: the sooner, the longer a parcel that can still be found lies somewhere."""

ReturnApproval: TypeAlias = Literal["person", "automatic"]
ReturnDays: TypeAlias = Annotated[int, Meta(ge=0, le=365)]

AlertType: TypeAlias = Literal[
    "driver.sos",
    "eta.late",
    "driver.silent",
    "route.off_route",
    "stop.failed",
    "stop.code_locked",
    "ticket.overdue",
    "webhook.disabled",
    "driver.alarm",
    "stop.left_open",
    "stop.rescheduled",
    "stop.redirected",
    "message.failed",
    "ticket.due_soon",
]
"""What opens an alert at the desk."""
AlertSeverity: TypeAlias = Literal["off", "low", "high", "critical"]


class AlertRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the desk takes events of a type.

    Attributes:
        severity: off: they open no alert; null: as usual.
        wait_minutes: an alert is out of sight until it has lasted so long; what is over by then nobody sees.
    """

    severity: AlertSeverity | None = None
    wait_minutes: Annotated[int, Meta(ge=0, le=1_440)] = 0


AlertRules: TypeAlias = dict[AlertType, AlertRule]

LeastSeverity: TypeAlias = Literal["low", "high", "critical"]
UserId: TypeAlias = Annotated[str, Meta(pattern=r"^us_[1-9][0-9]{0,17}$(?!\n)", examples=["us_7"])]
AlertAddress: TypeAlias = Annotated[str, Meta(min_length=3, max_length=254)]


class AlertMail(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told of which alerts by mail.

    Attributes:
        types: of events; empty: all that open alerts.
        severity: of the alert, at least.
        users: ids of members; those who drive are told nothing.
        emails: addresses of others.
    """

    types: Annotated[list[AlertType], Meta(max_length=14)] = []
    severity: LeastSeverity = "high"
    users: Annotated[list[UserId], Meta(max_length=50)] = []
    emails: Annotated[list[AlertAddress], Meta(max_length=20)] = []


AlertMails: TypeAlias = Annotated[list[AlertMail], Meta(max_length=20)]
MailsAnHour: TypeAlias = Annotated[int, Meta(ge=1, le=60)]

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Number: TypeAlias = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)", examples=["+5716012345"])]
"""E.164: what every phone can call."""


class OpenHours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When somebody answers on these days: `from` `open` until `close`, by the card's time zone; 24:00 is midnight."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    open: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$(?!\n)", examples=["08:00"])]
    close: Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\n)", examples=["18:00"])]


class ContactCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How recipients reach the company, and when somebody is there; without `hours` nothing is said of that."""

    timezone: Annotated[str, Meta(examples=["America/Bogota"])]
    phone: Number | None = None
    whatsapp: Number | None = None
    email: Annotated[str, Meta(min_length=3, max_length=254)] | None = None
    hours: Annotated[list[OpenHours], Meta(max_length=14)] = []
    closed_on_holidays: bool = True
    """Of the country that the time zone lies in."""


class ProposalRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which proposals of a day that goes on are accepted without a person, as soon as one of these holds.

    Never one that breaks a promised window, or by which nobody comes to an order.
    """

    saves_minutes: Annotated[int, Meta(ge=1, le=1_440)] | None = None
    """Of all vans together, at least so many; null: however much it saves, that is no reason."""
    new_orders: bool = False
    """It brings in new orders, and nobody else comes by another van."""


class EtaRules(Struct, frozen=True, kw_only=True):
    """The part that trackers look at: when somebody must hear of an ETA."""

    approaching: Approaching = Approaching()
    late_after_minutes: LateAfter = 5.0
    """A stop is late when it is expected so long after the end of its window."""


_USUAL_REASONS = (
    Reason(code="nobody_home", text="No había nadie"),
    Reason(code="wrong_address", text="Dirección incorrecta"),
    Reason(code="refused", text="Rechazado por el destinatario"),
    Reason(code="damaged", text="Paquete dañado"),
    Reason(code="no_access", text="Sin acceso al lugar"),
    Reason(code="other", text="Otro motivo"),
)


class AccountSettings(EtaRules, frozen=True, kw_only=True):
    """What an account can set."""

    brand: Brand = ""
    """Who delivers, as recipients read it on the tracking page; empty: nothing is shown."""
    logo: str = ""
    """Which picture is shown instead of `brand`, as `/logo/…` names it; empty: none."""
    widget_sites: WidgetSites = field(default_factory=list)
    """Whose pages may show a recipient's page in small; empty: nobody's."""
    languages: Languages = field(default_factory=lambda: ["es", "pt", "en"])
    """Of the pages that recipients see; the first one is for those who ask for none of them."""
    address_form: AddressForm = "tu"
    """How messages in Spanish address their reader; `tu` becomes vos in Argentina, Uruguay and Paraguay."""
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
    recipient_may_not: RecipientMayNot = field(default_factory=list)
    """What recipients are not offered on their tracking page; they may do all the rest."""
    contact: ContactCard | None = None
    """How recipients reach the company; null: they are told of no way."""
    ticket_days: TicketDays = field(default_factory=dict)
    """Working days until a report of a kind is answered; kinds that are left out have their usual ones."""
    return_approval: ReturnApproval = "person"
    """Who approves a return: a person, or every one that is asked for in time is approved at once."""
    return_days: ReturnDays = 14
    """How long after its delivery a return may be asked for; 0: never."""
    redirect_within_m: RedirectWithin = 2_000.0
    """Another address that a recipient gives is taken so far from the planned one; farther ones are proposals."""
    alert_rules: AlertRules = field(default_factory=dict)
    """How the desk takes what opens alerts; types that are left out are taken as usual."""
    alert_mails: AlertMails = field(default_factory=list)
    """Who is told of alerts by mail; empty: nobody."""
    alert_mails_an_hour: MailsAnHour = 6
    """So many mails of alerts somebody gets within an hour; what is more comes together in one."""
    admin_email: AdminEmail = ""
    """Who hears when something is wrong, as long as e-mail is switched on; empty: nobody."""
    accept_proposals: ProposalRule | None = None
    """Which proposals of a day that goes on count by themselves; null: a dispatcher decides about each of them."""
    location_policy: LocationPolicy = "always"
    """Which places of drivers are kept: all, those recorded at work (a shift or a tour), or only those in a shift."""


def settings_of(stored: dict[str, Any]) -> AccountSettings:
    """Read an account's settings; what it never set has its default."""
    return msgspec.convert(stored, AccountSettings)


async def read_settings(db: Db | Pool, account_id: int) -> AccountSettings:
    """Read the settings of an account that is known to exist."""
    return settings_of((await accounts.account_by_id(db, account_id)).settings)
