"""Logins to the store: a password, a secret of AWS Secrets Manager, or an IAM token."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import redis
from redis.credentials import CredentialProvider

from chalicelib.config import Settings

ACCESS_STRING: Final = (
    "~{c* ~{u* ~{x:* -@all +@connection +@hash +@list +@set +@sortedset +@string"
    " +eval +evalsha +script|load +time +del +unlink +exists +type"
    " +expire +expireat +pexpire +pexpireat +persist +ttl +pttl +cluster|slots"
    " -@admin -@dangerous -@blocking"
)
"""The ACL rules that the store's user needs (the "access string" of ElastiCache and MemoryDB)."""

TOKEN_SECONDS = 900
SECRET_CONNECT_SECONDS, SECRET_READ_SECONDS, SECRET_ATTEMPTS = 1, 2, 2


class CredentialsUnavailable(redis.AuthenticationError):
    """The credentials cannot be read; the text names the setting and the reason."""


class StoreLogin(CredentialProvider):
    """The login of a new connection.

    advice: What to check if the store refuses the login: the rest of a sentence after "check".
    """

    advice: str

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return user and password, or only the default user's password; raises CredentialsUnavailable."""
        raise NotImplementedError

    def renew(self) -> bool:
        """Look for a password newer than the refused one; return whether there is one."""
        return False


class PasswordLogin(StoreLogin):
    """A fixed user and password; user: None: the store's default user."""

    advice = "PARLEY_REDIS_USER and PARLEY_REDIS_PASSWORD"

    def __init__(self, user: str | None, password: str) -> None:
        self._pair = (user, password) if user else (password,)

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the user and password, or only the password."""
        return self._pair


class StoredSecret(msgspec.Struct, frozen=True):
    """The JSON of a secret, as AWS's rotation functions and CloudFormation's GenerateSecretString make it."""

    password: str
    username: str | None = None

    def __repr__(self) -> str:
        return "StoredSecret(***)"


class SecretLogin(StoreLogin):
    """The password in a secret of AWS Secrets Manager, read at the first connection and kept.

    secret: Its ARN or name. user: None: the `username` of the secret.
    """

    advice = "that the secret of PARLEY_REDIS_SECRET has the password of the store's user"

    def __init__(self, secret: str, user: str | None) -> None:
        self._secret = secret
        self._user = user
        self._login: PasswordLogin | None = None

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """Return the user and password of the secret as of its last read."""
        if self._login is None:
            self._login = self._read()
        return self._login.get_credentials()

    def renew(self) -> bool:
        """Read the secret again, as its password may have been rotated; return whether it has changed."""
        refused = self.get_credentials()
        self._login = self._read()
        return self._login.get_credentials() != refused

    def _read(self) -> PasswordLogin:
        with _aws("PARLEY_REDIS_SECRET"):
            text = self._client().get_secret_value(SecretId=self._secret).get("SecretString", "")
        try:
            stored = msgspec.json.decode(text, type=StoredSecret)
        except msgspec.DecodeError as error:
            raise CredentialsUnavailable(
                f"PARLEY_REDIS_SECRET: {self._secret} must be JSON with the key `password`: {error}"
            ) from None
        return PasswordLogin(self._user or stored.username, stored.password)

    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        patience = Config(
            connect_timeout=SECRET_CONNECT_SECONDS,
            read_timeout=SECRET_READ_SECONDS,
            retries={"total_max_attempts": SECRET_ATTEMPTS},
        )
        region = self._secret.split(":")[3] if self._secret.startswith("arn:") else None
        return boto3.client("secretsmanager", region_name=region, config=patience)


class IamLogin(StoreLogin):
    """An IAM token instead of a password: a request to the service, signed with AWS credentials.

    Each connection gets a new token, in 0.1 ms; the first one imports the signer, in 50 ms. A token is valid
    for 15 minutes, and the service closes a connection made with it after 12 hours.
    Source: "Authenticating with IAM" in the ElastiCache User Guide and in the MemoryDB Developer Guide.

    service: `elasticache` (a replication group), `elasticache-serverless` or `memorydb`. name: Of the cache
    or cluster. user: A user of the store with IAM authentication.
    """

    def __init__(self, service: str, name: str, user: str) -> None:
        self._service = service.removesuffix("-serverless")
        self._user = user
        query = {"Action": "connect", "User": user}
        if service == "elasticache-serverless":
            query["ResourceType"] = "ServerlessCache"
        self._request = f"{name.lower()}/?{urlencode(query)}"
        self.advice = (
            f"PARLEY_REDIS_IAM, PARLEY_REDIS_USER, and the permission {self._service}:Connect on both"
        )

    def get_credentials(self) -> tuple[str, str]:
        """Return the user and a new token."""
        with _aws("PARLEY_REDIS_IAM"):
            return self._user, self._token()

    def _token(self) -> str:
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        region = self._session.get_config_variable("region")
        credentials = self._session.get_credentials()
        if region is None or credentials is None:
            lacking = "AWS region (AWS_DEFAULT_REGION)" if region is None else "AWS credentials"
            raise CredentialsUnavailable(f"PARLEY_REDIS_IAM: there is no {lacking} to sign with")
        request = AWSRequest(method="GET", url=f"https://{self._request}")
        signer = SigV4QueryAuth(
            credentials.get_frozen_credentials(), self._service, region, expires=TOKEN_SECONDS
        )
        signer.add_auth(request)
        return str(request.url).removeprefix("https://")

    @functools.cached_property
    def _session(self) -> Any:
        from botocore.session import get_session

        return get_session()


@contextlib.contextmanager
def _aws(variable: str) -> Iterator[None]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise CredentialsUnavailable(f"{variable} needs boto3: pip install boto3") from None
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CredentialsUnavailable(f"{variable}: {error}") from error


def login_of(settings: Settings) -> StoreLogin | None:
    """Return the login of the settings; None: there is none, or REDIS_URL has it."""
    if settings.redis_iam:
        service, _, name = settings.redis_iam.partition(":")
        return IamLogin(service, name, settings.redis_user or "")
    if settings.redis_secret:
        return SecretLogin(settings.redis_secret, settings.redis_user)
    if settings.redis_password:
        return PasswordLogin(settings.redis_user, settings.redis_password.value)
    return None
