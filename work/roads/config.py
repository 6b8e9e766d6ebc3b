"""Settings of roads."""

from dataclasses import dataclass

KINDS = ("straight", "osrm", "valhalla", "osrm-http")
"""What REPARTO_ROADS can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsConfig:
    """Field `osrm_url` is REPARTO_OSRM_URL in the environment (reparto/run/settings.py)."""

    roads: str = "straight"  # what makes a path for a route that brings none; one of KINDS
    roads_data: str = ""  # the folder that `reparto roads build` fills; empty: roads in REPARTO_DATA_DIR
    osrm_url: str = ""  # of the OSRM server that osrm-http asks
