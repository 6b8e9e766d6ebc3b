"""Settings of roads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HTTP = re.compile(r"https?://[^\s?#]+")

KINDS = ("straight", "osrm", "valhalla", "osrm-http")
"""What REPARTO_ROADS can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadsConfig:
    """Field `osrm_url` is REPARTO_OSRM_URL in the environment (reparto/settings/settings.py)."""

    roads: str = "straight"  # what makes a path for a route that brings none; one of KINDS
    roads_data: str = ""  # the folder that `reparto roads build` fills; empty: roads in REPARTO_DATA_DIR
    osrm_url: str = ""  # of the OSRM server that osrm-http asks

    def contradictions(self) -> Iterator[str]:
        """Say what cannot be meant."""
        if self.roads not in KINDS:
            yield f"REPARTO_ROADS: must be one of {', '.join(KINDS)}, not {self.roads!r}"
        elif self.roads != "osrm-http":
            if self.osrm_url:
                yield "REPARTO_OSRM_URL: is asked only with REPARTO_ROADS=osrm-http"
        elif not _HTTP.fullmatch(self.osrm_url):
            like = "must look like http://osrm:5000 for REPARTO_ROADS=osrm-http"
            yield f"REPARTO_OSRM_URL: {like}, not {self.osrm_url!r}"
