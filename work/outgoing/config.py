"""Settings of what leaves the installation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from work.outgoing.guard import networks_of
from work.outgoing.sealed import keys_in


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingConfig:
    """Field `outgoing_allow` is REPARTO_OUTGOING_ALLOW in the environment."""

    outgoing_allow: str = ""  # networks (CIDR, separated by commas) that may be reached though they are private
    secrets_key: str = field(repr=False, default="")  # base64 of 32 bytes; several: the first seals; empty: a file
    message_retention_days: float = 365.0
    demo_messages: bool = False  # /dev/messages shows what the channel `log` took, to browsers on this machine
    delivery_retention_days: float = 30.0  # of the log of webhooks
    alert_urls: str = field(repr=False, default="")  # apprise's addresses of services, separated by spaces

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        try:
            networks_of(self.outgoing_allow)
        except ValueError:
            yield f"REPARTO_OUTGOING_ALLOW: must be networks like 10.0.0.0/8, not {self.outgoing_allow!r}"
        try:
            keys_in(self.secrets_key)
        except ValueError as error:
            yield f"REPARTO_SECRETS_KEY: {error}"
        if self.alert_urls:
            yield from _wrong_services(self.alert_urls.split())


def _wrong_services(urls: Sequence[str]) -> Iterator[str]:
    try:
        import apprise  # an extra: only who alerts needs it
    except ImportError:
        yield "REPARTO_ALERT_URLS: needs apprise: pip install 'reparto[alerts]'"
        return
    for number, url in enumerate(urls, 1):
        if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
            yield f"REPARTO_ALERT_URLS: apprise does not know the {number}. address"  # it may hold a password
