"""Clients of AWS or of an emulator, checked before anything is created."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any, Protocol

import boto3
import localstack_client.session
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from infra.deploy import endpoint
from infra.deploy.errors import DeployError
from infra.deploy.preflight import NO_CREDENTIALS, NO_REGION


class Session(Hashable, Protocol):
    """A session that creates clients: boto3's, or localstack-client's."""

    region_name: str

    def client(self, service_name: str, **options: Any) -> Any:
        """Return a client of a service by its name in boto3."""


def open_session(stage: str) -> Session:
    """Return a session for a stage: AWS by the usual settings of boto3, an emulator by AWS_ENDPOINT_URL.

    On the stages of an emulator, AWS_ENDPOINT_URL is reached without a proxy.
    Raises DeployError if the region is unknown, the credentials do not work, or LocalStack does not respond.
    """
    if stage not in endpoint.EMULATED:
        _require_region_and_credentials()
    region = region_of(stage)
    endpoint.settle(stage)
    if stage in endpoint.EMULATED:
        session: Session = localstack_client.session.Session(region_name=region)
    else:
        session = boto3.Session(region_name=region)
    account(session)
    return session


def _require_region_and_credentials() -> None:
    aws = boto3.Session()
    lacking = [] if aws.region_name else [NO_REGION]
    if aws.get_credentials() is None:
        lacking.append(NO_CREDENTIALS)
    if lacking:
        raise DeployError("; ".join(lacking))


@functools.cache
def account(session: Session) -> str:
    """Return the account of a session's credentials. Raises DeployError if they do not work."""
    try:
        return str(session.client("sts").get_caller_identity()["Account"])
    except EndpointConnectionError as error:
        if not (where := endpoint.configured()):
            raise DeployError(f"AWS does not respond: {error}") from None
        raise DeployError(f"nothing responds at {where}: {endpoint.START_OR_UNSET}") from None
    except (BotoCoreError, ClientError) as error:
        raise DeployError(f"the AWS credentials do not work: {error}") from None


def place(session: Session) -> str:
    """Return the account and region of a session, and the endpoint unless it is AWS's own."""
    where = endpoint.configured()
    return f"account {account(session)}, {session.region_name}" + (f" at {where}" if where else "")


def region_of(stage: str) -> str:
    """Return the configured region, or us-east-1 for an emulator without one. Raises DeployError."""
    configured: str | None = boto3.Session().region_name
    if not configured:
        if stage in endpoint.EMULATED:
            return "us-east-1"
        raise DeployError(NO_REGION)
    known = [
        name
        for partition in boto3.Session().get_available_partitions()
        for name in boto3.Session().get_available_regions("cloudformation", partition)
    ]
    if configured not in known:
        raise DeployError(
            f"{configured} is not an AWS region: set AWS_DEFAULT_REGION to one, such as us-east-1"
        )
    return configured
