"""The management API of a WebSocket API: signed requests that push to a connection, or close it."""

from __future__ import annotations

import re
from urllib.parse import quote

from chalicelib.push_gateway.signed_api import SignedApi

HOST_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")
OCTETS = "application/octet-stream"


class ManagementApi(SignedApi):
    """Signed requests to one management API, over kept connections.

    url: Of the API up to its stage. timeout, connections: See SignedApi.
    """

    def __init__(self, url: str, timeout: float, connections: int) -> None:
        found = HOST_REGION.search(url)
        super().__init__("execute-api", timeout, connections, found[1] if found else None)
        self._url = url

    def status(self, method: str, connection: str, data: bytes) -> int:
        """Send a request about a connection, and return the answer's status.

        method: POST to push data, DELETE to close. Raises NoAnswer, and errors of urllib3 and botocore.
        """
        url = f"{self._url}/%40connections/{quote(connection, safe='')}"
        return self.request(method, url, data, OCTETS).status  # type: ignore[no-any-return]
