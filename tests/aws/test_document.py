"""docs/aws.md matches the templates."""

from __future__ import annotations

import re

from infra.aws.fragments import Template
from infra.aws.template import FRAGMENTS
from infra.costs.resources import uncounted, unknown
from infra.costs.stack import memory_mb
from tests.aws.emulation import IGNORED, LEFT_OUT, NOT_MADE
from tests.aws.packaging import ROOT
from tests.aws.template_lookup import of_type, values

DOCUMENT = ROOT / "docs" / "aws.md"


def rows(heading: str | None = None) -> dict[str, list[str]]:
    """Return the rows of every table of docs/aws.md by their first cell; heading: of one section alone."""
    text = DOCUMENT.read_text(encoding="utf-8")
    if heading is not None:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    _, *found = cells
    return {name.strip("`"): row for row in found for name in row[0].split(", ")}


def missing(heading: str, names: set[str]) -> str:
    """Return the changes that a section's table needs to have exactly these names; empty: none."""
    written = rows(heading).keys()
    return " ".join(
        [f"docs/aws.md, {heading}: write a row for {name}." for name in sorted(names - written)]
        + [f"docs/aws.md, {heading}: {name} is not in the template." for name in sorted(written - names)]
    )


def test_document_has_every_parameter(prod: Template) -> None:
    """docs/aws.md has a row for each parameter with its default, and no other."""
    assert not missing("Parameters", set(prod["Parameters"]))
    for name, parameter in prod["Parameters"].items():
        default = str(parameter["Default"]) or "empty"
        assert rows("Parameters")[name][1].strip("`") == default, f"{name} has the default {default}"


def test_document_has_every_alarm_and_output(prod: Template) -> None:
    """docs/aws.md has a row for each alarm and each output, and no other."""
    alarms = {
        alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName} ")
        for alarm in of_type(prod, "AWS::CloudWatch::Alarm").values()
    }

    assert not missing("Alarms", alarms)
    assert not missing("Outputs", set(prod["Outputs"]))


def test_document_has_every_fragment() -> None:
    """docs/aws.md describes the content of each fragment of the stack, and of no other."""
    assert not missing("What it holds", set(FRAGMENTS["prod"]))


def test_document_has_every_function_with_its_limits(prod: Template) -> None:
    """docs/aws.md has each function with its time-out, and its memory when that is not the others'."""
    functions = {
        re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower(): properties
        for name, properties in of_type(prod, "AWS::Serverless::Function").items()
    }
    assert not missing("The functions", set(functions))
    for name, properties in functions.items():
        own = properties.get("MemorySize")
        memory = f", {own / 1024:g} GB" if isinstance(own, int) and own != memory_mb() else ""
        assert rows("The functions")[name][2] == f"{properties['Timeout']} s{memory}", name


def test_document_says_how_queues_hand_over(prod: Template) -> None:
    """docs/aws.md has the batch size and the concurrency of each function behind a queue."""
    for source in of_type(prod, "AWS::Lambda::EventSourceMapping").values():
        function = "worker" if "Worker" in str(source["FunctionName"]) else "media"
        most, calls = source["BatchSize"], source["ScalingConfig"]["MaximumConcurrency"]
        assert (
            f"up to {most} messages a call and {calls} calls at a time" in rows("The functions")[function][1]
        )


def test_documents_say_what_the_template_says(prod: Template) -> None:
    """Versions, times and counts in sentences are those of the template."""
    named = {name: one.get("Properties", {}) for name, one in prod["Resources"].items()}
    serverless, durable, work = named["ServerlessCache"], named["DurableCluster"], named["Work"]
    assert work["RedrivePolicy"]["maxReceiveCount"] == 5
    sentences = {
        "aws.md": [
            f"ElastiCache Serverless for Valkey {serverless['MajorEngineVersion']} ",
            f"MemoryDB for Valkey {durable['EngineVersion']},",
            f"given out again, after {work['VisibilityTimeout'] // 60} minutes; after the fifth time",
        ],
        "deploy.md": [
            f"daily at {serverless['DailySnapshotTime']} UTC",
            f"daily between {durable['SnapshotWindow'].replace('-', ' and ')} UTC",
        ],
    }
    for name, expected in sentences.items():
        text = (DOCUMENT.parent / name).read_text(encoding="utf-8")
        assert [sentence for sentence in expected if sentence not in text] == [], (
            f"docs/{name} says otherwise"
        )


def test_every_resource_has_a_price_or_is_free(prod: Template) -> None:
    """The model of costs knows each type of resource of the stack."""
    assert not uncounted(prod), "count in infra/costs what this property costs"
    assert not unknown(prod), (
        "say in infra/costs/resources.py what it costs, in PAID, or why nothing, in FREE"
    )


def limit(when: str) -> int:
    """Return the threshold in an alarm's row: milliseconds for a time, 0 for anything at all."""
    if re.match(r"any\b|the dead-letter queue is not empty", when):
        return 0
    found = re.search(r"\bover (\d+) (percent|s|seconds|pushes)\b", when)
    assert found is not None, when
    return int(found[1]) * (1000 if found[2] == "s" else 1)


def test_alarms_fire_when_the_document_says(prod: Template) -> None:
    """Each alarm has the threshold in its row, and its number of minutes."""
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
