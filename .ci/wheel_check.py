"""Build the wheel, install it into an empty environment, start each service once.

Finds what an editable install hides: a file that is not in the wheel, a dependency that is not declared.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PATIENCE_S = 120


def main() -> None:
    """Do it in a directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="reparto-wheel-") as directory:
        place = Path(directory)
        place.chmod(0o755)  # the embedded Postgres of root runs as another user, who must reach the wheel's binaries
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, CHECKOUT], check=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
        [wheel] = place.glob("*.whl")
        subprocess.run([*pip, "--python", place / "venv", "install", wheel], check=True)
        check(place / "venv" / "bin" / "reparto", place)


def check(reparto: Path, place: Path) -> None:
    """Start `up`, then on its Postgres each role."""
    run(reparto, "--version")
    run(reparto, "--help")
    port = free_port()
    settings = {"REPARTO_DATA_DIR": str(place / "data"), "REPARTO_LISTEN": f"127.0.0.1:{port}"}
    up = start(reparto, "up", place, settings)
    wait_for(f"http://127.0.0.1:{port}/health/ready", up)
    for path in ("/openapi.json", "/docs", "/metrics"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).close()
    cluster = place / "data" / "postgres" / "cluster"
    shared = {"REPARTO_DATABASE_URL": f"postgresql://reparto@/reparto?host={cluster}&port=5432"}
    for role in ("ingest", "api", "track", "work"):
        port = free_port()
        where = "REPARTO_LISTEN" if role in ("ingest", "api") else "REPARTO_HEALTH_LISTEN"
        service = start(reparto, role, place, {**shared, where: f"127.0.0.1:{port}"})
        wait_for(f"http://127.0.0.1:{port}/health/ready", service)
        end(service)
        print(f"reparto {role}: starts and ends", flush=True)
    run(reparto, "status", **settings)
    run(reparto, "doctor", **settings)
    end(up)
    print("reparto up: starts and ends", flush=True)


def run(reparto: Path, *arguments: str, **settings: str) -> None:
    """Run a command to its good end."""
    subprocess.run([reparto, *arguments], cwd="/", env=os.environ | settings, check=True)


def start(reparto: Path, role: str, place: Path, settings: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a service away from the checkout, so that nothing is imported from there."""
    return subprocess.Popen([reparto, role], cwd=place, env=os.environ | settings, stdin=subprocess.DEVNULL)


def wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    """Wait until the address answers 200."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError as error:
            if service.poll() is not None or time.monotonic() > give_up:
                sys.exit(f"{service.args} is not ready at {url}: {error}")
            time.sleep(0.1)


def end(service: subprocess.Popen[bytes]) -> None:
    """Stop a service as a machine does; it must end in good order."""
    service.send_signal(signal.SIGTERM)
    if (code := service.wait(PATIENCE_S)) != 0:
        sys.exit(f"{service.args} ended with exit code {code}")


def free_port() -> int:
    """Find a port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
