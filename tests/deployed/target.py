"""The target of the suite, chosen by the options of tests/deployed/options.py."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

from tests.deployed.client import check_answer
from tests.deployed.differences import DIFFERENCES

LOCALSTACK = re.compile(r"/_aws/execute-api/|/restapis/|\.localhost\.localstack\.cloud(?=[:/]|$)")
MINISTACK = re.compile(r"/_aws/execute-api/[^/]+/ministack(?=/|$)")
AWS = re.compile(r"\.execute-api\.[\w-]+\.amazonaws\.com(?:\.cn)?(?=[:/]|$)")


@dataclass(frozen=True)
class Target:
    """A running server.

    kind: one of differences.KINDS. url: its base URL, the stage's path included, without a slash at its end.
    through_chalice: whether it is a gateway that calls the application through Chalice.
    """

    kind: str
    url: str
    through_chalice: bool = False

    def differs(self, name: str) -> bool:
        """Say whether this target has a difference of that name; raises KeyError if none is listed."""
        return self.kind in DIFFERENCES[name].targets

    @property
    def takes_many_calls(self) -> bool:
        """Whether many generated calls are tried; elsewhere they are few, as the handlers are the same."""
        return self.kind == "gateway" and not self.through_chalice

    @property
    def is_emulated(self) -> bool:
        """Whether the target is an emulator of AWS."""
        return self.kind not in ("gateway", "aws")

    @property
    def challenge_header(self) -> str:
        """The header of a 401 that says how to authenticate."""
        renamed = self.differs("challenge-header-renamed")
        return "x-amzn-Remapped-WWW-Authenticate" if renamed else "WWW-Authenticate"

    @property
    def edge_id_header(self) -> str:
        """The header with the request's id in an answer of API Gateway's own."""
        bare = self.differs("gateway-responses-are-not-rendered")
        return "x-amzn-RequestId" if bare else "X-Request-Id"


def check_no_route(response: httpx.Response, target: Target) -> None:
    """Check that an answer is that of a path without a route."""
    if target.differs("gateway-responses-are-not-rendered"):
        assert (response.status_code, response.json()) == (403, {"message": "Missing Authentication Token"})
    else:
        check_answer(response)
        assert (response.status_code, response.json()["code"]) == (404, "no_such_route")


def guessed_kind(url: str) -> str:
    """Return the kind of server that a base URL looks like; an emulator is known by the stage's name."""
    if MINISTACK.search(url):
        return "ministack"
    if LOCALSTACK.search(url):
        return "localstack"
    return "aws" if AWS.search(url) else "gateway"
