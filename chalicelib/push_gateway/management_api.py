"""The management API of a WebSocket API: signed requests that push to a connection, or close it."""

from __future__ import annotations

import re
import ssl
from urllib.parse import quote

from chalicelib.idle import LastUse

CONNECTING = 0.4
"""The part of a request's time within which it must connect."""
HOST_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")
USUAL_REGION = "us-east-1"


class NoAnswer(Exception):
    """A request timed out; the text names the kind of time-out."""


class ManagementApi:
    """Signed requests to one management API, over kept connections.

    url: Of the API up to its stage. timeout: Seconds of one request. connections: Maximum number of pooled
    ones. region: Of the signatures.

    Needs botocore. Its authorities (AWS_CA_BUNDLE) are read once, which takes 20 ms of CPU; botocore's own
    session reads them for each connection.
    """

    def __init__(self, url: str, timeout: float, connections: int) -> None:
        from botocore.session import Session
        from urllib3 import PoolManager, Timeout

        session = Session()
        found = HOST_REGION.search(url)
        self._url = url
        self.region: str = found[1] if found else session.get_config_variable("region") or USUAL_REGION
        self._credentials = session.get_credentials()
        self._http = PoolManager(
            maxsize=connections,
            timeout=Timeout(connect=CONNECTING * timeout, read=(1 - CONNECTING) * timeout),
            ssl_context=_context(session.get_config_variable("ca_bundle")),
        )
        self._used = LastUse()

    def wake(self) -> None:
        """Drop connections that were unused for long; call it before requests."""
        if self._used.is_long_ago():
            self._http.clear()
        self._used.note()

    def status(self, method: str, connection: str, data: bytes) -> int:
        """Send a request about a connection, and return the answer's status.

        method: POST to push data, DELETE to close. Raises NoAnswer, and errors of urllib3 and botocore.
        """
        from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

        url = f"{self._url}/%40connections/{quote(connection, safe='')}"
        headers = self._signed(method, url, data)
        try:
            answer = self._http.urlopen(
                method, url, body=data, headers=headers, retries=False, redirect=False
            )
        except NewConnectionError:  # refused: a time-out by its class alone
            raise
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise NoAnswer(type(error).__name__) from error
        return answer.status

    def _signed(self, method: str, url: str, data: bytes) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method, url, {"Content-Type": "application/octet-stream"}, data)
        credentials = self._credentials and self._credentials.get_frozen_credentials()
        SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        return dict(request.headers.items())


def _context(authorities: str | None) -> ssl.SSLContext:
    from botocore.httpsession import get_cert_path

    return ssl.create_default_context(cafile=authorities or get_cert_path(True))
