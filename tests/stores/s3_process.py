"""OpenStack Swift with its S3 door, on one disk, in one process: `python s3_process.py FOLDER PORT`."""

# ruff: noqa: E402 (eventlet must come before whatever it changes)
import eventlet

eventlet.monkey_patch()

import sys
from pathlib import Path

from eventlet import wsgi
from swift.common.ring import RingBuilder
from swift.common.utils import set_swift_dir
from swift.common.wsgi import loadapp

DATA = ("account", "container", "object")

SWIFT = """\
[swift-hash]
swift_hash_path_suffix = tests
[storage-policy:0]
name = one
default = yes
"""

SERVER = """\
[DEFAULT]
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""

PROXY = """\
[DEFAULT]
swift_dir = {folder}
log_level = ERROR
[pipeline:main]
pipeline = cache s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
"""


def main(folder: Path, port: int) -> None:
    (folder / "devices" / "disk").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT)
    set_swift_dir(str(folder))
    listening = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in DATA}
    for kind in DATA:
        ring = RingBuilder(part_power=4, replicas=1, min_part_hours=1)
        ring.add_dev(
            {
                "id": 0,
                "region": 1,
                "zone": 1,
                "ip": "127.0.0.1",
                "port": listening[kind].getsockname()[1],
                "device": "disk",
                "weight": 1.0,
            }
        )
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{kind}.ring.gz"))
        (folder / f"{kind}.conf").write_text(SERVER.format(folder=folder, kind=kind))
    (folder / "proxy.conf").write_text(PROXY.format(folder=folder))
    apps = {kind: loadapp(str(folder / f"{kind}.conf")) for kind in (*DATA, "proxy")}
    listening["proxy"] = eventlet.listen(("127.0.0.1", port))
    servers = [eventlet.spawn(wsgi.server, listening[kind], apps[kind], log_output=False) for kind in apps]
    for server in servers:
        server.wait()


main(Path(sys.argv[1]), int(sys.argv[2]))
