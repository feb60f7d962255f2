"""docs/aws.md says what the templates do."""

from __future__ import annotations

import re

from infra.aws.fragments import Template
from tests.aws.emulation import IGNORED, LEFT_OUT, NOT_MADE
from tests.aws.packaging import ROOT
from tests.aws.reading import of_type, values

DOCUMENT = ROOT / "docs" / "aws.md"


def rows() -> dict[str, list[str]]:
    """Return the rows of every table of docs/aws.md by their first cell."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0].strip("`"): row for row in cells}


def test_document_has_every_parameter(prod: Template) -> None:
    """docs/aws.md has a row for each parameter with its default."""
    for name, parameter in prod["Parameters"].items():
        assert name in rows(), f"docs/aws.md has no row for the parameter {name}"
        default = str(parameter["Default"])
        assert rows()[name][1].strip("`") == (default or "empty"), name


def test_document_has_every_alarm_and_output(prod: Template) -> None:
    """docs/aws.md has a row for each alarm and each output."""
    alarms = {
        alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName} ")
        for alarm in of_type(prod, "AWS::CloudWatch::Alarm").values()
    }

    assert alarms <= rows().keys()
    assert prod["Outputs"].keys() <= rows().keys()


def limit(when: str) -> int:
    """Return the number that a row says an alarm is over: milliseconds for a time, 0 for anything at all."""
    if re.match(r"any\b|the dead-letter queue is not empty", when):
        return 0
    found = re.search(r"\bover (\d+) (percent|s|seconds|pushes)\b", when)
    assert found is not None, when
    return int(found[1]) * (1000 if found[2] == "s" else 1)


def test_alarms_fire_when_the_document_says(prod: Template) -> None:
    """Each alarm is over the number in its row, for as many minutes as stand there."""
    for alarm in of_type(prod, "AWS::CloudWatch::Alarm").values():
        name = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName} ")
        when = rows()[name][1]
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold", name
        assert alarm["Threshold"] == limit(when), name
        minutes = re.search(r"\bin (\d) of (\d) minutes", when)
        assert ("DatapointsToAlarm" in alarm) == (minutes is not None), name
        if minutes:
            periods = (str(alarm["DatapointsToAlarm"]), str(alarm["EvaluationPeriods"]))
            assert periods == minutes.groups(), name
            assert set(values(alarm, "Period")) == {60}, name
        assert minutes or "quarter of an hour" in when or alarm["EvaluationPeriods"] == 1, name


def test_document_lists_what_localstack_cannot_make() -> None:
    """docs/aws.md names each resource and property that the stack's tests leave out."""
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in NOT_MADE | LEFT_OUT | IGNORED.keys() if f"`{name}`" not in text] == []
