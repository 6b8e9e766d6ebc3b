"""A door for MQTT, on a port of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from geo.pings import Pings
from ingest.mqtt.server import serving_mqtt
from reparto.process.serve import bind
from tests.ingest.doors.phones import Client

Kept = Callable[[], Awaitable[Pings]]


@asynccontextmanager
async def opened(app: Any) -> AsyncIterator[int]:
    with bind("127.0.0.1:0", "REPARTO_MQTT_LISTEN") as listener:
        async with serving_mqtt(app, listener):
            yield listener.getsockname()[1]


@pytest.fixture
async def port(client: Client) -> AsyncIterator[int]:
    async with opened(client.server.app) as number:  # type: ignore[attr-defined]
        yield number
