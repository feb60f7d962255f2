"""Logins to the store: passwords, secrets and IAM tokens; AWS is moto's."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import boto3
import pytest
import redis
from botocore.credentials import Credentials
from botocore.model import ServiceId
from botocore.session import get_session
from botocore.signers import RequestSigner
from moto import mock_aws

from chalicelib.config import Secret, Settings
from chalicelib.store.redis.credentials import (
    CredentialsUnavailable,
    IamLogin,
    SecretLogin,
    StoredSecret,
    login_of,
)

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
STAMP = "20261121T120030Z"
REGION = "eu-north-1"
KEY, SECRET_KEY, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+session/token=="
WORD = "chrysanthemum"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS identity of this process, and a clock that stands still."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)


# --- IAM ----------------------------------------------------------------------------------------------------

CASES = [
    ("elasticache", "elasticache", {"Action": "connect", "User": "parley"}),
    (
        "elasticache-serverless",
        "elasticache",
        {"Action": "connect", "User": "parley", "ResourceType": "ServerlessCache"},
    ),
    ("memorydb", "memorydb", {"Action": "connect", "User": "parley"}),
]


def presigned(service: str, query: dict[str, str]) -> str:
    """Return the token as botocore's own generator of presigned URLs makes it."""
    session = get_session()
    signer = RequestSigner(
        ServiceId(service),
        REGION,
        service,
        "v4",
        Credentials(KEY, SECRET_KEY, SESSION),
        session.get_component("event_emitter"),
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"https://chat-store/?{urlencode(query)}",
            "body": {},
            "headers": {},
            "context": {},
        },
        operation_name="connect",
        expires_in=900,
        region_name=REGION,
    )
    return str(url).removeprefix("https://")


def signature(service: str, token: str) -> str:
    """Return the signature that a token must have, step by step as AWS documents Signature Version 4."""

    def keyed(key: bytes, text: str) -> bytes:
        return hmac.digest(key, text.encode(), "sha256")

    host, _, query = token.partition("/?")
    pairs = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(query))
    canonical_query = "&".join(f"{k}={v}" for k, v in pairs if k != "X-Amz-Signature")
    empty = hashlib.sha256(b"").hexdigest()
    canonical = "\n".join(["GET", "/", canonical_query, f"host:{host}", "", "host", empty])
    scope = f"{STAMP[:8]}/{REGION}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = keyed(key, part)
    return keyed(key, "\n".join(["AWS4-HMAC-SHA256", STAMP, scope, digest])).hex()


@pytest.mark.parametrize(("kind", "service", "query"), CASES)
def test_iam_token_is_the_documented_presigned_request(
    aws: None, kind: str, service: str, query: dict[str, str]
) -> None:
    """A token is the presigned request that AWS documents, for 15 minutes, without its scheme."""
    user, token = IamLogin(kind, "Chat-Store", "parley").get_credentials()

    asked = dict(parse_qsl(token.partition("?")[2]))
    assert user == "parley"
    assert token.startswith("chat-store/?Action=connect&User=parley")
    assert asked.items() >= query.items()
    assert (asked["X-Amz-Expires"], asked["X-Amz-Security-Token"]) == ("900", SESSION)
    assert asked["X-Amz-Signature"] == signature(service, token)
    assert token == presigned(service, query)


def test_a_token_is_of_its_moment(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection gets a token signed when it is opened."""
    login = IamLogin("memorydb", "chat-store", "parley")
    before = login.get_credentials()
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(minute=20))

    assert login.get_credentials() != before
    assert "20261121T122030Z" in login.get_credentials()[1]


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        (["AWS_DEFAULT_REGION"], "AWS_DEFAULT_REGION"),
        (["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "credentials"),
        (["AWS_SECRET_ACCESS_KEY"], "Partial credentials"),
    ],
)
def test_nothing_to_sign_with(
    aws: None, monkeypatch: pytest.MonkeyPatch, lacking: list[str], expected: str
) -> None:
    """Without a region, or credentials to sign with, no token is made, and the error says what is missing."""
    for name in lacking:
        monkeypatch.delenv(name)

    with pytest.raises(CredentialsUnavailable, match=f"PARLEY_REDIS_IAM: .*{expected}"):
        IamLogin("memorydb", "chat-store", "parley").get_credentials()


# --- Secrets Manager ----------------------------------------------------------------------------------------


@pytest.fixture
def secrets(aws: None) -> Iterator[Any]:
    """Secrets Manager, empty."""
    with mock_aws():
        yield boto3.client("secretsmanager")


def put(secrets: Any, value: Any) -> str:
    """Store a secret, as JSON unless it is text, and return its ARN."""
    text = value if isinstance(value, str) else json.dumps(value)
    return str(secrets.create_secret(Name="parley/store", SecretString=text)["ARN"])


@pytest.mark.parametrize(
    ("stored", "user", "expected"),
    [
        ({"password": WORD}, None, (WORD,)),
        ({"password": WORD, "username": "parley"}, None, ("parley", WORD)),
        ({"password": WORD}, "visitor", ("visitor", WORD)),
        ({"password": WORD, "username": "parley", "engine": "valkey"}, "visitor", ("visitor", WORD)),
    ],
)
def test_secret_supplies_password_and_user(
    secrets: Any, stored: dict[str, str], user: str | None, expected: tuple[str, ...]
) -> None:
    """A secret, by name or ARN, supplies the password, and the user unless a setting names one."""
    arn = put(secrets, stored)

    for name in (arn, "parley/store"):
        assert SecretLogin(name, user).get_credentials() == expected


def test_secret_of_another_region(secrets: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ARN is asked for in its own region."""
    arn = put(secrets, {"password": WORD})
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")

    assert SecretLogin(arn, None).get_credentials() == (WORD,)


def test_a_secret_is_read_once(secrets: Any) -> None:
    """A secret is not read before the first connection, and kept for later ones."""
    login = SecretLogin("parley/store", None)
    put(secrets, {"password": WORD})
    login.get_credentials()
    secrets.delete_secret(SecretId="parley/store", ForceDeleteWithoutRecovery=True)

    assert login.get_credentials() == (WORD,)


def test_renewed_secret_reports_a_new_password(secrets: Any) -> None:
    """A renewal says whether the secret has changed since, and gives the new password."""
    arn = put(secrets, {"password": "old"})
    login = SecretLogin(arn, "parley")
    assert not login.renew()

    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps({"password": "new"}))

    assert login.get_credentials() == ("parley", "old")
    assert login.renew()
    assert login.get_credentials() == ("parley", "new")


@pytest.mark.parametrize("stored", [WORD, f'"{WORD}"', {"pass": WORD}, {"password": [WORD]}, f'{{"{WORD}'])
def test_a_secret_of_another_form(secrets: Any, stored: Any) -> None:
    """A secret without a password gives a one-line error that names it, and shows nothing of it."""
    arn = put(secrets, stored)

    with pytest.raises(CredentialsUnavailable, match=r"PARLEY_REDIS_SECRET: .*`password`") as raised:
        SecretLogin(arn, None).get_credentials()

    assert WORD not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_secret_that_is_not_there(secrets: Any) -> None:
    """The error of a missing secret says so."""
    with pytest.raises(CredentialsUnavailable, match=r"PARLEY_REDIS_SECRET: .*ResourceNotFoundException"):
        SecretLogin("parley/other", None).get_credentials()


def test_missing_boto3_is_named_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without boto3 the error says that it is needed."""
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)

    with pytest.raises(CredentialsUnavailable, match="PARLEY_REDIS_SECRET needs boto3"):
        SecretLogin("parley/store", None).get_credentials()


# --- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"redis_password": Secret(WORD)}, (WORD,)),
        ({"redis_password": Secret(WORD), "redis_user": "parley"}, ("parley", WORD)),
    ],
)
def test_password_without_user_is_the_default_users(
    fields: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """A password is the default user's, unless a user is set."""
    login = login_of(Settings(**fields))

    assert login is not None
    assert login.get_credentials() == expected
    assert not login.renew()


def test_no_setting_adds_nothing_to_redis_url() -> None:
    """Without credentials in the settings, REDIS_URL alone counts."""
    assert login_of(Settings(redis_url=f"redis://parley:{WORD}@127.0.0.1")) is None


def test_nothing_shows_a_password() -> None:
    """Neither the login nor the decoded secret shows the password."""
    for one in (
        login_of(Settings(redis_password=Secret(WORD))),
        StoredSecret(WORD),
        SecretLogin("parley/store", WORD),
    ):
        assert WORD not in repr(one)


def test_what_is_missing_is_a_failed_login() -> None:
    """redis-py closes the connection when there is no login, as it does after a refusal."""
    assert issubclass(CredentialsUnavailable, redis.AuthenticationError)
