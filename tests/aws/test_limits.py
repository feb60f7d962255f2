"""Limits of calls and costs: a firewall, a budget, reserved concurrency."""

from __future__ import annotations

import re

import pytest

from infra.aws.fragments import Template
from tests.aws.template_lookup import of_type, values

NOTHING = {"Ref": "AWS::NoValue"}
CONCURRENCY = {
    "APIHandler": ("KeepsForApi", "ApiConcurrency"),
    "WebsocketConnect": ("KeepsForConnect", "ConnectConcurrency"),
    "WebsocketMessage": ("KeepsForFrames", "FrameConcurrency"),
    "Worker": ("KeepsForWorker", "WorkerConcurrency"),
}


def test_the_firewall_refuses_by_address(prod: Template) -> None:
    """An address over the rate is blocked, by its requests of five minutes; all others pass."""
    (firewall,) = of_type(prod, "AWS::WAFv2::WebACL").values()
    (rule,) = firewall["Rules"]

    assert (firewall["DefaultAction"], rule["Action"]) == ({"Allow": {}}, {"Block": {}})
    assert rule["Statement"]["RateBasedStatement"] == {
        "AggregateKeyType": "IP",
        "EvaluationWindowSec": 300,
        "Limit": {"Ref": "FirewallRate"},
    }


def test_the_firewall_keeps_no_tokens(prod: Template) -> None:
    """No requests are sampled: a sample has the headers, the Authorization among them."""
    (firewall,) = of_type(prod, "AWS::WAFv2::WebACL").values()

    assert set(values(firewall, "SampledRequestsEnabled")) == {False}


def test_the_firewall_is_before_the_deployed_stage(prod: Template) -> None:
    """The firewall is attached to the stage that SAM makes, once it exists."""
    (association,) = of_type(prod, "AWS::WAFv2::WebACLAssociation").values()

    assert association["WebACLArn"] == {"Fn::GetAtt": ["Firewall", "Arn"]}
    assert association["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${RestAPI}/stages/${RestAPIprodStage}")


def test_budget_warns_before_it_is_used_up(prod: Template) -> None:
    """The address gets mail at 80 percent, and when the forecast exceeds the budget."""
    (budget,) = of_type(prod, "AWS::Budgets::Budget").values()
    notifications = [one["Notification"] for one in budget["NotificationsWithSubscribers"]]

    assert budget["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "BudgetDollars"}, "Unit": "USD"}
    assert [(one["NotificationType"], one["Threshold"]) for one in notifications] == [
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
    for one in budget["NotificationsWithSubscribers"]:
        assert one["Subscribers"] == [{"SubscriptionType": "EMAIL", "Address": {"Ref": "BudgetEmail"}}]


def test_functions_reserve_what_their_parameters_say(prod: Template) -> None:
    """Four functions have a number of their own; 0 reserves nothing, where AWS would allow no call."""
    reserved = {
        name: function["ReservedConcurrentExecutions"]["Fn::If"]
        for name, function in of_type(prod, "AWS::Serverless::Function").items()
        if "ReservedConcurrentExecutions" in function
    }

    assert reserved == {
        name: [condition, {"Ref": parameter}, NOTHING] for name, (condition, parameter) in CONCURRENCY.items()
    }
    for condition, parameter in CONCURRENCY.values():
        default = prod["Parameters"][parameter]["Default"]
        assert prod["Conditions"][condition] == {
            "Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, default]}],
        }
        assert str(default) == "0"


def test_the_worker_keeps_room_for_its_queue(prod: Template) -> None:
    """A number below the concurrency of the queue's calls is refused: they would be throttled."""
    pattern = prod["Parameters"]["WorkerConcurrency"]["AllowedPattern"]
    at_once = prod["Resources"]["WorkSource"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]

    for number in range(1, 12):
        assert bool(re.fullmatch(pattern, str(number))) == (number >= at_once)
    assert re.fullmatch(pattern, "0")


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        *[("AWS::WAFv2::WebACL", "HasFirewall"), ("AWS::WAFv2::WebACLAssociation", "HasFirewall")],
        ("AWS::Budgets::Budget", "HasBudget"),
    ],
)
def test_there_is_none_unless_asked_for(prod: Template, kind: str, condition: str) -> None:
    """Resources with their own price are made only for a value other than the default."""
    made = [one["Condition"] for one in prod["Resources"].values() if one["Type"] == kind]

    assert made == [condition]
