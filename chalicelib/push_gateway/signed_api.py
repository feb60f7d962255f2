"""Signed requests to an API of AWS, over kept connections, without boto3."""

from __future__ import annotations

import ssl
from typing import Any

from chalicelib.idle import LastUse

CONNECTING = 0.4
"""The part of a request's time within which it must connect."""
USUAL_REGION = "us-east-1"


class NoAnswer(Exception):
    """A request timed out; the text names the kind of time-out."""


class SignedApi:
    """Requests that are signed for a service of AWS, such as `lambda`, by the credentials of this process.

    timeout: Seconds of one request. connections: Maximum number of pooled ones. region: Of the signatures;
    None: the one of the environment.

    Needs botocore. Its authorities (AWS_CA_BUNDLE) are read once, which takes 20 ms of CPU; botocore's own
    session reads them for each connection.
    """

    def __init__(self, service: str, timeout: float, connections: int, region: str | None = None) -> None:
        from botocore.session import Session
        from urllib3 import PoolManager, Timeout

        self.session = Session()
        self.region: str = region or self.session.get_config_variable("region") or USUAL_REGION
        self._service = service
        self._credentials = self.session.get_credentials()
        self._http = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=CONNECTING * timeout, read=(1 - CONNECTING) * timeout),
            ssl_context=_context(self.session.get_config_variable("ca_bundle")),
        )
        self._used = LastUse()

    def wake(self) -> None:
        """Drop connections that were unused for long; call it before requests."""
        if self._used.renew():
            self._http.clear()

    def request(self, method: str, url: str, data: bytes, media_type: str) -> Any:
        """Send a request and return urllib3's answer; raises NoAnswer, errors of urllib3 and botocore."""
        from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

        headers = self._signed(method, url, data, media_type)
        try:
            return self._http.urlopen(method, url, body=data, headers=headers, retries=False, redirect=False)
        except NewConnectionError:  # refused: a time-out by its class alone
            raise
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise NoAnswer(type(error).__name__) from error

    def _signed(self, method: str, url: str, data: bytes, media_type: str) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, {"Content-Type": media_type}, data)
        credentials = self._credentials and self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, self._service, self.region).add_auth(request)
        return dict(request.headers.items())


def _context(authorities: str | None) -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    return ssl.create_default_context(cafile=authorities or get_cert_path(True))
