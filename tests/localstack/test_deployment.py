"""Stacks that are previewed, changed, half made and deleted; and Chalice's own way to deploy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from botocore.exceptions import ClientError

from infra.package import source
from tests.servers.commands import refusal, run
from tests.servers.localstack import LocalStackServer
from tests.servers.process import ROOT, environment

STORE = "RedisUrl=redis://127.0.0.1:1"


@pytest.fixture
def env(server: LocalStackServer) -> dict[str, str]:
    """The variables for boto3 and chalice to use this LocalStack."""
    return {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def status(server: LocalStackServer, name: str) -> str | None:
    """Return the state of a stack, or None if it does not exist."""
    try:
        found = server.client("cloudformation").describe_stacks(StackName=name)
    except ClientError:
        return None
    return str(found["Stacks"][0]["StackStatus"])


def test_a_dry_run_shows_the_changes_and_makes_none(server: LocalStackServer, env: dict[str, str]) -> None:
    """The functions and the API are listed; no stack exists afterwards."""
    done = run(
        "infra.deploy",
        "--stage",
        "localstack",
        "--name",
        "parley-dry",
        "--parameter",
        STORE,
        "--dry-run",
        env=env,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^ +Add +APIHandler +AWS::Lambda::Function$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("Dry run: the stack was not changed\n")
    assert status(server, "parley-dry") is None


def test_the_api_has_one_stage(server: LocalStackServer) -> None:
    """There is no second stage that nobody throttles or watches."""
    api = server.url.split("/")[-2]
    stages = server.client("apigateway").get_stages(restApiId=api)["item"]
    assert [stage["stageName"] for stage in stages] == ["localstack"]


def test_a_stack_is_made_changed_and_taken_down(server: LocalStackServer, env: dict[str, str]) -> None:
    """A second deployment changes the differences and keeps other parameters; then the stack is deleted."""
    deploy = ("infra.deploy", "--stage", "localstack", "--name", "parley-other")
    made = run(*deploy, "--parameter", STORE, env=env)
    assert made.returncode == 0, made.stderr
    url = made.stdout.rpartition("Parley is deployed at ")[2].strip()
    assert httpx.get(f"{url}/ping").status_code == 200
    assert httpx.get(f"{url}/health").status_code == 503
    store = server.client("lambda").get_function_configuration(FunctionName=server.resource("APIHandler"))[
        "Environment"
    ]["Variables"]["REDIS_URL"]
    changed = run(*deploy, "--parameter", f"RedisUrl={store}", env=env)
    assert changed.returncode == 0, changed.stderr
    assert httpx.get(f"{url}/health").status_code == 200
    gone = run(*deploy, "--delete", "--yes", env=env)
    assert gone.returncode == 0, gone.stderr
    assert status(server, "parley-other") is None
    assert httpx.get(f"{url}/ping").status_code == 404


def test_a_stack_that_was_half_made_is_named_with_the_way_out(
    server: LocalStackServer, env: dict[str, str]
) -> None:
    """A stack whose creation failed refuses deployments; after its deletion it is made again."""
    deploy = ("infra.deploy", "--stage", "localstack", "--name", "parley-half")
    broken = {
        "Resources": {"Broken": {"Type": "AWS::Lambda::Function", "Properties": {"Role": "no such role"}}}
    }
    server.client("cloudformation").create_stack(
        StackName="parley-half", TemplateBody=json.dumps(broken), OnFailure="DO_NOTHING"
    )
    with pytest.raises(Exception, match="CREATE_FAILED"):
        server.client("cloudformation").get_waiter("stack_create_complete").wait(
            StackName="parley-half", WaiterConfig={"Delay": 1}
        )
    said = refusal(run(*deploy, "--parameter", STORE, env=env))
    assert said.startswith("deploy: the stack parley-half is in state CREATE_FAILED; it was never completed")
    assert "make undeploy STAGE=localstack" in said
    assert "Broken" in said
    assert run(*deploy, "--delete", "--yes", env=env).returncode == 0
    assert status(server, "parley-half") is None


def test_a_parameter_that_the_template_lacks_is_refused(
    server: LocalStackServer, env: dict[str, str]
) -> None:
    """The line has the names of the known parameters."""
    done = run("infra.deploy", "--stage", "localstack", "--parameter", "Stroe=durable", env=env)
    assert re.match(r"deploy: the template has no parameter Stroe; it has .*RedisUrl", refusal(done))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The last commit, as Chalice packages it."""
    source.export(ROOT, tmp_path)
    return tmp_path


@pytest.fixture
def chalice_url(server: LocalStackServer, project: Path, env: dict[str, str]) -> Iterator[str]:
    """The URL that `chalice deploy --stage localstack` made; `chalice delete` removes it."""

    def chalice(command: str) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "chalice"), command, "--stage", "localstack"],
            cwd=project,
            env=environment(env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    found = re.search(r"https://(\w+)\.execute-api", chalice("deploy"))
    assert found is not None
    yield f"{server.endpoint}/_aws/execute-api/{found[1]}/localstack"
    chalice("delete")
    assert (
        not os.listdir(project / ".chalice" / "deployed")
        or '"resources": []' in (project / ".chalice" / "deployed" / "localstack.json").read_text()
    )


def test_chalice_deploy_works(chalice_url: str) -> None:
    """Chalice's own deployment serves the same store, by LocalStack's settings for every function."""
    message = {"chat": "chalice:deploy", "sender": "chalice", "text": "hello"}
    assert httpx.post(f"{chalice_url}/api/send", json=message, timeout=60).status_code == 204
    page = httpx.post(f"{chalice_url}/api/pull", json={"chat": "chalice:deploy"}, timeout=60).json()
    assert [found["text"] for found in page["messages"]] == ["hello"]
