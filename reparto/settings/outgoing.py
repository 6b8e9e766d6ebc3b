"""What the settings say of what leaves the installation."""

from pathlib import Path

from reparto.command import CannotRun
from reparto.settings.settings import Settings
from work.outgoing.guard import Guard, networks_of
from work.outgoing.sealed import Sealer, open_sealer


def guard_of(settings: Settings) -> Guard:
    """Say which addresses may be reached."""
    return Guard(networks_of(settings.outgoing.outgoing_allow))


def sealer_of(settings: Settings) -> Sealer:
    """Open the keys that secrets are sealed with.

    Raises:
        CannotRun: they cannot be read.
    """
    try:
        return open_sealer(settings.outgoing.secrets_key, Path(settings.server.data_dir))
    except (OSError, ValueError) as error:
        raise CannotRun(
            f"The key for secrets in {settings.server.data_dir} cannot be used ({error}): set REPARTO_SECRETS_KEY."
        ) from error


def public_url_of(settings: Settings) -> str:
    """Say where recipients reach this installation: as set, else where it listens."""
    return settings.api.public_url.rstrip("/") or f"http://{settings.server.listen}"
