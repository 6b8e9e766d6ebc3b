"""Settings of what people and programs ask, and of the HTTP manners that all doors share."""

from dataclasses import dataclass

ROADS = ("straight", "osrm", "valhalla", "osrm-http")
"""What REPARTO_ROADS can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Field `public_url` is REPARTO_PUBLIC_URL in the environment (reparto/settings.py)."""

    public_url: str = ""  # what recipients reach; empty: the address listened on
    tile_url: str = ""  # template with {z}/{x}/{y} for the maps; empty: the path is drawn on a plain ground
    tile_attribution: str = ""  # shown on the map, as the tiles' licence asks
    max_body_bytes: int = 4 * 1024 * 1024  # of one API request
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
    roads: str = "straight"  # what makes a path for a route that brings none; one of ROADS
    roads_data: str = ""  # the folder that `reparto roads build` fills; empty: roads in REPARTO_DATA_DIR
    osrm_url: str = ""  # of the OSRM server that osrm-http asks
    device_cache_s: float = 2.0  # how long a device's credential is believed without asking again
    stream_clients: int = 2_000  # open SSE streams of one process


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofConfig:
    """Settings of uploads and proofs. Field `blob_url` is REPARTO_BLOB_URL in the environment."""

    blob_url: str = ""  # s3://bucket/prefix, gs://, az:// or file:///folder; empty: blobs in REPARTO_DATA_DIR
    max_upload_bytes: int = 25 * 1024 * 1024  # of one file
    upload_expiry_h: float = 72.0  # an upload to which nothing was added for so long is given up
    driver_open_upload_bytes: int = 1024 * 1024 * 1024  # of a driver's uploads under way, by their full lengths
    driver_day_upload_bytes: int = 5 * 1024 * 1024 * 1024  # of those a driver began in 24 hours
    max_photo_pixels: int = 100_000_000  # a picture of more is refused before it is unpacked
    image_workers: int = 2  # files judged and pictures made at once in one process
    proof_link_s: float = 300.0  # how long a signed link to the bytes of a proof works
    proof_retention_days: float = 730.0
