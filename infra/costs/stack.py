"""The resources of the production stack that cost money, read from its templates and parameters."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from infra.aws.template import merge_template

CHALICE = Path(__file__).parents[2] / ".chalice" / "config.json"
MINUTES_OF = {"minute": 1, "hour": 60, "day": 24 * 60}


def memory_mb() -> float:
    """Return the memory of most functions: the template's parameter, or Chalice's value."""
    parameter = _template()["Parameters"].get("FunctionMemory")
    if parameter is not None:
        return float(parameter["Default"])
    return float(json.loads(CHALICE.read_text(encoding="utf-8"))["lambda_memory_size"])


def stack_resources(given: Mapping[str, str]) -> Counter[str]:
    """Return the number of each resource of a stack, see `counted`; given: Values of its parameters."""
    return _counted(tuple(sorted(given.items())))


def parameters() -> set[str]:
    """Return the names of the stack's parameters."""
    return set(_template()["Parameters"])


def template_parameter(name: str) -> dict[str, Any]:
    """Return the template's description of a parameter; raises KeyError for an unknown name."""
    found: dict[str, Any] = _template()["Parameters"][name]
    return found


def parameter(name: str, given: Mapping[str, str]) -> str:
    """Return the value of a parameter of the stack; raises KeyError for an unknown name."""
    return given.get(name, str(_template()["Parameters"][name]["Default"]))


def runs_a_minute(given: Mapping[str, str]) -> float:
    """Return the number of calls a minute by the stack's schedules."""
    rules = [
        there for there in _held(_template(), given).values() if there.get("Type") == "AWS::Events::Rule"
    ]
    return sum(1 / _minutes(rule["Properties"]["ScheduleExpression"]) for rule in rules)


def access_logs(given: Mapping[str, str]) -> dict[str, bool]:
    """Return whether the stages of `rest` and `socket` have an access log."""
    resources, held = _template()["Resources"], _condition(_template(), given)
    stages = {"rest": "RestAPI", "socket": "WebsocketAPIStage"}

    def logged(stage: str) -> bool:
        properties = resources.get(stage, {}).get("Properties", {})
        settings = properties.get("AccessLogSettings", properties.get("AccessLogSetting"))
        if isinstance(settings, dict) and "Fn::If" in settings:
            return held(settings["Fn::If"][0])
        return settings is not None

    return {kind: logged(stage) for kind, stage in stages.items()}


def counted(template: Mapping[str, Any], given: Mapping[str, str]) -> Counter[str]:
    """Count the resources that a template makes, by type without `AWS::`.

    given: Values of parameters by name; others have their defaults.

    As AWS charges them, an alarm counts once for each metric, and an interface endpoint once for each subnet.
    `WAFv2::Rule` counts the rules of web ACLs.
    """
    counts: Counter[str] = Counter()
    for resource in _held(template, given).values():
        kind = str(resource.get("Type", "")).removeprefix("AWS::")
        counts[kind] += _charged_as(kind, resource.get("Properties", {}))
        if kind == "WAFv2::WebACL":
            counts["WAFv2::Rule"] += len(resource["Properties"].get("Rules", []))
    return counts


@cache
def _template() -> dict[str, Any]:
    return merge_template("prod")


@cache
def _counted(given: tuple[tuple[str, str], ...]) -> Counter[str]:
    return counted(_template(), dict(given))


def _held(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the resources without a condition, or whose condition holds."""
    holds = _condition(template, given)
    resources: dict[str, dict[str, Any]] = template["Resources"]
    return {name: one for name, one in resources.items() if "Condition" not in one or holds(one["Condition"])}


def _condition(template: Mapping[str, Any], given: Mapping[str, str]) -> Callable[[str], bool]:
    """Return a function that evaluates a condition of a template by its name."""
    defaults = {name: str(part.get("Default", "")) for name, part in template.get("Parameters", {}).items()}
    conditions, values = template.get("Conditions", {}), {**defaults, **given}
    return lambda name: _holds({"Condition": name}, conditions, values)


def _charged_as(kind: str, properties: Mapping[str, Any]) -> int:
    if kind == "CloudWatch::Alarm" and "Metrics" in properties:
        return sum("MetricStat" in metric for metric in properties["Metrics"])
    if kind == "Logs::MetricFilter":
        return len(properties["MetricTransformations"])
    if kind == "EC2::VPCEndpoint":
        return len(properties["SubnetIds"]) if properties.get("VpcEndpointType") == "Interface" else 0
    return 1


def _minutes(schedule: str) -> float:
    """Return the minutes between two runs; raises ValueError for a schedule that the model cannot read."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if found is None:
        raise ValueError(f"the model of costs reads schedules like rate(1 minute), and not {schedule}")
    return int(found[1]) * MINUTES_OF[found[2]]


def _holds(expression: Any, conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Evaluate a condition of a template; the functions below are all that it may use."""
    ((function, argument),) = expression.items()
    if function == "Condition":
        return _holds(conditions[argument], conditions, values)
    if function == "Fn::Equals":
        left, right = (str(values.get(side["Ref"]) if isinstance(side, dict) else side) for side in argument)
        return left == right
    parts = [_holds(part, conditions, values) for part in argument]
    return {"Fn::And": all(parts), "Fn::Or": any(parts), "Fn::Not": not parts[0]}[function]
