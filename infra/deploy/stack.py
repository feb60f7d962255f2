"""One CloudFormation stack: its state, its proposed changes, and making them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from infra.deploy.changes import ChangeSet
from infra.deploy.errors import DeployError
from infra.deploy.sessions import Session

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
FIRST_POLL_SECONDS, POLL_SECONDS = 0.2, 2.0
"""Pauses between looks at a change under way: the first one, which doubles each time up to the other."""

# States in which a stack cannot be changed, each with what to do.
STUCK = {
    "ROLLBACK_COMPLETE": "it was never completed: delete it with `make undeploy {which}`, then deploy",
    "ROLLBACK_FAILED": "it was never completed: delete it with `make undeploy {which}`, then deploy",
    "CREATE_FAILED": "it was never completed: delete it with `make undeploy {which}`, then deploy",
    "DELETE_FAILED": "finish deleting it with `make undeploy {which}`",
    "UPDATE_ROLLBACK_FAILED": "run `aws cloudformation continue-update-rollback --stack-name {name}` first",
    "UPDATE_FAILED": "run `aws cloudformation rollback-stack --stack-name {name}` first",
}


class Stack:
    """The stack of a stage, in the account and region of a session.

    say: Prints a line of progress.
    begun: Whether CloudFormation has begun a change.
    """

    def __init__(self, session: Session, name: str, stage: str, say: Callable[[str], None]) -> None:
        self._cloud = session.client("cloudformation")
        self.name = name
        self._stage = stage
        self._say = say
        self.begun = False

    def describe(self) -> dict[str, Any] | None:
        """Return CloudFormation's description of the stack; None if it does not exist."""
        try:
            stack: dict[str, Any] = self._cloud.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise DeployError(f"the stack {self.name} cannot be read: {error}") from None
        return stack

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by name."""
        stack = self.describe() or {}
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """Return the stack's values of its parameters by name; empty if the stack does not exist."""
        stack = self.describe() or {"StackStatus": "REVIEW_IN_PROGRESS"}
        if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            return {}
        return {held["ParameterKey"]: held["ParameterValue"] for held in stack.get("Parameters", [])}

    def taken_back(self) -> str:
        """Return the time of the last update if CloudFormation has rolled it back, or else ''."""
        stack = self.describe() or {}
        is_back = stack.get("StackStatus") == "UPDATE_ROLLBACK_COMPLETE"
        return str(stack.get("LastUpdatedTime", "")) if is_back else ""

    def resource(self, name: str) -> str:
        """Return the id, in its own service, of a resource by its name in the template."""
        found = self._cloud.describe_stack_resource(StackName=self.name, LogicalResourceId=name)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def check(self) -> dict[str, Any] | None:
        """Return the description of a changeable stack; else raises DeployError with what to do."""
        stack = self.describe()
        status = (stack or {}).get("StackStatus", "")
        if status in STUCK:
            named = "" if self.name == f"parley-{self._stage}" else f" NAME={self.name}"
            what = STUCK[status].format(which=f"STAGE={self._stage}{named}", name=self.name)
            raise DeployError(f"the stack {self.name} is in state {status}; {what}{self._because()}")
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise DeployError(f"the stack {self.name} is in state {status}; wait until that has ended")
        return stack

    def propose(self, template_url: str, parameters: Mapping[str, str], known: list[str]) -> ChangeSet | None:
        """Return the changes that a template would make, or None; changes nothing.

        parameters: New values.
        known: The template's parameters. Those that are not given keep the stack's value.
        Raises DeployError if the template or a value is not accepted.
        """
        stack = self.check()
        fresh = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
        held = {} if stack is None or fresh else {p["ParameterKey"] for p in stack.get("Parameters", [])}
        kept = [name for name in known if name in held and name not in parameters]
        self.begun = True
        try:
            made = self._cloud.create_change_set(
                StackName=self.name,
                ChangeSetName=f"deploy-{int(time.time())}",
                ChangeSetType="CREATE" if fresh else "UPDATE",
                TemplateURL=template_url,
                Parameters=_values(parameters, kept),
                Capabilities=list(CAPABILITIES),
                Tags=[{"Key": "project", "Value": "parley"}, {"Key": "stage", "Value": self._stage}],
            )
        except ClientError as error:
            raise DeployError(f"CloudFormation does not accept the template: {error}") from None
        changes = ChangeSet(self._cloud, made["Id"], fresh=fresh)
        return changes if changes.ready() else None

    def apply(self, changes: ChangeSet) -> None:
        """Make the changes and report each resource. Raises DeployError if one fails."""
        seen = {event["EventId"] for event in self._events()}
        changes.execute()
        self._follow(seen)

    def protect(self) -> None:
        """Protect the stack against deletion until `delete` is called."""
        if not (self.describe() or {}).get("EnableTerminationProtection"):
            self._set_protection(on=True)
            self._say(f"{self.name} is protected against deletion; `make undeploy` deletes it")

    def delete(self) -> None:
        """Delete the stack, protected or not; resources that its template retains stay.

        Raises DeployError on failure.
        """
        stack = self.describe()
        if stack is None:
            raise DeployError(f"there is no stack {self.name}")
        seen = {event["EventId"] for event in self._events()}
        self.begun = True
        if stack.get("EnableTerminationProtection"):
            self._set_protection(on=False)
        self._cloud.delete_stack(StackName=self.name)
        self._follow(seen)

    def _set_protection(self, *, on: bool) -> None:
        self._cloud.update_termination_protection(StackName=self.name, EnableTerminationProtection=on)

    def _follow(self, seen: set[str]) -> None:
        failures: list[str] = []
        pause = FIRST_POLL_SECONDS
        while True:
            stack = self.describe()
            for event in self._new_events(seen):
                if event["ResourceStatus"].endswith("_IN_PROGRESS"):
                    continue
                self._say(f"  {event['ResourceStatus']:<28} {event['LogicalResourceId']}")
                if event["ResourceStatus"].endswith("_FAILED"):
                    failures.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}")
            status = "DELETE_COMPLETE" if stack is None else str(stack["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(pause)
            pause = min(2 * pause, POLL_SECONDS)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
            reason = failures[0] if failures else status
            raise DeployError(f"the stack {self.name} is in state {status}; the first failure: {reason}")

    def _new_events(self, seen: set[str]) -> Iterator[dict[str, Any]]:
        for event in reversed(list(self._events())):
            if event["EventId"] not in seen:
                seen.add(event["EventId"])
                yield event

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            for page in self._cloud.get_paginator("describe_stack_events").paginate(StackName=self.name):
                yield from page["StackEvents"]
        except ClientError:
            return  # the stack is deleted, or does not exist yet

    def _because(self) -> str:
        failed = [event for event in self._events() if event["ResourceStatus"].endswith("_FAILED")]
        if not failed:
            return ""
        return (
            f" (it failed at {failed[-1]['LogicalResourceId']}: {failed[-1].get('ResourceStatusReason', '')})"
        )


def _values(given: Mapping[str, str], kept: Sequence[str]) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()]
    return values + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
