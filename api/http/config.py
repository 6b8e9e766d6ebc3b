"""Settings of what people and programs ask, and of the HTTP manners that all doors share."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.http.known.devices import KNOWN_DEVICES
from work.outgoing.guard import networks_of

_HTTP = re.compile(r"https?://[^\s?#@]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Field `public_url` is REPARTO_PUBLIC_URL in the environment (reparto/settings/settings.py)."""

    public_url: str = ""  # what recipients reach; empty: the address listened on
    tile_url: str = ""  # template with {z}/{x}/{y} for the maps; empty: the path is drawn on a plain ground
    tile_file: str = ""  # PMTiles with the streets of the desk's maps, from `reparto tiles`; empty: those of tile_url
    tile_attribution: str = ""  # shown on the map, as the tiles' licence asks
    known_devices: int = KNOWN_DEVICES  # phones whose credentials a process remembers; of more it asks again
    trusted_proxies: str = ""  # networks (CIDR, separated by commas) whose X-Forwarded-For is believed; empty: none
    quarantine_bytes_per_minute: int = 131_072  # of one device, over which it gets 429 for what nobody can use
    account_writes_per_minute: int = 120  # of one account: geofences and settings, which keep its trackers waiting
    max_body_bytes: int = 4 * 1024 * 1024  # of one API request
    body_bytes_at_once: int = 64 * 1024 * 1024  # of all bodies on their way in, of one process
    body_wait_s: float = 20.0  # a body must be there within it, and a second more for each 2 KiB of it
    max_import_bytes: int = 8 * 1024 * 1024  # of one file with orders or routes
    max_import_rows: int = 20_000  # of one such file
    max_stops: int = 500  # of one route
    max_path_vertices: int = 50_000  # of one route
    max_events: int = 1_000  # of a driver, in one request
    max_event_batch_bytes: int = 2 * 1024 * 1024  # of one such request, unpacked
    max_event_data_bytes: int = 32 * 1024  # of one event's data; a bigger one is refused, the others are not
    max_event_proofs: int = 40  # that one event names; more, and it is refused
    max_event_parcels: int = 1_000  # that one event names, and likewise barcodes
    max_day_events: int = 5_000  # of one driver that occurred on one day (UTC); more are refused
    max_same_events: int = 100  # of those, of one type about one stop, or about none
    max_note_length: int = 2_000  # characters
    max_wrong_pins: int = 5  # of one stop, after which no PIN counts until it is replaced
    max_page: int = 1_000  # things on one page of a list; pings: ten times as many
    stream_clients: int = 2_000  # open SSE streams of one process
    stream_elsewhere_s: float = 10.0  # who moves out of a map's view is told to it so often

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        if self.public_url and not _HTTP.fullmatch(self.public_url):
            yield "REPARTO_PUBLIC_URL: must look like https://track.example.com; everybody sees it: no password"
        try:
            networks_of(self.trusted_proxies)
        except ValueError:
            yield f"REPARTO_TRUSTED_PROXIES: must be networks like 10.0.0.0/8, not {self.trusted_proxies!r}"
        is_template = all(place in self.tile_url for place in ("{z}", "{x}", "{y}"))
        if self.stream_elsewhere_s < 1:
            yield "REPARTO_STREAM_ELSEWHERE_S: must be 1 or more"
        if self.tile_file and not Path(self.tile_file).is_file():
            yield f"REPARTO_TILE_FILE: there is no file {self.tile_file}; `reparto tiles` makes one"
        if self.tile_url and not (is_template and self.tile_url.startswith(("http://", "https://"))):
            yield "REPARTO_TILE_URL: must look like https://tiles.example.com/{z}/{x}/{y}.png"
