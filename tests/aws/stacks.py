"""Stacks made on LocalStack by the code that deploys."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from infra.aws.aliases import mark_release
from infra.aws.fragments import Template
from infra.deploy.errors import DeployError
from infra.deploy.sessions import Session
from infra.deploy.stack import Stack
from tests.aws.describers import Aws, Resource
from tests.aws.sam import transformed
from tests.servers.waiting import eventually

BUCKET = "templates"
HANDLERS = """def app(event, context):
    return None


rpc = work = sweep = media = import_users = socket_connect = socket_message = socket_disconnect = app
"""


class ProdStack:
    """A stack of the production template, with functions that do nothing."""

    def __init__(self, session: Session, name: str, endpoint: str) -> None:
        self.aws = Aws(session.client)
        self._stack = Stack(session, name, "localstack", lambda line: None)
        self._endpoint = endpoint
        self._name = name

    def put(self, template: Template, parameters: Mapping[str, str]) -> None:
        """Deploy a template with parameters. Raises DeployError."""
        changes = self._stack.propose(
            self._upload(template, parameters), parameters, sorted(template.get("Parameters", {}))
        )
        assert changes is not None
        self._stack.apply(changes)

    def delete(self) -> None:
        """Delete the stack. Raises DeployError."""
        self._stack.delete()

    def delete_half_made(self) -> bool:
        """Take down a stack that failed in the making; returns whether it is gone.

        LocalStack has it in state DELETE_FAILED, as soon as it meets what was never made, and goes on.
        """
        with contextlib.suppress(DeployError):
            self._stack.delete()
        return eventually(lambda: self._stack.describe() is None)

    def resources(self) -> dict[str, Resource]:
        """Return the stack's resources by name, as CloudFormation has them."""
        cloud = self.aws.cloudformation
        body = cloud.get_template(StackName=self._name, TemplateStage="Processed")["TemplateBody"]
        processed = body if isinstance(body, dict) else json.loads(body)
        held = cloud.describe_stack_resources(StackName=self._name)["StackResources"]
        ids = {one["LogicalResourceId"]: str(one.get("PhysicalResourceId")) for one in held}
        return {
            name: Resource(name, one["Type"], ids[name], one.get("Properties", {}), ids)
            for name, one in processed["Resources"].items()
            if name in ids
        }

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by name."""
        return self._stack.outputs()

    def _upload(self, template: Template, parameters: Mapping[str, str]) -> str:
        s3 = self.aws.s3
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="code.zip", Body=_code())
        body = json.dumps(transformed(released(template), parameters)).encode()
        s3.put_object(Bucket=BUCKET, Key=f"{self._name}.json", Body=body)
        return f"{self._endpoint}/{BUCKET}/{self._name}.json"


def _code() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as files:
        files.writestr("app.py", HANDLERS)
    return package.getvalue()


def released(template: Template, values: Mapping[str, str] | None = None) -> Template:
    """Return a template as it is uploaded.

    values: what tells releases apart; without, all are one, as LocalStack moves no alias.
    """
    copy: dict[str, Any] = json.loads(json.dumps(template))
    mark_release(copy, values or {})
    for resource in copy["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": "code.zip"}
    return copy
