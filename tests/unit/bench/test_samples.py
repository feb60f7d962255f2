"""The CPU time of a send by parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import samples
from bench.sampler import sitecustomize
from bench.samples import CHALICE, EDGE, HTTP, LOG, SERVICES, STORE, STORE_CONNECTION

BUSY = """
import glob, json, sys, time
end = time.process_time() + 0.2
while time.process_time() < end:
    pass
spent = 0
while spent < 100_000:
    time.sleep(0.1)
    spent = sum(cpu for path in glob.glob(sys.argv[1] + "/*.json") for _, cpu in json.load(open(path)))
"""


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (("/lib/json/encoder.py", "/x/chalicelib/logs.py", "/lib/logging/__init__.py", "/x/app.py"), LOG),
        (("/lib/uuid.py", "/x/chalicelib/services/messages/service.py", "/x/chalicelib/http/a.py"), SERVICES),
        (("/x/chalicelib/store/messages/log.py", "/x/chalicelib/services/a.py"), STORE),
        (("/v/site-packages/redis/connection.py", "/x/chalicelib/store/redis/nodes.py"), STORE_CONNECTION),
        (("/x/infra/local/pipeline/node.py", "/x/chalicelib/store/redis/client.py"), STORE_CONNECTION),
        (("/v/site-packages/chalice/app.py", "/x/infra/local/gateway.py"), CHALICE),
        (("/x/chalicelib/routes/messages.py", "/v/site-packages/chalice/app.py"), HTTP),
        (("/x/infra/local/gateway.py", "/lib/asyncio/runners.py"), EDGE),
        (("/lib/asyncio/runners.py",), EDGE),
    ],
)
def test_stack_belongs_to_the_innermost_known_part(stack: tuple[str, ...], part: str) -> None:
    """The standard library's frames count for the part that called them."""
    assert samples.part_of(stack) == part


def test_shares_are_of_the_time_between_two_readings() -> None:
    """What was spent before the load does not count."""
    service, edge = ("/x/chalicelib/services/a.py",), ("/x/infra/local/gateway.py",)
    shares = samples.shares({service: 900.0}, {service: 1000.0, edge: 300.0})
    assert shares[SERVICES] == pytest.approx(0.25)
    assert shares[EDGE] == pytest.approx(0.75)
    assert shares[LOG] == 0


def test_process_samples_the_stacks_of_its_main_thread(tmp_path: Path) -> None:
    """A process with the sampler on its path writes the CPU time of its stacks."""
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    environ = {**os.environ, **samples.environ(tmp_path)}
    subprocess.run([sys.executable, str(script), str(tmp_path)], env=environ, check=True, timeout=60)
    (written,) = tmp_path.glob("*.json")
    spent = {tuple(stack): cpu for stack, cpu in json.loads(written.read_bytes())}
    assert sum(cpu for stack, cpu in spent.items() if str(script) in stack) >= 100_000 / 2


def test_sampler_does_nothing_without_a_folder() -> None:
    """Importing the module outside a measurement starts no timer."""
    assert sitecustomize.FOLDER is None
