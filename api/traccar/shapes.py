"""What Traccar's clients parse, field by field: names, types and nulls are those of its own API.

Its numbers know no "unknown": 0 stands for it in speed, course, altitude and accuracy, as in Traccar itself.
"""

from typing import Any

from msgspec import Struct, field


class TraccarServer(Struct, frozen=True, kw_only=True, rename="camel"):
    """The server. `version`: of Traccar's API that is spoken here."""

    id: int = 1
    registration: bool = False
    readonly: bool = True
    device_readonly: bool = True
    limit_commands: bool = True
    map: str | None = None
    bing_key: str | None = None
    map_url: str | None = None
    poi_layer: str | None = None
    latitude: float = 0.0
    longitude: float = 0.0
    zoom: int = 0
    twelve_hour_format: bool = False
    version: str = "6.0"
    force_settings: bool = False
    coordinate_format: str | None = None
    open_id_enabled: bool = False
    open_id_force: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)


class TraccarUser(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who asks: the person who signed in, or the API key, under the name of its account."""

    id: int
    name: str
    email: str | None
    administrator: bool = False
    readonly: bool = True
    device_readonly: bool = True
    limit_commands: bool = True
    disabled: bool = False
    expiration_time: str | None = None
    device_limit: int = 0
    user_limit: int = 0
    phone: str | None = None
    map: str | None = None
    latitude: float = 0.0
    longitude: float = 0.0
    zoom: int = 0
    coordinate_format: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class TraccarDevice(Struct, frozen=True, kw_only=True, rename="camel"):
    """A driver.

    Attributes:
        id: the number of the driver, without `dr_`.
        unique_id: the driver's external id.
        status: online, offline or unknown.
        last_update: when anything of the phone came, by our clock; null: nothing did.
        position_id: 0: there is no position.
    """

    id: int
    name: str
    unique_id: str
    status: str
    last_update: str | None
    position_id: int
    phone: str | None
    disabled: bool = False
    group_id: int = 0
    calendar_id: int = 0
    model: str | None = None
    contact: str | None = None
    category: str | None = None
    expiration_time: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class TraccarPosition(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a driver was.

    Attributes:
        fix_time, device_time: by the phone's clock; server_time: when it came, by ours.
        outdated: the phone was heard since, without a place.
        speed: knots; course: degrees from north; accuracy: metres; 0 where the phone did not say.
        altitude: always 0: it is not kept.
        geofence_ids: the geofences that the driver is in; null in a track.
        attributes: `batteryLevel` in percent; `motion`: 1 m/s or faster; `alarm`: the one in force. Each is missing
            where it is not known, or there is none.
    """

    id: int
    device_id: int
    server_time: str
    device_time: str
    fix_time: str
    latitude: float
    longitude: float
    speed: float
    course: float
    accuracy: float
    outdated: bool = False
    valid: bool = True
    altitude: float = 0.0
    protocol: str = "reparto"
    address: str | None = None
    network: dict[str, Any] | None = None
    geofence_ids: list[int] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


class TraccarGeofence(Struct, frozen=True, kw_only=True, rename="camel"):
    """A geofence in force.

    Attributes:
        id: its number, without `gf_`.
        area: WKT as Traccar writes it, latitude first.
        attributes: `polylineDistance`: metres to either side of a corridor.
    """

    id: int
    name: str
    area: str
    description: str | None = None
    calendar_id: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)


class TraccarEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that happened to a driver, of a type that Traccar has.

    Attributes:
        id: the same whenever the fact is told.
        event_time: when it happened, by the phone's clock.
        position_id: always 0: a fact names no position. geofence_id, maintenance_id: 0: none.
        attributes: `alarm` of an alarm.
    """

    id: int
    type: str
    event_time: str
    device_id: int
    position_id: int = 0
    geofence_id: int = 0
    maintenance_id: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
