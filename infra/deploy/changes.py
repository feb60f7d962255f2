"""Proposed changes of a stack."""

from __future__ import annotations

import functools
from typing import Any

from botocore.exceptions import WaiterError

from infra.deploy.errors import DeployError

NOTHING_TO_CHANGE = ("didn't contain changes", "No updates are to be performed")
DATA = ("AWS::ElastiCache::ServerlessCache", "AWS::MemoryDB::Cluster", "AWS::S3::Bucket")
"""Types of resources that lose their data when they are replaced."""


class ChangeSet:
    """Proposed changes, not yet made; fresh: Whether the stack does not exist yet."""

    def __init__(self, cloud: Any, identity: str, *, fresh: bool) -> None:
        self._cloud = cloud
        self._identity = identity
        self._fresh = fresh

    def ready(self) -> bool:
        """Wait until the changes are known; return False for none. Raises DeployError on a refusal."""
        try:
            self._cloud.get_waiter("change_set_create_complete").wait(
                ChangeSetName=self._identity, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
            )
        except WaiterError:
            reason = str(self._described.get("StatusReason", "no reason given"))
            self.discard()
            if any(text in reason for text in NOTHING_TO_CHANGE):
                return False
            raise DeployError(f"CloudFormation refuses the changes: {reason}") from None
        if not self._changes:  # LocalStack returns an empty reason
            self.discard()
            return False
        return True

    def lines(self) -> list[str]:
        """Return the changes, one line each: action, resource, type, and whether it is replaced."""
        return [
            f"  {change['Action']:<8} {change['LogicalResourceId']:<34} {change['ResourceType']}"
            + ("  REPLACED" if change.get("Replacement") == "True" else "")
            for change in self._changes
        ]

    def losses(self) -> list[str]:
        """Return the names of resources with data that would be replaced or left behind."""
        return [
            change["LogicalResourceId"]
            for change in self._changes
            if change["ResourceType"] in DATA
            and (change["Action"] == "Remove" or change.get("Replacement") in ("True", "Conditional"))
        ]

    def execute(self) -> None:
        """Start making the changes."""
        self._cloud.execute_change_set(ChangeSetName=self._identity)

    def discard(self) -> None:
        """Delete the changes, and the empty stack that stands for one that does not exist yet."""
        stack = self._described["StackId"]
        self._cloud.delete_change_set(ChangeSetName=self._identity)
        if self._fresh:
            self._cloud.delete_stack(StackName=stack)

    @property
    def _changes(self) -> list[dict[str, Any]]:
        return [change["ResourceChange"] for change in self._described["Changes"]]

    @functools.cached_property
    def _described(self) -> dict[str, Any]:
        """Return CloudFormation's description of the changes, with all pages in one."""
        pages = self._cloud.get_paginator("describe_change_set").paginate(ChangeSetName=self._identity)
        whole: dict[str, Any] = {}
        for page in pages:
            whole = {**page, "Changes": [*whole.get("Changes", []), *page.get("Changes", [])]}
        return whole
