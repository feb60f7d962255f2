"""Errors before a deployment, or LocalStack, begins: one line that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.data import locked
from tests.deploy.endpoints import REFUSED, TAKEN, sts
from tests.servers.commands import refusal, run
from tests.servers.ports import ReservedPort

pytestmark = pytest.mark.long

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture
def nobody(tmp_path: Path) -> dict[str, str]:
    """The variables of a user without any AWS configuration."""
    return {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def free_port() -> Iterator[int]:
    """An unused port."""
    with ReservedPort() as port:
        yield port


def test_missing_credentials_stop_the_deployment(nobody: dict[str, str]) -> None:
    """Without credentials nothing is created, and the error names the ways to provide them."""
    done = run("infra.deploy", "--stage", "prod", env={**nobody, "AWS_DEFAULT_REGION": "us-east-1"})
    assert refusal(done).startswith("deploy: no AWS credentials: run `aws configure`")


def test_a_profile_that_is_not_there(nobody: dict[str, str]) -> None:
    """A missing profile is named."""
    env = {**nobody, "AWS_DEFAULT_REGION": "us-east-1", "AWS_PROFILE": "absent"}
    assert "absent" in refusal(run("infra.deploy", "--stage", "prod", env=env))


def test_credentials_that_are_not_taken(nobody: dict[str, str]) -> None:
    """The error of credentials that AWS refuses says so, with AWS's own reason."""
    with sts(403, REFUSED) as (url, _):
        env = {**nobody, **CREDENTIALS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
        said = refusal(run("infra.deploy", "--stage", "prod", env=env))
    assert said.startswith(
        "deploy: the AWS credentials do not work: An error occurred (InvalidClientTokenId)"
    )


def test_nobody_is_there_to_confirm(nobody: dict[str, str]) -> None:
    """Without a terminal a stack is not taken down unless --yes is given, and the line says so."""
    with sts(200, TAKEN) as (url, asked):
        env = {**nobody, **CREDENTIALS, "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
        done = run("infra.deploy", "--stage", "prod", "--delete", env=env)
    assert refusal(done) == "deploy: there is no terminal to confirm in: give --yes (make undeploy YES=1)"
    assert asked == ["GetCallerIdentity"]


def test_missing_region_stops_the_deployment(nobody: dict[str, str]) -> None:
    """Without a region nothing is created."""
    done = run("infra.deploy", "--stage", "prod", env={**nobody, **CREDENTIALS})
    assert refusal(done) == "deploy: no region: set AWS_DEFAULT_REGION, for example to us-east-1"


@pytest.mark.parametrize("stage", ["prod", "localstack"])
def test_unknown_aws_region_is_named(nobody: dict[str, str], stage: str) -> None:
    """The error of an unknown region names it."""
    env = {**nobody, **CREDENTIALS, "AWS_DEFAULT_REGION": "mars-north-1"}
    done = run("infra.deploy", "--stage", stage, env=env)
    assert refusal(done).startswith("deploy: mars-north-1 is not an AWS region")


def test_localstack_is_not_up(nobody: dict[str, str], free_port: int) -> None:
    """Where LocalStack is missing, the line says how to start it."""
    env = {**nobody, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port}"}
    said = refusal(run("infra.deploy", "--stage", "localstack", env=env))
    assert said.startswith(f"deploy: nothing responds at http://127.0.0.1:{free_port}: start LocalStack with")


def test_a_parameter_without_a_value(nobody: dict[str, str]) -> None:
    """A parameter is a name and a value."""
    env = {**nobody, **CREDENTIALS, "AWS_DEFAULT_REGION": "us-east-1"}
    done = run("infra.deploy", "--stage", "prod", "--parameter", "Store", env=env)
    assert refusal(done) == "deploy: a parameter has the form Name=value; this is Store"


def test_the_port_of_localstack_is_taken(taken_port: int) -> None:
    """LocalStack does not start on a port that is in use, and the line names another."""
    said = refusal(run("infra.localstack", "--port", str(taken_port), "--ephemeral"))
    assert said.startswith(f"parley: Port {taken_port} cannot be used: Address already in use.")
    assert "make localstack LOCALSTACK_PORT=" in said


def test_no_python_for_localstack(tmp_path: Path) -> None:
    """Without LocalStack's Python, the line says which and how to name one."""
    env = {"PYTHON313": "/nowhere/python3.13", "PARLEY_LOCALSTACK_FOLDER": str(tmp_path)}
    said = refusal(run("infra.localstack", "--port", "0", "--ephemeral", env=env))
    assert said.startswith("parley: LocalStack 4.14.0 runs on Python 3.13, which was not found.")


def test_a_file_in_the_place_of_localstacks_data(tmp_path: Path) -> None:
    """An unusable data folder is named, with the variable that chooses it."""
    (tmp_path / "data").write_text("a file")
    said = refusal(run("infra.localstack", "--port", "0", "--data", str(tmp_path / "data")))
    assert said.startswith(f"parley: LOCALSTACK_DATA folder {tmp_path / 'data'} cannot be used")


def test_localstacks_data_is_in_use(tmp_path: Path) -> None:
    """A data folder that another server uses is named, with the variable that chooses it."""
    with locked(tmp_path):
        said = refusal(run("infra.localstack", "--port", "0", "--data", str(tmp_path)))
    assert said == (
        f"parley: Another Parley server uses the LOCALSTACK_DATA folder {tmp_path}."
        " Stop it, or set LOCALSTACK_DATA."
    )


def test_localstack_in_a_wrong_region() -> None:
    """An unknown region is named before anything starts."""
    env = {"AWS_DEFAULT_REGION": "mars-north-1"}
    done = run("infra.localstack", "--port", "0", "--ephemeral", env=env)
    assert refusal(done).startswith("parley: mars-north-1 is not an AWS region")
    assert done.stdout == ""
