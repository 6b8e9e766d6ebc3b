"""The shape of what people read: a text that is missing, or that nobody uses, is found when the server starts."""

from msgspec import Struct


class VariantTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What differs between what is brought and what is fetched; by status, how it ended."""

    title: str
    completed: str
    partially_completed: str
    failed: str
    skipped: str
    recipient: str

    def verdict(self, ended: str) -> str | None:
        """Say how a stop ended; None: it did not yet."""
        return {
            "completed": self.completed,
            "partially_completed": self.partially_completed,
            "failed": self.failed,
            "skipped": self.skipped,
        }.get(ended)


class KindTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kinds of proof."""

    photo: str
    signature: str
    document: str

    def of(self, kind: str) -> str:
        """Name one of `api.proofs.said.KINDS`."""
        return {"photo": self.photo, "signature": self.signature, "document": self.document}[kind]


class ParcelTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a parcel that was not handed over."""

    refused: str
    damaged: str
    missing: str
    returned: str

    def of(self, outcome: str) -> str:
        """Name an outcome; empty for that of a parcel that was handed over."""
        return {
            "refused": self.refused,
            "damaged": self.damaged,
            "missing": self.missing,
            "returned": self.returned,
        }.get(outcome, "")


class PlaceTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who says where it was."""

    app: str
    event: str
    photo: str
    ping: str

    def of(self, source: str) -> str:
        """Name a source of a place."""
        return {"app": self.app, "event": self.event, "photo": self.photo, "ping": self.ping}[source]


class MethodTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How was paid."""

    cash: str
    card: str
    transfer: str

    def of(self, method: str) -> str:
        """Name a method; one that nobody knows is its own name."""
        return {"cash": self.cash, "card": self.card, "transfer": self.transfer}.get(method, method)


class MapTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of the small map."""

    about: str
    stop: str
    place: str


class CertificateTexts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts of a certificate of delivery in one language; `when` and `clock` are patterns of strftime."""

    delivery: VariantTexts
    pickup: VariantTexts
    open: str
    when: str
    clock: str
    decimal: str
    what: str
    order: str
    addressee: str
    address: str
    parcels: str
    cash: str
    cash_of: str
    when_label: str
    outcome_at: str
    arrived_at: str
    departed_at: str
    where: str
    distance: str
    accuracy: str
    no_place: str
    who: str
    driver: str
    reason: str
    note: str
    photos: str
    more: str
    none: str
    hashes: str
    issued: str
    reference: str
    page: str
    cut: str
    missing: str
    kind: KindTexts
    parcel: ParcelTexts
    place: PlaceTexts
    method: MethodTexts
    map: MapTexts
