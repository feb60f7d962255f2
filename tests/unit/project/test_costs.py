"""The calculator of costs, held against sums worked by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from infra.aws.template import merge_template
from infra.costs import connection
from infra.costs.__main__ import main
from infra.costs.__main__ import printed as tables
from infra.costs.examples import BEGIN, END, refreshed
from infra.costs.model import idle, kept_month, million, month
from infra.costs.prices import PRICES
from infra.costs.resources import FREE, PAID, uncounted, unknown
from infra.costs.stack import access_logs, counted, memory_mb, parameters, runs_a_minute, stack_resources
from infra.costs.usage import CHOICES, NUMBERS, WHOLE_NUMBERS, Usage
from infra.costs.values import OPTIONS
from parley_client import Settings

RUN = 0.20 + 0.5 * 0.020 * 13.3334
"""Dollars of a million runs of 20 ms of half a GB."""
PUSH = 1.00 + 0.5 * 0.001 * 13.3334 + 0.150 * 0.09
"""Dollars of a million pushes of 150 bytes, each 1 ms longer."""
LOG_GB = 0.50 + 0.15 * 30 / (730 / 24) * 0.03
"""Dollars of a GB of logs, compressed to 15 percent and kept for 30 days."""


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command and return what it printed."""
    main(arguments)
    return capsys.readouterr().out


@pytest.mark.parametrize(("members", "dollars"), [(2, "3.4"), (10, "11.5"), (100, "103")])
def test_sending_a_million_messages(members: int, dollars: str) -> None:
    """Over the socket, one device a member: $3.4 to one, $11.5 in a group of 10, $103 in a group of 100."""
    costs = million(Usage(members=members))
    sent = costs["requests"] + costs["pushes"]
    assert f"{sent:.{len(dollars.partition('.')[2])}f}" == dollars


def test_a_request_by_hand() -> None:
    """Two socket messages, an invocation, 20 ms of half a GB, 5 ECPU, and 2 for the inbox of each member."""
    by_hand = 2 * 1.00 + 0.20 + 0.5 * 0.020 * 13.3334 + (5 + 2 * 2) * 0.0023
    assert million(Usage())["requests"] == pytest.approx(by_hand)


def test_pushes_by_hand() -> None:
    """Ten members of two devices, less the sending one: 19 messages, each 1 ms of half a GB; 10 ECPU."""
    by_hand = 19 * (1.00 + 0.5 * 0.001 * 13.3334) + 10 * 0.0023
    assert million(Usage(members=10, devices=2))["pushes"] == pytest.approx(by_hand)


def test_a_large_chat_writes_no_inboxes() -> None:
    """A send to 100 costs 200 ECPU more than one to 101, which is too large for inboxes."""
    to_100, to_101 = (million(Usage(members=members))["requests"] for members in (100, 101))
    assert to_100 - to_101 == pytest.approx(200 * 0.0023)


def test_sending_over_http_by_hand() -> None:
    """One REST request instead of two socket messages; all devices are pushed to, as none has the answer."""
    costs = million(Usage(via="http"))
    assert costs["requests"] == pytest.approx(3.50 + 0.20 + 0.5 * 0.020 * 13.3334 + 8 * 0.0023)
    assert costs["pushes"] == pytest.approx(2 * (1.00 + 0.5 * 0.001 * 13.3334) + 2 * 0.0023)


@pytest.mark.parametrize(("text_bytes", "counted"), [(38, 1), (32_568, 1), (32_569, 2), (98_104, 3)])
def test_a_large_message_counts_as_several(text_bytes: int, counted: int) -> None:
    """With 200 bytes around it a text over 32,568 bytes is more than 32 KB, and counts twice each way."""
    costs = million(Usage(text_bytes=text_bytes))
    assert costs["pushes"] == pytest.approx(counted * 1.00 + 0.5 * 0.001 * 13.3334 + 2 * 0.0023)
    assert costs["requests"] - million(Usage())["requests"] == pytest.approx(counted - 1)


def test_traffic_and_logs_by_hand() -> None:
    """Of 238 bytes to two clients at $0.09 a GB, and 600 bytes of log, kept for 30 days."""
    assert million(Usage())["traffic and logs"] == pytest.approx(2 * 0.238 * 0.09 + 0.6 * LOG_GB)


def test_logs_that_are_kept_longer_cost_more() -> None:
    """600 bytes of a million runs, a year instead of a month: 335 more days of 15 percent at $0.03 a GB."""
    year = million(Usage(parameters=(("LogRetentionDays", "365"),)))["traffic and logs"]
    more = 0.6 * 0.15 * 335 / (730 / 24) * 0.03
    assert year - million(Usage())["traffic and logs"] == pytest.approx(more)


def test_receipts_by_hand() -> None:
    """Ten members: nine marks of a fifth a message, each a frame, a run, its log, 3 ECPU and 9 pushes."""
    mark = 1.00 + RUN + 0.6 * LOG_GB + 3 * 0.0023 + 9 * PUSH
    assert million(Usage(members=10))["receipts"] == pytest.approx(9 * 0.2 * mark)
    assert million(Usage(members=10, receipts=0))["receipts"] == 0


def test_typing_by_hand() -> None:
    """A frame, a run, its log, 2 ECPU, and a push to each of three others."""
    one = 1.00 + RUN + 0.6 * LOG_GB + 2 * 0.0023
    assert million(Usage(members=4))["typing"] == pytest.approx(one + 3 * PUSH)


def test_large_chat_pushes_no_typing_or_receipts() -> None:
    """Above 100 members they are not pushed, so a receipt costs far less; the limit is LargeChat's."""
    costs, small = million(Usage(members=101)), Usage(members=50)
    assert costs["typing"] < 2
    assert costs["receipts"] < million(Usage(members=100))["receipts"] / 50
    lower = Usage(members=50, parameters=(("LargeChat", "49"),))
    assert million(lower)["receipts"] < million(small)["receipts"] / 25


# --- an open connection -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "dollars"), [(30, 0.25), (240, 0.045), (540, 0.028)])
def test_an_open_connection_costs_by_its_pings(seconds: int, dollars: float) -> None:
    """Dollars a month: most of it is for pings, and not for the 1.1 cents of its minutes."""
    costs = connection.month(Usage(idle_seconds=seconds, idle_messages=2))
    assert sum(costs.values()) == pytest.approx(dollars, rel=0.02)
    assert costs["minutes"] == pytest.approx(0.01095)


def test_a_ping_by_hand() -> None:
    """730 hours of a ping every 540 s: a frame, a run, its log, 8 ECPU, and a pong that is pushed."""
    ping = 1.00 + RUN + 0.6 * LOG_GB + 8 * 0.0023 + PUSH
    costs = connection.month(Usage(idle_seconds=540, idle_messages=2))
    assert costs["keeping alive"] == pytest.approx(730 * 3600 / 540 * ping / 1e6)


def test_a_reconnect_by_hand() -> None:
    """Every 6,270 s: a request for the ticket, a frame, two pushes, four runs, their logs, and 20 ECPU."""
    entering = 3.50 + 1.00 + 2 * PUSH + 4 * (RUN + 0.6 * LOG_GB) + 20 * 0.0023
    assert connection.month(Usage())["reconnecting"] == pytest.approx(730 * 3600 / 6270 * entering / 1e6)
    more = connection.month(Usage(breaks=10))["reconnecting"] - connection.month(Usage())["reconnecting"]
    assert more == pytest.approx(10 * 730 / 24 * entering / 1e6)


def test_presence_by_hand() -> None:
    """Four times a day five watchers are told, for 3 ECPU."""
    by_hand = 4 * 730 / 24 * (5 * PUSH + 3 * 0.0023) / 1e6
    assert connection.month(Usage())["presence"] == pytest.approx(by_hand)


def test_what_a_client_says_when_idle_is_what_the_python_client_does() -> None:
    """The defaults are those of clients/python: a hello before a ping is due, a life up to a tenth less."""
    client, usage = Settings(), Usage()
    assert usage.idle_seconds == min(client.resync_seconds, client.ping_seconds) == client.resync_seconds
    assert usage.life_seconds == pytest.approx(client.life_seconds * 0.95)


def test_a_nat_gateway_is_paid_by_the_byte_too() -> None:
    """Of nine pushes of 1,238 bytes each at $0.045 a GB."""
    by_nat = million(Usage(members=10, egress="nat"))["traffic and logs"]
    by_ipv6 = million(Usage(members=10))["traffic and logs"]
    assert by_nat - by_ipv6 == pytest.approx(9 * 1.238 * 0.045)


def test_a_million_messages_kept() -> None:
    """56 bytes a message are 0.056 GB, and so $3.43 a month, and seven daily snapshots 3 cents."""
    snapshots = 7 * 0.056 * 0.085
    kept = kept_month(Usage(text_bytes=36, kept=1e6), floor=0)
    assert kept == pytest.approx(0.056 * 0.084 * 730 + snapshots)
    assert f"{kept - snapshots:.2f}" == "3.43"
    without = Usage(text_bytes=36, kept=1e6, parameters=(("StoreSnapshotDays", "1"),))
    assert kept - kept_month(without, floor=0) == pytest.approx(6 * 0.056 * 0.085)


def test_a_month_bears_its_connections() -> None:
    """Each costs what one does; a million of half a million's messages bears two months of it."""
    one = sum(connection.month(Usage()).values())
    assert month(Usage(connections=3))["connections"] == pytest.approx(3 * one)
    assert million(Usage(connections=1, messages=5e5))["connections"] == pytest.approx(2 * one)


def test_no_message_bears_no_connection() -> None:
    """A month without messages has no share to reckon, and does not divide by nothing."""
    assert million(Usage(messages=0))["connections"] == 0
    assert month(Usage(messages=0))["connections"] > 10.95


def test_the_floor_of_the_store_is_not_paid_twice() -> None:
    """At least 0.1 GB is charged ($6.13): 0.058 GB cost their snapshots, and 0.58 GB are charged for 0.48."""
    assert idle(Usage())["store"] == pytest.approx(0.1 * 0.084 * 730)
    assert month(Usage(kept=1e6))["GB-months"] == pytest.approx(7 * 0.058 * 0.085)
    assert month(Usage(kept=1e7))["GB-months"] == pytest.approx(0.48 * 0.084 * 730 + 7 * 0.58 * 0.085)


def test_media_are_paid_by_the_gb() -> None:
    """100 GB in the bucket at $0.023."""
    assert month(Usage(media_gb=100))["media"] == pytest.approx(2.30)


def test_a_durable_store_is_paid_by_the_node() -> None:
    """Two shards of three nodes at a dollar an hour, whatever they hold and do."""
    usage = Usage(store="durable", shards=2, replicas=2, node_hour=1.0)
    assert idle(usage)["store"] == pytest.approx(6 * 730)
    assert month(usage)["GB-months"] == million(usage)["GB-months"] == pytest.approx(7 * 0.058 * 0.021)
    assert million(usage)["requests"] == pytest.approx(2 * 1.00 + 0.20 + 0.5 * 0.020 * 13.3334)


def test_a_nat_gateway_costs_when_idle() -> None:
    """$32.85 for the gateway and $3.65 for its address; IPv6 costs nothing, and no way out an endpoint."""
    assert idle(Usage(egress="nat"))["NAT gateway"] == pytest.approx(32.85 + 3.65)
    assert (
        idle(Usage()).keys()
        == idle(Usage(egress="none")).keys() - {"interface endpoints"}
        == idle(Usage(egress="nat")).keys() - {"NAT gateway"}
    )


@pytest.mark.parametrize(
    ("store", "auth", "egress", "secret", "endpoint"),
    [
        ("serverless", "iam", "ipv6", 0.40, 0),
        ("durable", "iam", "ipv6", 0, 0),
        ("durable", "iam", "none", 0, 14.60),
        ("durable", "password", "nat", 0.40, 0),
        ("serverless", "password", "ipv6", 0.40, 14.60),
        ("serverless", "password", "none", 0.40, 29.20),
    ],
)
def test_a_password_costs_its_secret_and_the_way_to_it(
    store: str, auth: str, egress: str, secret: float, endpoint: float
) -> None:
    """$0.40 for the secret; $14.60 an endpoint: of it without NAT, of the queue without any egress."""
    costs = idle(Usage(store=store, auth=auth, egress=egress))
    assert costs.get("secrets", 0) == pytest.approx(secret)
    assert costs.get("interface endpoints", 0) == pytest.approx(endpoint)


def test_waiting_for_work_by_hand() -> None:
    """A minute: 15 polls of each queue, a sweep of 150 ms of half a GB asking 1024 keys, with its line."""
    sweep = 0.20 + 0.5 * 0.150 * 13.3334 + 0.6 * LOG_GB
    minutes = 730 * 60 / 1e6
    assert idle(Usage())["queue and sweep"] == pytest.approx((30 * 0.40 + sweep + 1024 * 0.0023) * minutes)
    assert idle(Usage(store="durable"))["queue and sweep"] == pytest.approx((30 * 0.40 + sweep) * minutes)


def test_a_month_is_the_sum_of_its_parts() -> None:
    """Three million messages cost three times one million, beside the fixed costs."""
    usage = Usage(messages=3e6, members=10, connections=2000)
    one, whole = million(usage), month(usage)
    for name in ("requests", "pushes", "typing", "receipts", "traffic and logs"):
        assert whole[name] == pytest.approx(3 * one[name])
    assert whole["idle"] == pytest.approx(sum(idle(usage).values()))
    assert whole["connections"] == pytest.approx(3 * one["connections"])


# --- what a template makes ----------------------------------------------------------------------------------

TEMPLATE = {
    "Parameters": {"Store": {"Default": "serverless"}, "Egress": {"Default": "ipv6"}},
    "Conditions": {
        "Nat": {"Fn::Equals": [{"Ref": "Egress"}, "nat"]},
        "Durable": {"Fn::Equals": [{"Ref": "Store"}, "durable"]},
        "Neither": {"Fn::Not": [{"Fn::Or": [{"Condition": "Nat"}, {"Condition": "Durable"}]}]},
        "Both": {"Fn::And": [{"Condition": "Nat"}, {"Condition": "Durable"}]},
    },
    "Resources": {
        "Plain": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "OfTwo": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {"Metrics": [{"Expression": "a / b"}, {"MetricStat": {}}, {"MetricStat": {}}]},
        },
        "Gateway": {"Type": "AWS::EC2::NatGateway", "Condition": "Nat"},
        "Key": {"Type": "AWS::KMS::Key", "Condition": "Neither"},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Condition": "Both"},
        "Bucket": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
        "Other": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]},
        },
        "Patch": {"Properties": {"Name": "of a resource that Chalice makes"}},
    },
}
ALWAYS = {"CloudWatch::Alarm": 3, "EC2::VPCEndpoint": 2}


@pytest.mark.parametrize(
    ("parameters", "more"),
    [
        ({}, {"KMS::Key": 1}),
        ({"Egress": "nat"}, {"EC2::NatGateway": 1}),
        ({"Store": "durable"}, {}),
        ({"Store": "durable", "Egress": "nat"}, {"EC2::NatGateway": 1, "SecretsManager::Secret": 1}),
    ],
)
def test_what_a_template_makes_is_counted(parameters: dict[str, str], more: dict[str, int]) -> None:
    """Resources count where their condition holds; alarms by metric, interface endpoints by subnet."""
    counts = counted(TEMPLATE, parameters)
    del counts[""]
    assert counts == ALWAYS | more


def test_the_stack_is_watched_and_keeps_no_key() -> None:
    """The real templates have alarms and a dashboard for each store; AWS's own keys encrypt, unpaid."""
    for store in ("serverless", "durable"):
        there = stack_resources({"Store": store})
        assert there["CloudWatch::Alarm"] >= 8
        assert there["CloudWatch::Dashboard"] == 1
        assert there["KMS::Key"] == 0


def test_custom_metrics_are_counted() -> None:
    """Each transformation of a filter of logs is a metric at $0.30, as long as it is reported."""
    filters = stack_resources({})["Logs::MetricFilter"]
    assert filters >= 2
    assert idle(Usage())["custom metrics, at most"] == pytest.approx(filters * 0.30)


def test_a_firewall_costs_itself_its_rules_and_each_request() -> None:
    """A web ACL is $5, each of its rules $1, and what it looks at $0.60 a million; a frame it never sees."""
    acl = {"Type": "AWS::WAFv2::WebACL", "Properties": {"Rules": [{}, {}]}}
    counts = counted({"Resources": {"Acl": acl}}, {})
    assert counts == {"WAFv2::WebACL": 1, "WAFv2::Rule": 2}
    on, off = Usage(parameters=(("FirewallRate", "2000"),), via="http"), Usage(via="http")
    assert idle(on)["WAF"] == pytest.approx(6.00)
    assert "WAF" not in idle(off)
    assert million(on)["requests"] - million(off)["requests"] == pytest.approx(0.60)
    assert million(on)["pushes"] == million(off)["pushes"]
    text = (DOCS / "aws.md").read_text(encoding="utf-8")
    assert "It costs about $6 a month and $0.60 a million requests." in text


def test_access_logs_are_paid_where_they_are_on() -> None:
    """A line of 300 bytes for each frame or call, and for nothing else."""
    assert access_logs({}) == {"rest": False, "socket": False}
    for parameter, kind, via in (("SocketAccessLogs", "socket", "socket"), ("AccessLogs", "rest", "http")):
        off, on = Usage(via=via), Usage(via=via, parameters=((parameter, "on"),))
        assert access_logs(on.given) == {"rest": False, "socket": False} | {kind: True}
        assert million(on)["requests"] - million(off)["requests"] == pytest.approx(0.3 * LOG_GB)
        assert million(on)["pushes"] == million(off)["pushes"]


def test_the_model_reads_the_template() -> None:
    """The memory of a function, and the sweep's schedule; a schedule that it cannot read is an error."""
    assert Usage().memory_mb == memory_mb() >= 512
    assert runs_a_minute({}) == 1
    rules = {"Rule": {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "cron(0 3 * * ? *)"}}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infra.costs.stack._template", lambda: {"Resources": rules})
        with pytest.raises(ValueError, match="reads schedules like"):
            runs_a_minute({})


def test_prices_name_their_page() -> None:
    """Each price has a unit and the public page of AWS that it is from."""
    for name, price in PRICES.items():
        assert price.dollars > 0, name
        assert price.unit, name
        assert price.source.startswith("https://aws.amazon.com/"), name


def test_prices_are_those_of_a_resource() -> None:
    """Each price belongs to a type of resource that costs money, and each such type has prices."""
    assert {name for names in PAID.values() for name in names} == PRICES.keys()
    assert not PAID.keys() & FREE.keys()


def test_the_command_prints_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Idle, a million messages of three kinds of chat, and the month; a total each."""
    out = printed(capsys)
    assert re.search(r"^  direct +2\.35 +1\.01 +2\.66 +0\.53 +34\.82 +3\.59 +0\.35 +45\.31$", out, re.M)
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  group")] == ["group"] * 2
    assert len(re.findall(r"^  total ", out, re.M)) == 2


def test_a_chat_of_the_callers_size_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """--members adds its row, in order."""
    rows = re.findall(r"^  (direct|group of [\d,]+) ", printed(capsys, "--members", "30"), re.M)
    assert rows == ["direct", "group of 10", "group of 30", "group of 100"]


def test_every_assumption_is_an_option_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Each field of the usage can be set, and the list of them explains its default."""
    fields = {*NUMBERS, *WHOLE_NUMBERS, *CHOICES}
    assert fields | {"parameters"} == set(vars(Usage()))
    out = printed(capsys, "--show", "assumptions")
    assert re.search(r"^  --idle-seconds +500 +time after", out, re.M)
    assert re.search(r"^  --messages +1,000,000 +messages", out, re.M)
    assert all(f"  --{name.replace('_', '-')} " in out for name in fields)


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """The document has the usage that was asked for, the costs with their totals, and the prices."""
    document = json.loads(
        printed(capsys, "--json", "--messages", "2_000_000", "--egress", "nat", "--store", "durable")
    )
    assert document["usage"]["messages"] == 2_000_000
    assert document["idle_month"]["NAT gateway"] == pytest.approx(36.50)
    costs_of = (document["idle_month"], document["connection_month"], document["month"])
    for costs in (*costs_of, *document["million_messages"].values()):
        total = costs.pop("total")
        assert total == pytest.approx(sum(costs.values()))
    assert document["prices"].keys() == PRICES.keys()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--store", "durable"], "Assumed: the price of a node"),
        (["--store", "durable", "--kept", "1e9"], "Too little room"),
        ([], "fit in what the idle store is charged for"),
    ],
)
def test_report_mentions_guesses_and_limits(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    """The report mentions a guess, a store that is too small, and messages that cost nothing more."""
    assert expected in printed(capsys, *arguments)


def test_a_price_that_was_given_is_not_called_assumed(capsys: pytest.CaptureFixture[str]) -> None:
    """With --node-hour the guess is out of the sum, and out of the text."""
    assert "Assumed" not in printed(capsys, "--store", "durable", "--node-hour", "0.05")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--messages", "many"], "argument --messages: many is not a number of at least 0"),
        (["--messages", "-1"], "argument --messages: -1 is not a number of at least 0"),
        (["--messages", "inf"], "argument --messages: inf is not a number of at least 0"),
        (["--memory-mb", "64"], "argument --memory-mb: 64 is not a number of at least 128"),
        (["--members", "1.5"], "argument --members: 1.5 is not a whole number of at least 1"),
        (["--store", "redis"], "argument --store: invalid choice: 'redis'"),
        (["--egres", "nat"], "unrecognized arguments: --egres nat"),
        (["--parameter", "Stor=x"], "argument --parameter: Stor=x is not NAME=VALUE of a parameter"),
        (["--parameter", "Store"], "argument --parameter: Store is not NAME=VALUE of a parameter"),
        (["--parameter", "Store=durable"], "Store=durable: Store has an option of its own: --store"),
        (["--parameter", "Egress=nat"], "Egress=nat: Egress has an option of its own: --egress"),
        (["--parameter", "FunctionMemory=1769"], "FunctionMemory has an option of its own: --memory-mb"),
        (["--parameter", "FirewallRate=9"], "FirewallRate=9: FirewallRate must be 0, or a number from 10"),
        (["--parameter", "StoreSnapshotDays=x"], "StoreSnapshotDays must be a number of days from 1 to 35"),
        (["--parameter", "LogRetentionDays=2"], "LogRetentionDays must be one of 1, 3, 5, 7,"),
        (["--parameter", "AccessLogs=yes"], "AccessLogs=yes: AccessLogs must be one of off, on"),
        (["--refresh", "none.md"], "argument --refresh: there is no file none.md"),
    ],
)
def test_a_wrong_option_is_explained(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    """The command ends with status 2, naming the option, the value and what it must be."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert expected in capsys.readouterr().err


def test_a_parameter_with_an_option_of_its_own_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Both are there: given as a parameter, the option's part of the sum would be left as it was."""
    with pytest.raises(SystemExit):
        main(["--help"])
    output = capsys.readouterr().out
    assert OPTIONS.keys() <= parameters()
    assert all(f"--{option}" in output for option in OPTIONS.values())


@pytest.mark.parametrize(
    "pair", ["StoreSnapshotDays=35", "LogRetentionDays=365", "FirewallRate=10", "AlarmEmail=", "LargeChat=1"]
)
def test_a_value_that_the_template_takes_is_counted(capsys: pytest.CaptureFixture[str], pair: str) -> None:
    """The rules of the template are those of the command."""
    assert "total" in printed(capsys, "--parameter", pair)


DOCS = Path(__file__).parents[3] / "docs"
DEPLOY = (DOCS / "deploy.md").read_text(encoding="utf-8")
EXAMPLES = f"""make costs
{BEGIN}; -->
```
$ make costs
old
```
```
$ make costs ARGS="--via http --members 3"
```
{END}
```
$ make costs
not between the markers
```
"""


@pytest.mark.parametrize(
    ("document", "commands"),
    [
        ("deploy.md", ["make costs\nDollars", '--egress nat --messages 20e6 --kept 15e6"\nDollars']),
        ("aws.md", ['"--show connection"\n', '"--show resources"\n', '"--show assumptions"\n']),
    ],
)
def test_the_costs_in_the_docs_are_those_of_the_command(document: str, commands: list[str]) -> None:
    """Each output in a document is what its command prints; `--refresh` writes them."""
    written = (DOCS / document).read_text(encoding="utf-8")
    assert all(command in written for command in commands)
    refresh = f'docs/{document} shows old costs: make costs ARGS="--refresh docs/{document}" writes new ones'
    assert refreshed(written, tables) == written, refresh


def test_sums_in_sentences_are_those_of_the_model() -> None:
    """What sending, an open connection, receipts, a NAT gateway and an endpoint cost, as sentences say it."""
    chats = {members: million(Usage(members=members)) for members in (2, 10, 100)}
    two, ten, hundred = (costs["requests"] + costs["pushes"] for costs in chats.values())
    cents = 100 * sum(connection.month(Usage()).values())
    assert f"${two:.1f}, ${ten:.1f} and ${hundred:.0f} a million" in DEPLOY
    assert f"An open connection costs {cents:.1f} cents a month" in DEPLOY
    assert round(chats[100]["receipts"] / hundred) == 20
    assert "twenty times the price of the messages" in DEPLOY
    nat, endpoint = (idle(Usage(egress=way)) for way in ("nat", "none"))
    for document in (DEPLOY, (DOCS / "aws.md").read_text(encoding="utf-8")):
        assert f"about ${int(nat['NAT gateway'])} a month" in document
        assert f"about ${endpoint['interface endpoints']:.0f} " in document


def test_examples_are_rewritten_between_the_markers() -> None:
    """An example has its command's output after it; the rest of the document is unchanged."""
    expected = EXAMPLES.replace("old\n", "<>\n").replace('3"\n', '3"\n<--via http --members 3>\n')
    assert refreshed(EXAMPLES, lambda arguments: f"<{' '.join(arguments)}>") == expected


def test_a_document_is_refreshed_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--refresh writes the file, twice the same."""
    file = tmp_path / "costs.md"
    file.write_text(EXAMPLES)
    assert printed(capsys, "--refresh", str(file)) == ""
    once = file.read_text()
    assert once.count("A month in which nothing is sent") == 2
    main(["--refresh", str(file)])
    assert file.read_text() == once


@pytest.mark.parametrize("text", ["# Costs\n", f"{BEGIN}; -->\n", f"{END}\n{BEGIN}; -->\n"])
def test_a_document_without_markers_is_left_alone(tmp_path: Path, text: str) -> None:
    """The command fails with one line that names the file and the markers, and does not write it."""
    file = tmp_path / "costs.md"
    file.write_text(text)
    with pytest.raises(SystemExit, match=rf"^costs: {re.escape(str(file))} cannot be updated: .*{END}"):
        main(["--refresh", str(file)])
    assert file.read_text() == text


@pytest.mark.parametrize("given", sorted(set(re.findall(r"PARAMETERS=\"(.+?)\"", DEPLOY))))
def test_the_parameters_in_the_docs_are_the_templates(given: str) -> None:
    """A parameter that docs/deploy.md gives to `make deploy` is one that the templates have."""
    assert {pair.partition("=")[0] for pair in given.split()} <= merge_template("prod")["Parameters"].keys()


def test_a_property_that_costs_more_is_found() -> None:
    """One that is on, wherever it stands; one that is off costs nothing."""
    api = {"Properties": {"Routes": [{"DetailedMetricsEnabled": False}, {"DetailedMetricsEnabled": True}]}}
    alias = {"Properties": {"ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}}
    found = uncounted({"Resources": {"Api": api, "Alias": alias, "Plain": {}}})
    assert found == ["Alias.ProvisionedConcurrencyConfig", "Api.DetailedMetricsEnabled"]


def test_a_type_of_resource_without_a_price_is_found() -> None:
    """A type that is neither counted nor listed as free is named; the finished template has none."""
    resources = {"One": {"Type": "AWS::SQS::Queue"}, "Other": {"Type": "AWS::KMS::Key"}}
    assert unknown({"Resources": resources}) == ["KMS::Key"]
