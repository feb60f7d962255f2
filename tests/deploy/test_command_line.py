"""The deploy command, as a user runs it: its first lines, its targets, and its end by signals."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.cloud import SECONDS, Cloud, somebody
from tests.deploy.endpoints import TAKEN, serving, sts
from tests.servers.commands import refusal, run
from tests.servers.process import ROOT, environment

pytestmark = pytest.mark.long

UNREACHABLE_PROXY = "http://127.0.0.1:9"

# --- which stack, and where ---------------------------------------------------------------------------------


def test_no_proxy_is_asked_for_localstack(tmp_path: Path) -> None:
    """A deployment reaches LocalStack and its API past an HTTP_PROXY, and first says what it changes."""
    cloud = Cloud(there=True)
    with serving(cloud.handler) as url:
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy"), UNREACHABLE_PROXY)
        env = {**somebody(tmp_path), **proxies, "NO_PROXY": "", "no_proxy": "", "AWS_ENDPOINT_URL": f"{url}/"}
        done = run("infra.deploy", "--stage", "localstack", "--shown-as", "http://shown:4566/", env=env)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == f"parley-localstack in account 111122223333, eu-west-1 at {url}"
    assert lines[-1] == "Parley is deployed at http://shown:4566/_aws/execute-api/abc/localstack"


def test_undeploy_asks_with_the_names_of_what_it_deletes(tmp_path: Path) -> None:
    """The question names stack, account, region, and the endpoint unless it is AWS's own."""
    with sts(200, TAKEN) as (url, _):
        env = {**somebody(tmp_path), "AWS_ENDPOINT_URL": url}
        done = run("infra.deploy", "--stage", "prod", "--name", "parley-try", "--delete", env=env)
    what = f"parley-try in account 111122223333, eu-west-1 at {url}"
    assert done.stdout == f"{what}\nDelete {what}? Type the stack's name: "


# --- options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "1st", "-x", "two words", "a_b", "a" * 129, "parley/prod", "x\n"])
def test_a_name_that_no_stack_can_have(name: str) -> None:
    """It is refused before anything is asked, with CloudFormation's rule."""
    done = run("infra.deploy", "--stage", "prod", f"--name={name}")
    assert done.returncode == 2
    rule = "is not a stack name: use up to 128 letters, digits and hyphens, starting with a letter"
    assert done.stderr.splitlines()[-1] == f"deploy: argument --name: {name!r} {rule}"


@pytest.mark.parametrize("url", ["", "shown", "javascript:alert(1)", "https://", "http://a b"])
def test_an_address_that_is_no_url(url: str) -> None:
    """It is refused before anything is deployed."""
    done = run("infra.deploy", "--stage", "localstack", f"--shown-as={url}")
    assert done.returncode == 2
    rule = "is not a URL: it must begin with http:// or https://"
    assert done.stderr.splitlines()[-1] == f"deploy: argument --shown-as: {url!r} {rule}"


def test_a_value_with_spaces(tmp_path: Path) -> None:
    """A parameter's value may have spaces and equals signs."""
    with serving(Cloud(there=False).handler) as url:
        env = {**somebody(tmp_path), "AWS_ENDPOINT_URL": url}
        arguments = ("--delete", "--yes", "--parameter", "Name=two words=3")
        said = refusal(run("infra.deploy", "--stage", "prod", *arguments, env=env))
    assert said == "deploy: there is no stack parley-prod"


# --- how it is stopped --------------------------------------------------------------------------------------


def stopped(cloud: Cloud, env: dict[str, str], arguments: list[str], number: signal.Signals) -> str:
    """Run the command, send it a signal while an action of it is held, and return its one line."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    with serving(cloud.handler) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.deploy", "--stage", "prod", *arguments],
            cwd=ROOT,
            env=environment({**env, "AWS_ENDPOINT_URL": url}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGINT, before)
        try:
            assert cloud.reached.wait(SECONDS)
            process.send_signal(number)
            _, said = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
            cloud.released.set()
    assert process.returncode == 1
    return re.sub(r"^package: warning.*\n", "", said, flags=re.M)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [[], ["--delete", "--yes"]])
def test_stopped_before_a_change(tmp_path: Path, arguments: list[str], number: signal.Signals) -> None:
    """Before CloudFormation is asked for a change nothing has changed."""
    said = stopped(Cloud(there=True, held="DescribeStacks"), somebody(tmp_path), arguments, number)
    assert said == "deploy: interrupted; nothing was changed\n"


@pytest.mark.parametrize(
    ("held", "there", "arguments"),
    [("CreateChangeSet", False, []), ("DeleteStack", True, ["--delete", "--yes"])],
)
def test_stopped_during_a_change(tmp_path: Path, held: str, there: bool, arguments: list[str]) -> None:
    """From then on CloudFormation goes on with it."""
    said = stopped(Cloud(there=there, held=held), somebody(tmp_path), arguments, signal.SIGTERM)
    assert said == "deploy: interrupted; CloudFormation continues the change of parley-prod\n"


def test_a_disk_without_room(tmp_path: Path) -> None:
    """Where nothing can be written, the system's reason is one line."""
    with serving(Cloud(there=False).handler) as url:
        variables = {"AWS_ENDPOINT_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            ["sh", "-c", 'ulimit -f 0; exec "$0" -m infra.deploy --stage prod', sys.executable],
            cwd=ROOT,
            env=environment({**somebody(tmp_path), **variables}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert refusal(done).startswith("deploy: [Errno 2] No usable temporary directory")
