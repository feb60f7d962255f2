"""How a word filter is asked: a Lambda function by a signed request, or a URL."""

from __future__ import annotations

import re
from typing import Any, Protocol
from urllib.parse import quote

from chalicelib.idle import LastUse
from chalicelib.push_gateway.signed_api import NoAnswer, SignedApi
from chalicelib.word_filter.verdict import FilterFailure

JSON = "application/json"
CONNECTIONS = 32
ARN_REGION = re.compile(r"arn:[a-z0-9-]+:lambda:([a-z0-9-]+):")
INVOCATIONS = "/2015-03-31/functions/{}/invocations"
"""The path of Invoke. Source: AWS Lambda API Reference."""
MAX_ANSWER_BYTES = 256 * 1024


class Asked(Protocol):
    """Something that answers questions of JSON by JSON; ask raises FilterFailure, and errors of urllib3."""

    def ask(self, question: bytes) -> bytes:
        """Return the answer."""
        ...


class LambdaFunction:
    """A Lambda function that is invoked and waited for. Needs botocore.

    function: Its name, with `:` and an alias if it has one, or its ARN. seconds: Maximum of one request.
    """

    def __init__(self, function: str, seconds: float) -> None:
        found = ARN_REGION.match(function)
        self._api = SignedApi("lambda", seconds, CONNECTIONS, found[1] if found else None)
        self._url = self._endpoint() + INVOCATIONS.format(quote(function, safe=""))

    def ask(self, question: bytes) -> bytes:
        """Return the function's answer; raises FilterFailure, and errors of urllib3 and botocore."""
        self._api.wake()
        try:
            answer = self._api.request("POST", self._url, question, JSON)
        except NoAnswer as error:
            raise FilterFailure(str(error)) from None
        if "X-Amz-Function-Error" in answer.headers:
            raise FilterFailure("the function raised an error")
        return _body(answer)

    def _endpoint(self) -> str:
        """Return the URL of the Lambda API, as AWS_ENDPOINT_URL_LAMBDA or AWS_ENDPOINT_URL has it, if set."""
        from botocore.configprovider import ConfiguredEndpointProvider

        session = self._api.session
        configured = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), "lambda")
        suffix = ".cn" if self._api.region.startswith("cn-") else ""
        usual = f"https://lambda.{self._api.region}.amazonaws.com{suffix}"
        return str(configured.provide() or usual).rstrip("/")


class WebHook:
    """A URL that takes a POST of JSON; seconds: Maximum of one request."""

    def __init__(self, url: str, seconds: float) -> None:
        from urllib3 import PoolManager

        self._url = url
        self._http = PoolManager(maxsize=CONNECTIONS, timeout=seconds)
        self._used = LastUse()

    def ask(self, question: bytes) -> bytes:
        """Return the body of the answer; raises FilterFailure, and errors of urllib3."""
        if self._used.renew():
            self._http.clear()
        headers = {"Content-Type": JSON}
        return _body(
            self._http.urlopen(
                "POST", self._url, body=question, headers=headers, retries=False, redirect=False
            )
        )


def _body(answer: Any) -> bytes:
    if answer.status != 200:
        raise FilterFailure(f"status {answer.status}")
    data: bytes = answer.data
    if len(data) > MAX_ANSWER_BYTES:
        raise FilterFailure(f"the answer has over {MAX_ANSWER_BYTES} bytes")
    return data
