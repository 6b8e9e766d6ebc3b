"""What comes of each fix: one row of columns, filled as the fold goes on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints, Rows
from geo.plan.facts import JUDGED
from geo.plan.numbers import MOST_OFFSET_M
from geo.plan.plans import Plan
from geo.shape import plane
from geo.snap.snap import Snapped
from geo.trust.fixes import Fixes, Here

RESULT = np.dtype(
    [
        ("lon0", "<f8"),  # origin of the plane that the next two are on
        ("lat0", "<f8"),
        ("x_m", "<f8"),  # the fix; NaN, as all below: on no plan
        ("y_m", "<f8"),
        ("on_route", "?"),
        ("route_id", "<i8"),  # 0: none
        ("route_version", "<i4"),
        ("along_m", "<f8"),  # this and the next three as in `geo.snap.snap.Snapped`
        ("offset_m", "<f8"),
        ("along_sd_m", "<f8"),
        ("on_route_p", "<f8"),
        ("path_x_m", "<f8"),  # the place on the path
        ("path_y_m", "<f8"),
    ]
)


class Results:
    """What comes of the fixes of a call.

    Attributes:
        rows: (f,) of dtype `RESULT`.
    """

    def __init__(self, fixes: Fixes) -> None:
        self.fixes = fixes
        self.rows = np.zeros(len(fixes.rows), RESULT)
        for name in ("x_m", "y_m", "along_m", "offset_m", "along_sd_m", "on_route_p", "path_x_m", "path_y_m"):
            self.rows[name] = np.nan

    def project(self, fixes: Ints, past: Ints, plans: Sequence[Plan]) -> None:
        """Put fixes on the planes of plans.

        Args:
            fixes, past: (p,) from which row to one past which.
            plans: (p) on whose plane.
        """
        count = past - fixes
        rest = np.repeat(fixes - (np.cumsum(count) - count), count) + np.arange(count.sum())
        lon0, lat0 = np.repeat([plan.lon0 for plan in plans], count), np.repeat([plan.lat0 for plan in plans], count)
        rows, given = self.rows, self.fixes.rows
        rows["lon0"][rest], rows["lat0"][rest] = lon0, lat0
        rows["x_m"][rest], rows["y_m"][rest] = plane.project(
            given["lon_e6"][rest] * 1e-6, given["lat_e6"][rest] * 1e-6, lon0, lat0
        )

    def here(self, fixes: Ints, plans: Sequence[Plan]) -> Here:
        """Give one fix each of some drivers who are on plans."""
        given = self.fixes.rows[fixes]
        return Here(
            plans=plans,
            ms=given["recorded_ms"].astype(np.int64),
            x_m=self.rows["x_m"][fixes],
            y_m=self.rows["y_m"][fixes],
            accuracy_m=given["accuracy_m"].astype(np.float64),
            speed_mps=given["speed_mps"].astype(np.float64),
            heading_deg=given["heading_deg"].astype(np.float64),
        )

    def snapped(self, fixes: Ints, snapped: Snapped) -> None:
        """Note where fixes are on their paths."""
        for name in ("on_route", "offset_m", "along_sd_m", "on_route_p", "along_m"):
            self.rows[name][fixes] = getattr(snapped, name)
        self.rows["path_x_m"][fixes], self.rows["path_y_m"][fixes] = snapped.x_m, snapped.y_m

    def judged(self) -> Rows:
        """Give what came of every fix, of dtype `JUDGED`."""
        rows = self.rows
        judged = np.zeros(len(rows), JUDGED)
        judged["flags"], judged["believed"] = self.fixes.flags, True
        for name in ("on_route", "route_id", "route_version", "along_m"):
            judged[name] = rows[name]
        judged["offset_m"] = np.rint(np.clip(rows["offset_m"], -MOST_OFFSET_M, MOST_OFFSET_M) * 10) / 10
        on = np.flatnonzero(rows["on_route"])
        lon, lat = plane.unproject(*(rows[name][on] for name in ("path_x_m", "path_y_m", "lon0", "lat0")))
        judged["snapped_lon_e6"][on], judged["snapped_lat_e6"][on] = e6(lon), e6(lat)
        return judged


def e6(degrees: Floats) -> NDArray[np.int32]:
    """Give degrees times a million, rounded."""
    return np.rint(degrees * 1e6).astype(np.int32)
