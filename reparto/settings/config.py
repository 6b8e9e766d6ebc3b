"""Settings of a process."""

from collections.abc import Iterator
from dataclasses import dataclass

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Field `listen` is REPARTO_LISTEN in the environment (reparto/settings/settings.py)."""

    listen: str = "127.0.0.1:8080"  # host:port of everything HTTP
    osmand_listen: str = ""  # host:port of a second door, for phones that know only these; empty: none
    mqtt_listen: str = ""  # host:port of the door by MQTT; empty: `up` has none, `mqtt` has 127.0.0.1:1883
    health_listen: str = ""  # host:port where `track` and `work` serve /health and /metrics; empty: nowhere
    mcp_listen: str = "127.0.0.1:8090"  # host:port of `reparto mcp`, the door for assistants
    mcp_api_url: str = ""  # where `reparto mcp` asks; empty: at `listen`
    data_dir: str = ".reparto"  # the embedded Postgres, the first admin key, and proofs without a blob_url
    log_level: str = "INFO"

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        for name in ("listen", "osmand_listen", "mqtt_listen", "health_listen", "mcp_listen"):
            if (text := getattr(self, name)) and not _is_address(text):
                yield f"REPARTO_{name.upper()}: must be host:port, not {text!r}"
        if self.osmand_listen and self.osmand_listen == self.listen and not self.listen.endswith(":0"):
            yield "REPARTO_OSMAND_LISTEN: must be another address than REPARTO_LISTEN"
        if self.mcp_api_url and not self.mcp_api_url.startswith(("http://", "https://")):
            yield f"REPARTO_MCP_API_URL: must be an address like http://127.0.0.1:8080, not {self.mcp_api_url!r}"
        if self.log_level not in LOG_LEVELS:
            yield f"REPARTO_LOG_LEVEL: must be one of {', '.join(LOG_LEVELS)}"


def address_of(listen: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 <= int(port) <= 65535
