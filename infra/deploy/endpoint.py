"""The endpoint of an emulator instead of AWS: AWS_ENDPOINT_URL."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

import botocore.utils

from infra.deploy.errors import DeployError

EMULATED = ("localstack", "ministack")
"""Stages that are deployed to an emulator."""

LOCALSTACK = "http://127.0.0.1:4566"
START_OR_UNSET = "start LocalStack with `make localstack`, or unset AWS_ENDPOINT_URL"
HEALTH_SECONDS = 30.0


def configured() -> str | None:
    """Return AWS_ENDPOINT_URL without a slash at the end; None if it is blank or not set."""
    return os.environ.get("AWS_ENDPOINT_URL", "").strip().rstrip("/") or None


def settle(stage: str) -> None:
    """Set AWS_ENDPOINT_URL in the form that every client accepts; on an emulated stage it has a default.

    Raises DeployError if it is not a URL, or if no emulator responds there on an emulated stage.
    """
    endpoint = configured() or (LOCALSTACK if stage in EMULATED else None)
    if endpoint is None:
        os.environ.pop("AWS_ENDPOINT_URL", None)
        return
    if not _is_usable(endpoint):
        raw = os.environ["AWS_ENDPOINT_URL"]
        raise DeployError(f"AWS_ENDPOINT_URL is {raw!r}; it must be a URL such as {LOCALSTACK}")
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    if stage in EMULATED:
        bypass_proxy(urlsplit(endpoint).netloc.rpartition("@")[2])
        _check_localstack(endpoint)


def bypass_proxy(*hosts: str) -> None:
    """Let this process and its children reach this machine, and other hosts, without a proxy."""
    names = ("no_proxy", "NO_PROXY")
    either = next(filter(None, map(os.environ.get, names)), "")
    for name in names:
        before = os.environ.get(name) or either
        if before.strip() != "*":  # `*` means every host only if it stands alone
            known = filter(None, map(str.strip, before.split(",")))
            os.environ[name] = ",".join(dict.fromkeys(["127.0.0.1", "localhost", *hosts, *known]))


def _is_usable(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
    except ValueError:
        return False
    valid = botocore.utils.is_valid_endpoint_url(endpoint)
    return parts.scheme in ("http", "https") and bool(
        valid or botocore.utils.is_valid_ipv6_endpoint_url(endpoint)
    )


def _check_localstack(endpoint: str) -> None:
    """Raise DeployError unless LocalStack responds."""
    try:
        with urllib.request.urlopen(f"{endpoint}/_localstack/health", timeout=HEALTH_SECONDS) as answer:  # noqa: S310 # http(s), as checked
            known = "services" in json.load(answer)
    except (urllib.error.HTTPError, HTTPException, ValueError, TypeError):
        known = False
    except OSError as error:
        raise DeployError(f"nothing responds at {endpoint}: {START_OR_UNSET} ({error})") from None
    if not known:
        raise DeployError(f"the server at {endpoint} is not LocalStack: {START_OR_UNSET}")
