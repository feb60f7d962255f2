"""From the last commit to a working API."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from infra import package
from infra.aws.aliases import alias_of, has_aliases, mark_release
from infra.deploy import endpoint
from infra.deploy.account import check_log_role
from infra.deploy.artifacts import Artifacts
from infra.deploy.changes import ChangeSet
from infra.deploy.errors import DeployError
from infra.deploy.rollout import check_rollout
from infra.deploy.sessions import Session
from infra.deploy.stack import Stack

ANSWER_SECONDS = 60.0
PROTECTED = ("prod",)
"""Stages whose stacks CloudFormation refuses to delete until `make undeploy` is confirmed."""


class Deployment:
    """Deploys the last commit to one stack.

    say: Prints a line of progress.
    shown_as: The URL of LocalStack to print; by default the one in use.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        stage: str,
        say: Callable[[str], None],
        shown_as: str | None = None,
    ) -> None:
        self._session = session
        self._stage = stage
        self._say = say
        self._shown_as = shown_as
        self.stack = Stack(session, name, stage, say)

    def run(
        self, parameters: Mapping[str, str], *, dry_run: bool = False, replace_data: bool = False
    ) -> None:
        """Package the last commit, and update the stack to its template.

        parameters: Values of the template's parameters by name. Others keep their value or get their default.
        dry_run: Show the changes without making them.
        replace_data: Make them even if an empty store or bucket replaces the present one.
        Raises DeployError or PackageError.
        """
        self.stack.check()
        template_url, known = self._upload(parameters)
        changes = self.stack.propose(template_url, parameters, known)
        if changes is None:
            self._say(f"{self.stack.name} is up to date")
        else:
            self._say("\n".join([f"Changes of {self.stack.name}:", *changes.lines()]))
            self._make(changes, dry_run=dry_run, replace_data=replace_data)
        if dry_run:
            self._say("Dry run: the stack was not changed")
        else:
            if self._stage in PROTECTED:
                self.stack.protect()
            self._check_api()

    def _make(self, changes: ChangeSet, *, dry_run: bool, replace_data: bool) -> None:
        losses = changes.losses()
        if dry_run or (losses and not replace_data):
            changes.discard()
        else:
            self.stack.apply(changes)
        if losses and not (dry_run or replace_data):
            raise DeployError(
                f"{', '.join(losses)} would be replaced by an empty one, so nothing was changed; back up the"
                " data, and give --replace-data (make deploy REPLACE_DATA=1) to replace it"
            )

    @property
    def _rpc(self) -> str:
        return alias_of("Rpc") if self._stage == "prod" else "Rpc"

    @property
    def url(self) -> str:
        """The URL of the deployed API, without a slash at the end."""
        return self._url(endpoint.configured())

    def _url(self, base: str | None) -> str:
        outputs = self.stack.outputs()
        if base:
            return f"{base}/_aws/execute-api/{outputs['RestAPIId']}/{self._stage}"
        return outputs["EndpointURL"].rstrip("/")

    def _upload(self, parameters: Mapping[str, str]) -> tuple[str, list[str]]:
        artifacts = Artifacts(self._session)
        with tempfile.TemporaryDirectory(prefix="parley-deploy-") as folder:
            self._say(f"Packaging the last commit for stage {self._stage}")
            package.build(self._stage, Path(folder))
            template = Path(folder) / "sam.json"
            contents = json.loads(template.read_text())
            known = _checked_names(contents, parameters)
            held = self.stack.parameters()
            values = _values(contents, held, parameters)
            check_rollout(values, held)
            check_log_role(self._session, values, held)
            if has_aliases(contents):
                mark_release(contents, values, self.stack.taken_back())
                template.write_text(json.dumps(contents))
            artifacts.prepare()
            self._say(f"Uploading to s3://{artifacts.bucket}")
            return artifacts.upload_template(template, Path(folder) / "deployment.zip"), known

    def _check_api(self) -> None:
        """Request the API's /ping: a complete stack does not prove that the API works."""
        url = self.url
        try:
            with urllib.request.urlopen(f"{url}/ping", timeout=ANSWER_SECONDS) as answer:  # noqa: S310 # our own
                answer.read()
        except (OSError, HTTPException) as error:
            raise DeployError(
                f"the stack exists, but {url}/ping fails ({error}); the function's log says why"
            ) from None
        for line in _records(self.stack.outputs()):
            self._say(line)
        self._say(f"Its rpc function is {self.stack.resource(self._rpc)}")
        self._say(f"Parley is deployed at {self._url(self._shown_as) if self._shown_as else url}")


def _records(outputs: Mapping[str, str]) -> list[str]:
    """Return the DNS records that the operator's own names need, one line each."""
    names = (("ApiUrl", "DomainTarget"), ("SocketUrl", "SocketDomainTarget"))
    return [
        f"{outputs[url]} works when its name is a CNAME of {outputs[target]}"
        for url, target in names
        if target in outputs
    ]


def _values(template: dict[str, Any], held: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a template's parameters: the given value, the stack's, or the default."""
    return {
        name: given.get(name, held.get(name, str(parameter.get("Default", ""))))
        for name, parameter in template.get("Parameters", {}).items()
    }


def _checked_names(template: dict[str, Any], parameters: Mapping[str, str]) -> list[str]:
    known = sorted(template.get("Parameters", {}))
    for name in parameters:
        if name not in known:
            raise DeployError(f"the template has no parameter {name}; it has {', '.join(known) or 'none'}")
    return known
