"""The production stack on LocalStack: made, updated and taken down, each resource asked of its own service.

LocalStack's CloudFormation says CREATE_COMPLETE of resources that it cannot make, so its word proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.aws.aliases import alias_of
from infra.aws.fragments import Template
from infra.deploy.errors import DeployError
from infra.deploy.sessions import Session, open_session
from tests.aws.describers import DESCRIBERS, Description
from tests.aws.emulation import FAILING, IGNORED, LEFT_OUT, NOT_MADE, NOT_TAKEN_DOWN, emulated, refused
from tests.aws.sam import transformed
from tests.aws.stacks import ProdStack, released
from tests.aws.template_lookup import of_type

pytestmark = [pytest.mark.localstack, pytest.mark.xdist_group("stacks")]

VPC = "10.40.0.0/16"
BY_USE = {
    "Egress": "nat",
    "AlarmEmail": "ops@example.com",
    "WordFilter": "check-words",
    "MediaOrigins": "https://chat.example,https://chat.test",
    "Auth": "open",
    "OpenHosts": "chat.example.com",
    "SocketAccessLogs": "on",
    "AccessLogRole": "make",
}
DURABLE = {
    "Store": "durable",
    "StoreAuth": "password",
    "Egress": "none",
    "Tracing": "on",
    "AccessLogs": "on",
    "DomainName": "chat.example",
    "SocketDomainName": "sockets.chat.example",
    "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1",
    "FirewallRate": "2000",
    "BudgetDollars": "100",
    "BudgetEmail": "ops@example.com",
    "ApiConcurrency": "50",
}


@pytest.fixture(scope="module")
def session(localstack: Any) -> Iterator[Session]:
    """Clients of LocalStack, as the code that deploys makes them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", localstack.endpoint)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield open_session("localstack")


@pytest.fixture(scope="module")
def template(prod: Template) -> Template:
    """The production template as LocalStack takes it."""
    return emulated(prod, VPC, LEFT_OUT)


@pytest.fixture(scope="module")
def by_use(session: Session, localstack: Any, template: Template) -> Iterator[ProdStack]:
    """A stack with the serverless store, sign-in by IAM, NAT, mails of alarms and pages that load media."""
    yield from made(ProdStack(session, "by-use", localstack.endpoint), template, BY_USE)


@pytest.fixture(scope="module")
def durable(session: Session, localstack: Any, template: Template) -> Iterator[ProdStack]:
    """A stack with the durable store, sign-in by password, traces, and no egress."""
    yield from made(ProdStack(session, "durable", localstack.endpoint), template, DURABLE)


def made(stack: ProdStack, template: Template, parameters: dict[str, str]) -> Iterator[ProdStack]:
    """Make a stack, give it, and take it down."""
    stack.put(template, parameters)
    yield stack
    stack.delete()


@pytest.fixture(params=["by_use", "durable"])
def stack(request: pytest.FixtureRequest) -> ProdStack:
    """Both stacks in turn."""
    chosen: ProdStack = request.getfixturevalue(request.param)
    return chosen


def described(stack: ProdStack, name: str) -> Description:
    """Return the state of a resource by its own service."""
    return stack.aws.describe(stack.resources()[name])


def test_each_resource_is_in_its_own_service(stack: ProdStack) -> None:
    """Every resource of the stack can be described, except those that LocalStack is known not to make."""
    resources = stack.resources()

    missing = {name for name, resource in resources.items() if stack.aws.describe(resource) is None}

    assert missing == NOT_MADE & resources.keys()


@pytest.mark.parametrize(("egress", "failing"), [("ipv6", "Ipv6Route"), ("nat", "NatGateway")])
def test_egress_fails_where_it_is_known_to(
    session: Session, localstack: Any, prod: Template, egress: str, failing: str
) -> None:
    """The resources left out of these stacks are those that LocalStack fails on."""
    stack = ProdStack(session, f"egress-{egress}", localstack.endpoint)

    with pytest.raises(DeployError, match=failing):
        stack.put(emulated(prod, VPC, {"NatRoute"} & LEFT_OUT | NOT_TAKEN_DOWN), {"Egress": egress})

    assert failing in FAILING
    assert all(stack.aws.describe(r) is None for r in stack.resources().values() if r.name == "Ipv6Gateway")
    assert stack.delete_half_made()


def test_no_resource_is_left_untried(by_use: ProdStack, durable: ProdStack, prod: Template) -> None:
    """The two stacks, and the resources that LocalStack fails on or refuses, are the whole template."""
    tried = by_use.resources().keys() | durable.resources().keys() | LEFT_OUT | {"Ipv6Gateway"}
    tried |= refused(prod)

    assert prod["Resources"].keys() <= tried
    assert tried >= NOT_MADE


def test_functions_are_in_the_vpc_with_their_settings(by_use: ProdStack) -> None:
    """A function has the subnets and group of the stack, the log group, and its settings as variables."""
    ids = by_use.resources()["APIHandler"].ids
    sockets = ("WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect")
    for name in ("APIHandler", "Rpc", "Worker", "Sweep", "Media", "ImportUsers", *sockets):
        function = described(by_use, name)
        assert function["VpcConfig"]["SubnetIds"] == [ids["SubnetA"], ids["SubnetB"]]
        assert function["VpcConfig"]["SecurityGroupIds"] == [ids["FunctionsGroup"]]
        assert function["LoggingConfig"]["LogGroup"] == ids["FunctionLogs"]
        assert function["Architectures"] == ["arm64"]
        variables = function["Environment"]["Variables"]
        assert variables["PARLEY_AUTH"] == "open"
        assert variables["PARLEY_OPEN_HOSTS"] == "chat.example.com"
        assert variables["REDIS_URL"].startswith("rediss://")
        assert variables["PARLEY_REDIS_IAM"].startswith("elasticache-serverless:")
        assert "PARLEY_REDIS_SECRET" not in variables
        assert variables["PARLEY_WORK_QUEUE"] == ids["Work"]


def test_work_is_handed_over_and_the_sweep_is_scheduled(stack: ProdStack) -> None:
    """Each queue's messages go to its function in batches, and `sweep` is called each minute."""
    rule = described(stack, "SweepSchedule")

    for name, queue, function in (("WorkSource", "Work", "Worker"), ("MediaSource", "MediaEvents", "Media")):
        source = described(stack, name)
        assert source["EventSourceArn"] == described(stack, queue)["QueueArn"]
        assert source["FunctionArn"] == described(stack, alias_of(function))["FunctionArn"]
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
    assert rule["targets"] == [described(stack, alias_of("Sweep"))["FunctionArn"]]


def test_password_is_generated_and_readable_by_its_functions_alone(durable: ProdStack) -> None:
    """With password sign-in a function knows where the secret is, and its role may read that one."""
    ids = durable.resources()["Rpc"].ids
    variables = described(durable, "Rpc")["Environment"]["Variables"]

    assert variables["PARLEY_REDIS_SECRET"] == ids["StoreSecret"]
    assert "PARLEY_REDIS_IAM" not in variables
    assert len(described(durable, "StoreSecret")["password"]) == 64
    (statement,) = described(durable, "UseStore")
    assert (statement["Action"], statement["Resource"]) == (
        "secretsmanager:GetSecretValue",
        ids["StoreSecret"],
    )
    assert ids["UseStore"] in described(durable, "RpcRole")["attached"]


@pytest.mark.parametrize("ignored", sorted(IGNORED))
def test_property_is_ignored_where_it_is_known_to(durable: ProdStack, ignored: str) -> None:
    """Properties that LocalStack is known to ignore are requested, and ignored."""
    name, _, key = ignored.partition(".")

    assert key in durable.resources()[name].properties
    assert not IGNORED[ignored](described(durable, name))


def test_queues_are_encrypted_and_give_up_into_another(stack: ProdStack) -> None:
    """A queue is encrypted, refuses plain HTTP, and forwards messages that failed five times."""
    for name, dead in (("MediaEvents", "MediaEventsFailed"), ("Work", "WorkFailed")):
        queue = described(stack, name)
        failed = described(stack, dead)
        redrive = json.loads(queue["RedrivePolicy"])
        assert redrive == {"deadLetterTargetArn": failed["QueueArn"], "maxReceiveCount": 5}
        for held in (queue, failed):
            assert held["SqsManagedSseEnabled"] == "true"
            statements = json.loads(held["Policy"])["Statement"]
            assert any(
                one["Effect"] == "Deny" and one["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                for one in statements
            )


def test_bucket_is_private_and_notifies_its_queue(stack: ProdStack) -> None:
    """The bucket is closed and encrypted, and sends events to the media queue."""
    bucket = described(stack, "MediaBucket")

    assert set(bucket["block"].values()) == {True}
    assert bucket["ownership"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    algorithms = bucket["encryption"]["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert algorithms["SSEAlgorithm"] == "AES256"
    arn = described(stack, "MediaEvents")["QueueArn"]
    assert {queue["QueueArn"] for queue in bucket["queues"]} == {arn}


def test_pages_of_named_origins_load_media(by_use: ProdStack, durable: ProdStack) -> None:
    """The bucket lets the pages of the given origins in, and none without any."""
    (rule,) = described(by_use, "MediaBucket")["pages"]

    assert rule["AllowedOrigins"] == ["https://chat.example", "https://chat.test"]
    assert described(durable, "MediaBucket")["pages"] is None


def test_parameters_say_where_things_are(stack: ProdStack) -> None:
    """The values in Parameter Store equal the outputs."""
    outputs = stack.outputs()

    assert described(stack, "MediaBucketParameter")["Value"] == outputs["MediaBucketName"]
    assert described(stack, "MediaEventsParameter")["Value"] == outputs["MediaEventsQueueUrl"]
    assert described(stack, "WorkParameter")["Value"] == outputs["WorkQueueUrl"]
    assert described(stack, "StoreEndpointParameter")["Value"] == outputs["StoreEndpoint"]


def test_alarms_reach_the_topic(stack: ProdStack) -> None:
    """Every alarm notifies the topic, and has a rule for missing data."""
    topic = stack.outputs()["AlarmTopicArn"]
    alarms = [
        described(stack, name)[0]
        for name, resource in stack.resources().items()
        if resource.type == "AWS::CloudWatch::Alarm"
    ]

    assert len(alarms) >= 8
    for alarm in alarms:
        assert alarm["AlarmActions"] == [topic]
        always_reports = alarm["AlarmName"].endswith(("durable store memory", " sweep"))
        assert (alarm["TreatMissingData"] == "breaching") == always_reports


def test_the_api_has_its_name(durable: ProdStack) -> None:
    """The name's root leads to the deployed stage of the API, and clients get the name."""
    name, (path,) = described(durable, "ApiDomain"), described(durable, "ApiDomainPath")

    assert name["domainName"] == "chat.example"
    assert path["restApiId"] == durable.resources()["RestAPI"].id
    assert (path["basePath"], path["stage"]) == ("(none)", "prod")
    assert durable.outputs()["ApiUrl"] == described(durable, "ApiUrlParameter")["Value"]
    assert durable.outputs()["ApiUrl"] == "https://chat.example"


def test_the_role_for_logs_is_the_accounts(by_use: ProdStack) -> None:
    """API Gateway gets the role that the stack makes, which API Gateway may assume."""
    assert (
        described(by_use, "LogAccount")
        == f"arn:aws:iam::000000000000:role/{by_use.resources()['LogRole'].id}"
    )
    assert "AmazonAPIGatewayPushToCloudWatchLogs" in str(described(by_use, "LogRole")["attached"])


def test_an_update_arrives_in_the_services(session: Session, localstack: Any, template: Template) -> None:
    """Changed parameters change a function, give its role a right, and add a subscription."""
    stack = ProdStack(session, "updated", localstack.endpoint)
    stack.put(template, {"Egress": "none"})
    assert described(stack, alias_of("APIHandler"))["Environment"]["Variables"]["PARLEY_KEEP_MESSAGES"] == "0"
    assert not {"AlarmMail", "WriteTraces"} & stack.resources().keys()

    stack.put(template, {"KeepMessages": "500", "AlarmEmail": "ops@example.com", "Tracing": "on"})

    assert described(stack, "APIHandler")["Environment"]["Variables"]["PARLEY_KEEP_MESSAGES"] == "500"
    # As long as the alias is not moved, callers have the version's own settings.
    assert described(stack, alias_of("APIHandler"))["Environment"]["Variables"]["PARLEY_KEEP_MESSAGES"] == "0"
    assert described(stack, "AlarmMail")["Endpoint"] == "ops@example.com"
    ids = stack.resources()["WriteTraces"].ids
    assert described(stack, "ApiHandlerRole")["attached"] == sorted(
        ids[name] for name in ("PutWork", "UseStore", "WriteTraces")
    )
    stack.delete()


def test_sam_moves_the_aliases_with_each_release(prod: Template) -> None:
    """Another value of a parameter is a new version of every function and a new deployment of the API."""
    made = [
        transformed(released(prod, values), values)
        for values in ({"KeepMessages": value} for value in ("0", "0", "500"))
    ]
    versions = [of_type(one, "AWS::Lambda::Version").keys() for one in made]
    deployments = [of_type(one, "AWS::ApiGateway::Deployment").keys() for one in made]
    leads = made[2]["Resources"][alias_of("Worker")]["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]

    assert made[0] == made[1]
    assert len(versions[2]) == len(of_type(prod, "AWS::Serverless::Function"))
    assert not versions[0] & versions[2]
    assert not deployments[0] & deployments[2]
    assert leads in versions[2]


@pytest.mark.parametrize(("rollout", "groups"), [("AllAtOnce", 0), ("Canary10Percent5Minutes", 9)])
def test_sam_has_code_deploy_move_aliases_by_parts(prod: Template, rollout: str, groups: int) -> None:
    """A gradual rollout has a group for each function, with the alarms that roll it back."""
    made = transformed(released(prod), {"Rollout": rollout})
    found = of_type(made, "AWS::CodeDeploy::DeploymentGroup").values()

    assert len(found) == groups
    for group in found:
        assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": rollout}
        alarms = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
        assert alarms == ["ApiErrorsAlarm", "FunctionErrorsAlarm", "SocketErrorsAlarm"]


def test_what_is_taken_down_is_gone_but_the_bucket(
    session: Session, localstack: Any, template: Template
) -> None:
    """A deleted stack leaves nothing in any service, except the media and their access rules."""
    stack = ProdStack(session, "ended", localstack.endpoint)
    stack.put(template, {"Egress": "none"})
    resources = stack.resources()

    stack.delete()

    left = {name for name, resource in resources.items() if stack.aws.describe(resource) is not None}
    assert left == {"MediaBucket", "MediaBucketPolicy"}


def test_every_type_has_a_describer(prod: Template) -> None:
    """A resource of a new type needs a describer before it may be in the stack."""
    made = [resource for name, resource in prod["Resources"].items() if name not in refused(prod)]
    types = {resource["Type"] for resource in made}

    assert {name for name in types if not name.startswith("AWS::Serverless::")} <= DESCRIBERS.keys()
