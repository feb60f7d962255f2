"""Missing prerequisites of a deployment, reported at once and before anything is installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.deploy.preflight import NO_CREDENTIALS, NO_GIT, NO_PROFILE, NO_REGION, NO_STAGE, missing
from tests.servers.commands import make, refusal, run

NOWHERE = Path("/nonexistent")
KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
REGION = {"AWS_DEFAULT_REGION": "us-east-1"}


def lacking(home: Path, **environ: str) -> list[str]:
    """Return the missing prerequisites of a user with this home and these variables, for stage prod."""
    return missing("prod", {"PATH": os.environ["PATH"], "HOME": str(home), **environ}, NOWHERE)


def test_all_missing_prerequisites_are_reported_at_once(tmp_path: Path) -> None:
    """Missing region, credentials and git are three lines; if nothing is missing there is none."""
    assert lacking(tmp_path, PATH=str(tmp_path)) == [NO_GIT, NO_REGION, NO_CREDENTIALS]
    assert lacking(tmp_path) == [NO_REGION, NO_CREDENTIALS]
    assert lacking(tmp_path, **KEYS) == [NO_REGION]
    assert lacking(tmp_path, **REGION) == [NO_CREDENTIALS]
    assert lacking(tmp_path, **REGION, **KEYS) == []


def test_unknown_stage_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """An unknown stage is answered with the known ones; an emulator needs no AWS settings."""
    path = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    assert missing("staging", path | REGION | KEYS, NOWHERE) == [NO_STAGE.format("staging")]
    assert missing("localstack", path, NOWHERE) == []


@pytest.mark.parametrize("name", ["default", "work"])
@pytest.mark.parametrize("how", ["sso_session = x", "credential_process = x", "role_arn = x"])
def test_aws_profile_supplies_region_and_credentials(tmp_path: Path, name: str, how: str) -> None:
    """An AWS CLI profile can supply the region and credentials, from either of its files."""
    (tmp_path / ".aws").mkdir()
    header = "default" if name == "default" else f"profile {name}"
    (tmp_path / ".aws" / "config").write_text(f"[{header}]\nregion = eu-west-1\n{how}\n")
    assert lacking(tmp_path, AWS_PROFILE=name) == []
    (tmp_path / ".aws" / "config").write_text(f"[{header}]\nregion = eu-west-1\n")
    assert lacking(tmp_path, AWS_PROFILE=name) == [NO_CREDENTIALS]
    (tmp_path / ".aws" / "credentials").write_text(f"[{name}]\naws_access_key_id = x\n")
    assert lacking(tmp_path, AWS_PROFILE=name) == []


def test_profile_that_is_not_there(tmp_path: Path) -> None:
    """A profile that neither file has is named."""
    assert lacking(tmp_path, AWS_PROFILE="absent", **REGION, **KEYS) == [NO_PROFILE.format("absent")]


def test_machine_with_a_role(tmp_path: Path) -> None:
    """A machine of EC2, or a container with a role, may have credentials that no file has."""
    vendor = tmp_path / "sys_vendor"
    vendor.write_text("Amazon EC2\n")
    assert missing("prod", {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **REGION}, vendor) == []
    assert lacking(tmp_path, **REGION, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x") == []


@pytest.mark.parametrize(
    ("stage", "expected"), [("staging", [NO_STAGE.format("staging")]), ("prod", [NO_REGION, NO_CREDENTIALS])]
)
def test_make_reports_prerequisites_before_it_installs(
    tmp_path: Path, stage: str, expected: list[str]
) -> None:
    """`make deploy` reports what is missing before it installs anything."""
    venv = tmp_path / "venv"
    env = {"HOME": str(tmp_path)} | ({} if stage == "staging" else {"AWS_CONFIG_FILE": "/none"})
    done = make("deploy", f"STAGE={stage}", f"VENV={venv}", env=env)
    assert [line for line in done.stderr.splitlines() if line.startswith("deploy: ")] == [
        f"deploy: {line}" for line in expected
    ]
    assert (done.returncode, done.stdout, venv.exists()) == (2, "", False)


def test_missing_region_and_credentials_are_one_line(tmp_path: Path) -> None:
    """The command itself, which asks boto3, reports both in one line."""
    env = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    assert (
        refusal(run("infra.deploy", "--stage", "prod", env=env)) == f"deploy: {NO_REGION}; {NO_CREDENTIALS}"
    )


@pytest.mark.parametrize(("module", "stages"), [("deploy", "STAGE=prod"), ("package", "'prod'")])
def test_unknown_stage_is_one_line(module: str, stages: str) -> None:
    """An unknown stage is one line with the known ones, without the usage of the command."""
    done = run(f"infra.{module}", "--stage", "staging", env={})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith(f"{module}: ")
    assert stages in done.stderr
