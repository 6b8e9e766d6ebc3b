"""Requests for every operation as the product describes it, by two accounts and a phone.

No answer is a failure of ours, every status is described, and nobody gets at another account's things by their ids.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

from reparto.child import Child, free_port
from reparto.client.client import Client

_EACH = 8  # requests of an operation before the next one has its turn
_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
_ENDLESS = ("/stream", "/ws")
_STOP = {"external_id": "1", "kind": "delivery", "name": "Ana", "lat": 20.67, "lon": -103.35}
_ROUTE = {
    "driver": "ana", "date": "2026-03-02", "timezone": "America/Mexico_City", "start_at": "2026-03-02T08:00:00-06:00",
    "depot": {"name": "d", "lat": 20.67, "lon": -103.35}, "stops": [_STOP],
}  # fmt: skip


@dataclass(slots=True)
class Asking:
    """A product that is asked.

    Attributes:
        keys: whose, and the credential.
        ids: of the first account's things, by the name of the path's parameter.
        broke: sentences.
    """

    url: str
    keys: dict[str, str]
    ids: dict[str, str]
    chance: random.Random
    session: requests.Session = field(default_factory=requests.Session)
    times: int = 0
    broke: list[str] = field(default_factory=list)

    def ask(self, case: schemathesis.Case) -> None:
        """Ask the same as each of those who may ask anything."""
        names = [name for name in self.ids if name in (case.path_parameters or {})]
        real = [name for name in names if self.chance.random() < 0.8]
        for name in real:
            case.path_parameters[name] = self.ids[name]
        for who, key in self.keys.items():
            self.times += 1
            headers = {"Authorization": f"Bearer {key}"}
            response = case.call(base_url=self.url, session=self.session, headers=headers, timeout=30)
            case.validate_response(response, checks=_CHECKS)
            if who == "another account" and real and response.status_code < 400:
                raise AssertionError(f"{case.as_curl_command()} answers {response.status_code} to {who}")


@contextmanager
def product() -> Iterator[Asking]:
    """Run a product with two accounts; the first has a driver, a phone and a route."""
    with tempfile.TemporaryDirectory(prefix="reparto-fuzz-") as folder:
        listen, data = f"127.0.0.1:{free_port()}", Path(folder, "data")
        told = {"REPARTO_LISTEN": listen, "REPARTO_DATA_DIR": str(data), "REPARTO_ACCOUNT_WRITES_PER_MINUTE": "100000"}
        up = Child("up", settings=told, log=Path(folder, "up.log"))
        try:
            asyncio.run(up.ready(f"http://{listen}"))
            log = Path(folder, "key.log")
            Child("key", "create", "--role", "admin", "--account", "other", settings=told, log=log).wait()
            other = next(line for line in log.read_text().splitlines() if line.startswith("rpk_"))
            key = (data / "admin.key").read_text().strip()
            ids, token = asyncio.run(_furnish(f"http://{listen}", key))
            keys = {"the account": key, "its phone": token, "another account": other}
            yield Asking(f"http://{listen}", keys, ids, random.Random(0))
        finally:
            up.stop()


async def _furnish(url: str, key: str) -> tuple[dict[str, str], str]:
    async with Client(url, key) as client:
        driver_id = await client.driver("ana", "Ana")
        device_id, token = await client.device(driver_id, "phone")
        put = await client.ask("PUT", "/v1/routes/r1", body=_ROUTE)
    return {"driver": driver_id, "device": device_id, "route": put["id"], "stop": put["stops"][0]["id"]}, token


def ask_everything(seconds: float, first_seed: int) -> tuple[int, float, str]:
    """Ask for so long: give how often, how long it took, and what broke, if anything did."""
    began_s = time.monotonic()
    with product() as asking:
        schema = schemathesis.openapi.from_url(f"{asking.url}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        operations = [one for one in operations if not one.path.endswith(_ENDLESS)]
        operations.sort(key=lambda one: one.method.lower() == "delete")  # what is deleted cannot be asked for any more
        rules = settings(
            max_examples=_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=(Phase.generate,),
        )  # fmt: skip
        number, broke = first_seed, dict[str, str]()
        while time.monotonic() - began_s < seconds:
            for operation in operations:
                if operation.label not in broke and time.monotonic() - began_s < seconds:
                    try:
                        seed(number)(rules(given(operation.as_strategy())(asking.ask)))()
                    except BaseException as error:
                        if isinstance(error, KeyboardInterrupt):
                            raise
                        broke[operation.label] = f"{operation.label}: {error}"
            number += 1
        return asking.times, time.monotonic() - began_s, "\n".join(broke.values())
