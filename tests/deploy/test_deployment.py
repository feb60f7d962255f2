"""The applied and discarded changes of a stack, on moto's S3, with given changes and an API that answers."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest

from infra import package
from infra.deploy.changes import ChangeSet
from infra.deploy.deployment import Deployment
from infra.deploy.errors import DeployError
from infra.deploy.stack import Stack
from tests.deploy.endpoints import serving

DRY = "Dry run: the stack was not changed"
PROTECTED = "the stack was protected"
LOSING = ["ServerlessCache"]


class GivenChanges(ChangeSet):
    """Changes that would lose some resources' data; done: their outcomes."""

    def __init__(self, losses: list[str]) -> None:
        self._losses = losses
        self.done: list[str] = []

    def lines(self) -> list[str]:
        """Return one line for all of them."""
        return ["  Modify   Cache"]

    def losses(self) -> list[str]:
        """Return the names given."""
        return self._losses

    def execute(self) -> None:
        """Count as applied."""
        self.done.append("applied")

    def discard(self) -> None:
        """Count as discarded."""
        self.done.append("discarded")


class GivenStack(Stack):
    """A stack for which the changes given are proposed, None for none; its API is at a URL.

    names: outputs beside that of the URL.
    """

    names: ClassVar[dict[str, str]] = {}

    def __init__(
        self, session: boto3.Session, changes: ChangeSet | None, url: str, say: Callable[[str], None]
    ) -> None:
        super().__init__(session, "parley-prod", "prod", say)
        self._changes = changes
        self._url = url

    def describe(self) -> dict[str, Any]:
        """Return a stack that takes changes, with the API's URL."""
        outputs = {"EndpointURL": f"{self._url}/", **self.names}
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        return {"StackStatus": "CREATE_COMPLETE", "Outputs": listed}

    def propose(self, *_: Any) -> ChangeSet | None:
        """Return the changes."""
        return self._changes

    def apply(self, changes: ChangeSet) -> None:
        """Make the changes."""
        changes.execute()

    def protect(self) -> None:
        """Say so."""
        self._say(PROTECTED)

    def resource(self, name: str) -> str:
        """Return the name itself."""
        return name


Deploy = Callable[..., list[str]]


@pytest.fixture
def deploy(session: boto3.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Deploy]:
    """Return a function that runs a deployment of some changes, and returns its output."""

    def build(stage: str, out: Path) -> None:
        (out / "deployment.zip").write_bytes(b"code")
        (out / "sam.json").write_text(json.dumps({"Resources": {}}))

    monkeypatch.setattr(package, "build", build)
    (tmp_path / "ping").touch()
    with serving(functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)) as url:

        def deploy(changes: ChangeSet | None, **options: bool) -> list[str]:
            said: list[str] = []
            deployment = Deployment(session, "parley-prod", "prod", said.append)
            deployment.stack = GivenStack(session, changes, url, said.append)
            deployment.run({}, **options)
            return said

        yield deploy


def test_an_empty_store_is_not_put_in_place_of_a_full_one(deploy: Deploy) -> None:
    """Changes that would lose data are discarded; the error names the data and what to do."""
    changes = GivenChanges(LOSING)
    with pytest.raises(DeployError, match=r"^ServerlessCache would be replaced by an empty one") as raised:
        deploy(changes)
    assert "REPLACE_DATA=1" in str(raised.value)
    assert changes.done == ["discarded"]


def test_data_is_replaced_when_that_is_asked_for(deploy: Deploy) -> None:
    """With replace_data the same changes are made."""
    changes = GivenChanges(LOSING)
    said = deploy(changes, replace_data=True)
    assert changes.done == ["applied"]
    assert said[-1].startswith("Parley is deployed at http://127.0.0.1:")


@pytest.mark.parametrize("losses", [[], LOSING])
@pytest.mark.parametrize("replace_data", [False, True])
def test_a_dry_run_forgets_the_changes(deploy: Deploy, losses: list[str], replace_data: bool) -> None:
    """They are shown and discarded, whatever they would lose, and that is no error."""
    changes = GivenChanges(losses)
    said = deploy(changes, dry_run=True, replace_data=replace_data)
    assert changes.done == ["discarded"]
    assert PROTECTED not in said
    assert said[-2:] == ["Changes of parley-prod:\n  Modify   Cache", DRY]


def test_changes_that_lose_nothing_are_made(deploy: Deploy) -> None:
    """They need no permission."""
    changes = GivenChanges([])
    assert "Changes of parley-prod:\n  Modify   Cache" in deploy(changes)
    assert changes.done == ["applied"]


NAMED = {
    "ApiUrl": "https://chat.example",
    "DomainTarget": "d-1.execute-api.eu-west-1.amazonaws.com",
    "SocketUrl": "wss://sockets.chat.example/",
}


def test_own_domain_names_are_shown_with_dns_targets(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A domain name with a target is shown with it, for DNS; API Gateway's own names need nothing."""
    monkeypatch.setattr(GivenStack, "names", NAMED)
    lines = [line for line in deploy(None) if "CNAME" in line]

    assert lines == [f"https://chat.example works when its name is a CNAME of {NAMED['DomainTarget']}"]


FUNCTIONS: dict[str, Any] = {"AutoPublishAlias": "live", "Environment": {"Variables": {}}}


@pytest.fixture
def release(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a deployment to a stack with some values, which returns the uploaded release."""
    defaults = {"Store": "serverless", "StoreAuth": "iam", "Egress": "ipv6", "Rollout": "AllAtOnce"}
    names = {name: {"Default": value} for name, value in defaults.items()}
    template = {"Globals": {"Function": FUNCTIONS}, "Parameters": names, "Resources": {}}

    def build(stage: str, out: Path) -> None:
        (out / "deployment.zip").write_bytes(b"code")
        (out / "sam.json").write_text(json.dumps(template))

    def release(held: dict[str, str], **given: str) -> str:
        deployment = Deployment(session, "parley-prod", "prod", lambda line: None)
        monkeypatch.setattr(Stack, "parameters", lambda stack: held)
        url, _ = deployment._upload(given)
        bucket, key = url.split("/")[-2:]
        stored = json.load(session.client("s3").get_object(Bucket=bucket, Key=key)["Body"])
        return str(stored["Globals"]["Function"]["Environment"]["Variables"]["RELEASE"])

    monkeypatch.setattr(package, "build", build)
    monkeypatch.setattr(Stack, "taken_back", lambda stack: "")
    return release


def test_a_release_has_its_values(release: Callable[..., str]) -> None:
    """Values count as the stack will have them: given, kept or by default."""
    fresh = release({})

    assert fresh == release({"Store": "serverless"}) == release({"Store": "durable"}, Store="serverless")
    assert len({fresh, release({"Store": "durable"}), release({}, Egress="nat")}) == 3


def test_a_release_that_was_taken_back_can_be_deployed_again(
    release: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its versions stay, and Lambda publishes none that is as the last: the next release is another one."""
    failed = release({})
    again = []
    for time in ("12:00", "12:30"):
        monkeypatch.setattr(Stack, "taken_back", lambda stack, time=time: time)
        again.append(release({}))

    assert len({failed, *again}) == 3


CANARY = "Canary10Percent5Minutes"


@pytest.mark.parametrize(("name", "value"), [("Store", "durable"), ("StoreAuth", "password")])
def test_the_store_never_changes_by_parts(release: Callable[..., str], name: str, value: str) -> None:
    """Neither a given Rollout nor a kept one is accepted; the error says what to set."""
    held = {"Store": "serverless", "StoreAuth": "iam"}
    for stack, given in (({**held, "Rollout": CANARY}, {}), (held, {"Rollout": CANARY})):
        refusal = f"^{name} cannot change step by step.*deploy with Rollout=AllAtOnce"
        with pytest.raises(DeployError, match=refusal):
            release(stack, **given, **{name: value})
    assert release({**held, "Rollout": CANARY}, Rollout="AllAtOnce", **{name: value})


def test_all_else_changes_by_parts(release: Callable[..., str]) -> None:
    """A new stack, and one whose store stays, accept any Rollout."""
    assert release({}, Store="durable", Rollout=CANARY)
    assert release({"Store": "durable", "StoreAuth": "iam"}, Egress="nat", Rollout=CANARY)


@pytest.mark.parametrize("changes", [None, GivenChanges([])])
def test_a_deployed_stack_is_protected(deploy: Deploy, changes: ChangeSet | None) -> None:
    """A stack of stage prod is protected against deletion, also one made by an earlier version."""
    assert PROTECTED in deploy(changes)


@pytest.mark.parametrize(("dry_run", "last"), [(True, DRY), (False, "Parley is deployed at ")])
def test_nothing_to_change(deploy: Deploy, dry_run: bool, last: str) -> None:
    """A stack without changes is reported as up to date."""
    said = deploy(None, dry_run=dry_run)
    assert "parley-prod is up to date" in said
    assert said[-1].startswith(last)
