"""The policies of a template as IAM gets them, with made-up names for CloudFormation's values."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

from infra.aws.fragments import Template

HERE = "us-east-1:111122223333"
PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "111122223333",
    "AWS::StackName": "parley",
    "AWS::StackId": f"arn:aws:cloudformation:{HERE}:stack/parley/0a1b2c3d-0",
}
# What a Ref to a resource of a type, or its Arn, is in a policy; of others it is a name.
ARNS = {
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
    "AWS::SecretsManager::Secret": f"arn:aws:secretsmanager:{HERE}:secret:{{}}-abcdef",
}
# Who may take a role: such a document has no resources.
TRUST = "AssumeRolePolicyDocument"


def policies(template: Template) -> Iterator[tuple[str, Template]]:
    """Yield each policy of a template, with its resource's name, for each outcome of its conditions."""
    for name, resource in template["Resources"].items():
        for document in _documents(resource.get("Properties", {})):
            conditions = sorted(set(re.findall(r'"Fn::If": \["(\w+)"', json.dumps(document))))
            for outcomes in itertools.product([True, False], repeat=len(conditions)):
                filler = _Filler(template, dict(zip(conditions, outcomes, strict=True)))
                yield name, filler.filled(document)


def _documents(value: Any) -> Iterator[Template]:
    if isinstance(value, dict):
        if "Statement" in value and "Version" in value:
            yield value
            return
        for key, item in value.items():
            yield from _documents(item if key != TRUST else None)
    elif isinstance(value, list):
        for item in value:
            yield from _documents(item)


class _Filler:
    """Fills in CloudFormation's values, under given outcomes of conditions."""

    def __init__(self, template: Template, outcomes: dict[str, bool]) -> None:
        self._template = template
        self._outcomes = outcomes

    def filled(self, value: Any) -> Any:
        """Return a value without intrinsic functions."""
        if isinstance(value, list):
            return [one for one in map(self.filled, value) if one is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name.startswith("Fn::") or name == "Ref":
                return getattr(self, f"_{name.removeprefix('Fn::').lower()}")(argument)
        return {key: self.filled(item) for key, item in value.items()}

    def _ref(self, name: str) -> str | None:
        if name == "AWS::NoValue":
            return None
        if name in PSEUDO:
            return PSEUDO[name]
        kind = self._template["Resources"].get(name, {}).get("Type")
        return ARNS.get(kind, "{}").format(name.lower())

    def _getatt(self, argument: list[str]) -> str | None:
        return self._ref(argument[0])

    def _if(self, argument: list[Any]) -> Any:
        name, met, otherwise = argument
        return self.filled(met if self._outcomes[name] else otherwise)

    def _join(self, argument: list[Any]) -> str:
        between, parts = argument
        return str(between).join(self.filled(parts))

    def _select(self, argument: list[Any]) -> Any:
        index, values = argument
        return self.filled(values)[int(index)]

    def _split(self, argument: list[Any]) -> list[str]:
        between, text = argument
        return str(self.filled(text)).split(between)

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument

        def value(found: re.Match[str]) -> str:
            name, _, attribute = found[1].partition(".")
            if name in own:
                return str(self.filled(own[name]))
            return str(self._ref(name)) if attribute or name in PSEUDO else name.lower()

        return re.sub(r"\$\{([\w.:]+)}", value, text)
