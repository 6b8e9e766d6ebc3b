"""Every class of data, its tables and how long it is kept: the one list, told in docs/reference/retention.md.

A new table gets a row here or in `WITHOUT_PEOPLE` (a test counts them), and what erases a person from it a line in
`sql/operate/erasure.sql`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import TypeAlias

from sql.operate import ages
from sql.operate.ages import AgeOf

Keep: TypeAlias = Mapping[str, float]
"""The settings that say how long, by their names in `Settings`; days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataClass:
    """Data that go together.

    Attributes:
        tables: that hold them; of some only certain columns, as the docs say.
        settings: how many days; the greatest counts, because the class needs what the others tell.
        age: asks what is too old.
        by_day: whole UTC days go, as pings do.
    """

    name: str
    tables: tuple[str, ...]
    settings: tuple[str, ...]
    age: AgeOf
    by_day: bool = False

    def horizon(self, keep: Keep, now: datetime) -> datetime:
        """Tell what is older than which time has to go."""
        days = max(keep[name] for name in self.settings)
        if self.by_day:
            return datetime.combine(now.date() - timedelta(days=ceil(days)), time(), UTC)
        return now - timedelta(days=days)


_PINGS, _SAID, _PROOFS = "ping_retention_days", "driver_event_retention_days", "proof_retention_days"
_HISTORY, _PEOPLE, _ETAS = "history_retention_days", "people_retention_days", "eta_retention_days"

PINGS = DataClass(
    name="pings", tables=("packed_ping", "detour"), settings=(_PINGS,), age=ages.age_of_pings, by_day=True
)
TRACKS = DataClass(
    name="tracks", tables=("track", "checkpoint", "rerun"), settings=(_PINGS,), age=ages.age_of_tracks, by_day=True
)
LIVE = DataClass(name="live", tables=("live", "heartbeat"), settings=(_PINGS,), age=ages.age_of_live, by_day=True)
PLACES = DataClass(
    name="places in the feed", tables=("event",), settings=(_PINGS,), age=ages.age_of_places, by_day=True
)
FEED = DataClass(name="feed", tables=("event",), settings=(_HISTORY, _SAID), age=ages.age_of_feed)
VISITS = DataClass(name="visits", tables=("visit",), settings=(_HISTORY, _SAID), age=ages.age_of_visits)
SAID = DataClass(name="driver events", tables=("driver_event",), settings=(_SAID,), age=ages.age_of_driver_events)
PROOFS = DataClass(name="proofs", tables=("proof",), settings=(_PROOFS,), age=ages.age_of_proofs)
PHOTOS = DataClass(
    name="photos of recipients", tables=("recipient_photo",), settings=(_PROOFS,), age=ages.age_of_photos
)
RECIPIENTS = DataClass(
    name="recipients",
    tables=(
        *("stop", "parcel", "recipient_wish", "recipient_change", "rating"),
        *("ticket_entry", "return_request", "push_subscription", "route_note"),
    ),
    settings=(_PEOPLE,),
    age=ages.age_of_recipients,
)
DRIVERS = DataClass(name="drivers", tables=("driver", "device"), settings=(_PEOPLE,), age=ages.age_of_drivers)
ROUTES = DataClass(
    name="routes",
    tables=(
        *("route", "route_version", "stop", "parcel", "moved_link", "message", "notice", "delivery_order", "rating"),
        *("ticket", "return_request", "step_up", "slot_place", "route_note"),
    ),
    settings=(_HISTORY, _SAID, _PROOFS),
    age=ages.age_of_routes,
)
GEOFENCES = DataClass(
    name="geofences", tables=("geofence", "geofence_version"), settings=(_HISTORY, _SAID), age=ages.age_of_geofences
)
MANIFESTS = DataClass(
    name="manifests", tables=("manifest", "manifest_part"), settings=(_HISTORY,), age=ages.age_of_manifests
)
ETAS = DataClass(
    name="ETAs",
    tables=("eta_told", "eta_learned", "eta_drive", "eta_service", "route_eta"),
    settings=(_ETAS,),
    age=ages.age_of_etas,
)
QUARANTINE = DataClass(
    name="quarantine", tables=("quarantine",), settings=("quarantine_retention_days",), age=ages.age_of_quarantine
)

MESSAGES = DataClass(
    name="messages", tables=("message",), settings=("message_retention_days",), age=ages.age_of_messages
)
DELIVERIES = DataClass(
    name="deliveries",
    tables=("webhook_delivery", "webhook_span"),
    settings=("delivery_retention_days",),
    age=ages.age_of_deliveries,
)
ORDERS = DataClass(name="orders", tables=("delivery_order",), settings=(_PEOPLE,), age=ages.age_of_orders, by_day=True)
ADDRESSES = DataClass(name="addresses", tables=("address_seen",), settings=(_PEOPLE,), age=ages.age_of_addresses)
PLANS = DataClass(
    name="plans", tables=("plan", "plan_resource"), settings=(_PEOPLE,), age=ages.age_of_plans, by_day=True
)
AUDIT = DataClass(name="audit log", tables=("audit_entry",), settings=("audit_retention_days",), age=ages.age_of_audit)

CLASSES = (
    *(PINGS, TRACKS, LIVE, PLACES, FEED, VISITS, SAID, PROOFS, RECIPIENTS, DRIVERS, ROUTES, GEOFENCES, MANIFESTS, ETAS),
    *(QUARANTINE, MESSAGES, DELIVERIES, ORDERS, ADDRESSES, PLANS, PHOTOS, AUDIT),
)

SOON_GONE = (
    *("held", "inbox", "upload", "upload_part", "lane_attempt", "change", "recipient_limit", "geocode_answer"),
    *("desk_session", "sign_in_step", "desk_link", "desk_alert", "desk_alert_mail", "import", "import_row"),
)
"""Tables with data of people for hours or days, a month at most, by the clock of the database; each has its own end."""

UNTIL_ERASED = ("consent", "person", "person_totp", "recovery_code", "passkey", "member", "oidc_identity", "desk_push")
"""Tables that keep what a person said until they take it back or are erased: who wants no messages gets none. And who
signs in, until they are taken out of their last account."""

WITHOUT_PEOPLE = (
    *("instance", "account", "api_key", "stop_transition", "eta_window"),
    *("message_channel", "message_kind", "message_spent", "webhook", "alert", "slot", "pickup_point"),
    *("geocoder", "geocoder_turn", "oidc_provider", "import_mapping"),
    *("retention", "erasure", "migration"),
)
"""Tables that tell of no driver and no recipient."""
