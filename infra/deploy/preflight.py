"""`python -m infra.deploy.preflight STAGE`: checks what a deployment needs, before installing anything.

It runs on a bare Python. So it knows where boto3 looks for credentials, and does not ask AWS.
"""

from __future__ import annotations

import configparser
import shutil
import sys
from collections.abc import Mapping
from os import environ as process_environ
from pathlib import Path

STAGES = ("prod", "localstack")
NO_STAGE = "there is no stage {}: use STAGE=prod for AWS, or STAGE=localstack for `make localstack`"
NO_REGION = "no region: set AWS_DEFAULT_REGION, for example to us-east-1"
NO_CREDENTIALS = (
    "no AWS credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE, or "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
NO_PROFILE = "AWS_PROFILE names {}, which does not exist: `aws configure list-profiles` lists all profiles"
NO_GIT = "no git: install it; a deployment packages the last commit"
CREDENTIAL_VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)
CREDENTIAL_FIELDS = (
    *("aws_access_key_id", "role_arn", "sso_session", "sso_start_url"),
    *("credential_process", "web_identity_token_file", "login_session"),
)
VENDOR = Path("/sys/devices/virtual/dmi/id/sys_vendor")


def missing(stage: str, environ: Mapping[str, str], vendor: Path = VENDOR) -> list[str]:
    """Return what a deployment to a stage lacks, one line each; vendor: The maker of this machine."""
    if stage not in STAGES:
        return [NO_STAGE.format(stage)]
    lacking = [] if shutil.which("git", path=environ.get("PATH")) else [NO_GIT]
    if stage != "prod":
        return lacking
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    profile = _profile(name, environ)
    if profile is None and name != "default":
        return [*lacking, NO_PROFILE.format(name)]
    if not (environ.get("AWS_DEFAULT_REGION", "").strip() or (profile or {}).get("region")):
        lacking.append(NO_REGION)
    if not _has_credentials(environ, profile or {}, vendor):
        lacking.append(NO_CREDENTIALS)
    return lacking


def _has_credentials(environ: Mapping[str, str], profile: Mapping[str, str], vendor: Path) -> bool:
    if any(environ.get(name) for name in CREDENTIAL_VARIABLES):
        return True
    return any(profile.get(field) for field in CREDENTIAL_FIELDS) or _is_of_amazon(vendor)


def _is_of_amazon(vendor: Path) -> bool:
    """Return whether this is an EC2 machine, which may have its own role."""
    try:
        return "Amazon" in vendor.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the fields of a profile in the AWS CLI's files; None if no file has it."""
    home = Path(environ.get("HOME") or "~").expanduser()
    config = environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config"
    credentials = environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials"
    in_config = name if name == "default" else f"profile {name}"
    found = [_section(Path(config), in_config), _section(Path(credentials), name)]
    if found == [None, None]:
        return None
    return {field: value for part in found for field, value in (part or {}).items()}


def _section(file: Path, name: str) -> dict[str, str] | None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(file.expanduser(), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return None
    return dict(parser[name]) if name in parser else None


def main(stage: str) -> None:
    """Exit with one line for each missing thing, if there are any."""
    if lacking := missing(stage, process_environ):
        sys.exit("\n".join(f"deploy: {line}" for line in lacking))


if __name__ == "__main__":
    main(sys.argv[1])
