"""What an account sets of each channel. Fields that hold secrets are named in `SECRETS` and kept sealed."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from work.messages.rules.kinds import Country, Kind, Language

Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=300)]
Secret: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4_000)]
Template: TypeAlias = Annotated[str, Meta(max_length=10_000)]
Price: TypeAlias = Annotated[float, Meta(ge=0, le=1_000)]
Limit: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Rate: TypeAlias = Annotated[float, Meta(gt=0, le=10_000)]
AtOnce: TypeAlias = Annotated[int, Meta(ge=1, le=100)]


class Common(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every channel has. Null: no limit.

    `per_second` holds for each worker. `opt_in` required: only who agreed is written to.
    """

    enabled: bool = True
    per_second: Rate | None = None
    at_once: AtOnce = 32
    opt_in: Literal["assumed", "required"] = "assumed"
    most_parts_a_day: Limit | None = None
    most_parts_a_month: Limit | None = None
    most_money_a_day: Price | None = None
    most_money_a_month: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    most_a_day_each: Annotated[int, Meta(ge=1, le=100)] = 12


class Email(Common, frozen=True, kw_only=True):
    """An SMTP server. `return_path` bounce@example.com comes back as bounce+….@example.com."""

    host: Line
    port: Annotated[int, Meta(ge=1, le=65_535)]
    from_: Line = field(name="from")
    tls: Literal["none", "starttls", "tls"] = "starttls"
    user: Line | None = None
    password: Secret | None = None
    return_path: Line | None = None
    reply_to: Line | None = None


class Receipts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a callback of a gateway says which message it is about and what became of it; `states` by its own words."""

    id_path: Line = "id"
    state_path: Line = "state"
    states: Annotated[dict[str, Literal["sent", "delivered", "read", "failed"]], Meta(max_length=100)] = field(
        default_factory=dict
    )


class Sms(Common, frozen=True, kw_only=True):
    """A gateway: one of those that are described here, or your own by URL, body and paths.

    `key` and `secret` are the gateway's words for user and password. `countries`: others are not written to.
    `unaccented`: accents that make a message dearer are left out.
    """

    gateway: Literal["twilio", "infobip", "vonage", "sns", "labsmobile", "zenvia", "custom"]
    from_: Line | None = field(default=None, name="from")
    url: Line | None = None
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: Annotated[dict[str, str], Meta(max_length=30)] = field(default_factory=dict)
    body: Template | None = None
    id_path: Line | None = None
    receipts: Receipts | None = None
    key: Secret | None = None
    secret: Secret | None = None
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{2,30}$(?!\n)")] | None = None
    countries: Annotated[list[Country], Meta(max_length=250)] = field(default_factory=list)
    price_per_part: Price | None = None
    unaccented: bool = True
    opt_out: Literal["none", "link", "word"] = "none"


class WhatsAppTemplate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template that Meta approved; `parameters` are the variables of its body, in order."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9_]{1,512}$(?!\n)")]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$(?!\n)")]
    parameters: Annotated[list[str], Meta(max_length=20)] = field(default_factory=list)


class WhatsApp(Common, frozen=True, kw_only=True):
    """A number of the WhatsApp Cloud API. `templates_by_language` goes before `templates`."""

    phone_number_id: Annotated[str, Meta(pattern=r"^[0-9]{1,30}$(?!\n)")]
    token: Secret | None = None
    app_secret: Secret | None = None
    url: Line = "https://graph.facebook.com/v23.0"
    templates: dict[Kind, WhatsAppTemplate] = field(default_factory=dict)
    templates_by_language: dict[Language, dict[Kind, WhatsAppTemplate]] = field(default_factory=dict)
    countries: Annotated[list[Country], Meta(max_length=250)] = field(default_factory=list)
    price_per_part: Price | None = None


class Push(Common, frozen=True, kw_only=True):
    """Web Push from the tracking page. `contact`: whom push services ask when something is wrong: mailto:… or https://…

    The key is made when the channel is set first; another one ends all that browsers agreed to.
    """

    contact: Annotated[
        str, Meta(max_length=300, pattern=r"^(mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+)$(?!\n)")
    ]
    key: Secret | None = None


class Log(Common, frozen=True, kw_only=True):
    """Nothing leaves: what would be sent is kept and listed."""


SETTINGS: dict[str, type[Common]] = {"email": Email, "sms": Sms, "whatsapp": WhatsApp, "push": Push, "log": Log}
SECRETS: dict[str, tuple[str, ...]] = {
    "email": ("password",),
    "sms": ("key", "secret", "headers"),
    "whatsapp": ("token", "app_secret"),
    "push": ("key",),
    "log": (),
}
"""Fields that are kept sealed and never shown."""


def split(channel: str, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part what is shown from what is sealed."""
    hidden = {name: settings[name] for name in SECRETS[channel] if settings.get(name)}
    return {name: value for name, value in settings.items() if name not in SECRETS[channel]}, hidden
