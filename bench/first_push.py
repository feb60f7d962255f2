"""The first push of a function to many connections over TLS, with the share of a core by its memory."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import trustme
from botocore.httpsession import get_cert_path

from bench.findings import Aim, Findings, Table, under
from bench.options import Scale, progress
from bench.quota import limited, share
from bench.trees import ROOT
from tests.servers import management_api
from tests.servers.management_api import Connections

MEGABYTES = 512
CONNECTIONS = 50
AIM_MILLISECONDS = 1000.0
PUSH = """
import sys, time
from chalicelib.config import Settings
from chalicelib.push_gateway.api_gateway import ApiGatewayPusher
from chalicelib.push_gateway.pusher import OutgoingFrame
pusher = ApiGatewayPusher(Settings(push_url=sys.argv[1]))
if sys.argv[3] == "True":
    pusher.prepare()
print("ready", flush=True)
sys.stdin.readline()
start, used = time.perf_counter(), time.process_time()
outcome = pusher.push([OutgoingFrame([str(number) for number in range(int(sys.argv[2]))], b"x" * 200)])
print(time.perf_counter() - start, time.process_time() - used, len(outcome.failed), flush=True)
"""


class Pushed(NamedTuple):
    """One first push: its time and CPU time in ms, and the number of connections that it did not reach."""

    milliseconds: float
    cpu: float
    failed: int


def measure(scale: Scale) -> Findings:
    """Push to connections for the first time, in new processes."""
    rows, aims = [], []
    for prepared, count in ((True, 1), (True, CONNECTIONS), (False, CONNECTIONS)):
        name = f"to {count}{'' if prepared else ', nothing prepared'}"
        progress(f"push: {name}")
        pushes = [_pushed(count, prepared=prepared) for _ in range(scale.processes)]
        rows.append((name, *_cells(pushes)))
        if prepared and count == CONNECTIONS:
            aims = _aims(pushes)
    note = (
        f"{share(MEGABYTES):.2f} of a core, the share of a function of {MEGABYTES} MB;"
        f" {scale.processes} new processes each. What a function prepares at its start is prepared."
    )
    columns = ("push", "median ms", "most ms", "CPU ms", "failed")
    return Findings([Table("The first push of a function", note, columns, rows)], aims, [])


def _cells(pushes: list[Pushed]) -> tuple[str, ...]:
    times = [one.milliseconds for one in pushes]
    numbers = median(times), max(times), median(one.cpu for one in pushes)
    return *(f"{number:.0f}" for number in numbers), str(sum(one.failed for one in pushes))


def _aims(pushes: list[Pushed]) -> list[Aim]:
    failed = sum(one.failed for one in pushes)
    slowest = max(one.milliseconds for one in pushes)
    name = f"the first push to {CONNECTIONS} connections"
    return [
        under(name, AIM_MILLISECONDS, slowest, "ms"),
        Aim(f"{name}: failed", "0", str(failed), not failed),
    ]


def _pushed(count: int, *, prepared: bool) -> Pushed:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with tempfile.TemporaryDirectory() as folder, Connections(tls=context) as server:
        trusted = Path(folder) / "authorities.pem"
        usual = Path(get_cert_path(True)).read_bytes()
        trusted.write_bytes(usual + authority.cert_pem.bytes())
        return _first_push(server.url, count, prepared=prepared, trusted=trusted)


def _first_push(url: str, count: int, *, prepared: bool, trusted: Path) -> Pushed:
    key = {"AWS_ACCESS_KEY_ID": management_api.KEY, "AWS_SECRET_ACCESS_KEY": management_api.SECRET}
    environ = {
        **os.environ,
        **key,
        "AWS_DEFAULT_REGION": management_api.REGION,
        "AWS_CA_BUNDLE": str(trusted),
    }
    command = [sys.executable, "-c", PUSH, url, str(count), str(prepared)]
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        with limited(child.pid, share(MEGABYTES)):
            child.stdin.write("\n")
            child.stdin.flush()
            seconds, cpu, failed = child.stdout.readline().split()
    return Pushed(float(seconds) * 1e3, float(cpu) * 1e3, int(failed))
