"""What a process does not do it does not load."""

import subprocess
import sys

ASKED = "api.portal", "api.desk", "api.planning", "api.recipient", "work.messages", "reparto.run.asked"


def test_doors_alone_load_nothing_that_people_ask() -> None:
    load = "import sys; import reparto.run.servers, reparto.run.app; print('\\n'.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    assert "ingest.doors.doors" in ran.stdout.split()
    assert not {*ASKED} & {*ran.stdout.split()}
