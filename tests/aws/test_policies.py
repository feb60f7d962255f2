"""Parliament, a linter of IAM policies, finds nothing in the policies of the production stack."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator
from importlib import resources
from types import ModuleType
from typing import Any

import pytest

from infra.aws.fragments import Template
from tests.aws.lint_exceptions import PARLIAMENT
from tests.aws.policies import policies


@pytest.fixture(scope="module")
def parliament() -> Iterator[Any]:
    """The linter, with the one function of an older setuptools that it uses."""
    old = ModuleType("pkg_resources")
    vars(old)["resource_filename"] = lambda package, name: str(resources.files(package) / name)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setitem(sys.modules, "pkg_resources", old)
        warnings.simplefilter("ignore")  # its own code's, not ours
        import parliament  # type: ignore[import-untyped]

        yield parliament


def found(parliament: Any, name: str, policy: Template) -> set[tuple[str, str]]:
    """Return the linter's findings in a policy, by resource."""
    owner = "a function's role" if name.endswith("Role") else name
    findings = parliament.analyze_policy_string(json.dumps(policy)).findings
    return {(owner, finding.issue) for finding in findings}


def test_policies_are_sound(prod: Template, parliament: Any) -> None:
    """The linter finds exactly the accepted findings."""
    all_found = [found(parliament, name, policy) for name, policy in policies(prod)]

    assert len(all_found) >= 20
    assert set().union(*all_found) == PARLIAMENT.keys()


@pytest.mark.parametrize(
    ("statement", "issue"),
    [
        ({"Action": "sqs:SendMessages", "Resource": "*"}, "UNKNOWN_ACTION"),
        ({"Action": "sqs:SendMessage", "Resource": "arn:aws:s3:::media"}, "RESOURCE_MISMATCH"),
        ({"Action": "sqs:SendMessage", "Resource": {"Ref": "Work"}, "Effekt": "Allow"}, "MALFORMED"),
    ],
)
def test_the_linter_sees_what_is_unsound(
    prod: Template, parliament: Any, statement: Template, issue: str
) -> None:
    """An unknown action, and one that the resource cannot have, are found."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    made = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
    template = {**prod, "Resources": {**prod["Resources"], "Made": made}}
    (one,) = [policy for name, policy in policies(template) if name == "Made"]

    assert ("Made", issue) in found(parliament, "Made", one)
