"""The permissions in the production stack."""

from __future__ import annotations

import pytest

from chalicelib.store.redis.credentials import ACCESS_STRING
from infra.aws.fragments import Template, is_intrinsic
from tests.aws.lint_exceptions import EVERY_RESOURCE
from tests.aws.template_lookup import of_type, statements

# The roles that are of no function of ours.
OF_SERVICES = {"LogRole"}


def of_functions(prod: Template) -> dict[str, Template]:
    """Return the roles of the functions by name."""
    roles = of_type(prod, "AWS::IAM::Role")
    return {name: role for name, role in roles.items() if name not in OF_SERVICES}


def test_policies_name_their_resources(prod: Template) -> None:
    """No statement allows something for every resource, except the listed ones."""
    allowed = EVERY_RESOURCE.keys()
    everything = [one for one in statements(prod) if one["Resource"] == "*"]

    assert {one["Sid"] for one in everything} == allowed
    for one in statements(prod):
        resources = one["Resource"] if isinstance(one["Resource"], list) else [one["Resource"]]
        assert one["Sid"] in allowed or all(is_intrinsic(resource) for resource in resources)


def test_policies_name_their_actions(prod: Template) -> None:
    """No statement allows every action of a service."""
    for one in statements(prod):
        actions = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
        assert one["Effect"] == "Deny" or not any("*" in action for action in actions), one["Sid"]


def test_functions_may_do_what_is_listed_alone(prod: Template) -> None:
    """A function's role has the common permissions; all except that of media events have the store's."""
    for name, role in of_functions(prod).items():
        (own,) = role["Policies"]
        sids = [statement["Sid"] for statement in own["PolicyDocument"]["Statement"]]
        assert sids == ["WriteLogs", "JoinTheVpc", "NotFromOurOwnCode"], name
        assert ("UseStore" in str(role["ManagedPolicyArns"])) == (name != "MediaRole")


def test_only_one_function_receives_work(prod: Template) -> None:
    """The functions that record work may queue it; one function may receive it."""
    policies = of_type(prod, "AWS::IAM::ManagedPolicy")
    roles = of_functions(prod)
    holders = {
        policy: sorted(name for name, role in roles.items() if {"Ref": policy} in role["ManagedPolicyArns"])
        for policy, properties in policies.items()
        if "sqs:" in str(properties)
    }

    assert holders == {
        "PutWork": ["ApiHandlerRole", "RpcRole", "SweepRole", "WebsocketMessageRole", "WorkerRole"],
        "TakeWork": ["WorkerRole"],
        "TakeMediaEvents": ["MediaRole"],
    }
    (put,) = statements(policies["PutWork"])
    assert put["Action"] == "sqs:SendMessage"
    (take,) = statements(policies["TakeMediaEvents"])
    assert take["Resource"] == {"Fn::GetAtt": ["MediaEvents", "Arn"]}


def test_only_pushing_functions_may_use_connections(prod: Template) -> None:
    """Only functions that push may push to connections and close them, on this API alone."""
    policy = of_type(prod, "AWS::IAM::ManagedPolicy")["PushToSockets"]
    roles = of_functions(prod)
    (allowed,) = statements(policy)
    holders = {name for name, role in roles.items() if {"Ref": "PushToSockets"} in role["ManagedPolicyArns"]}

    assert allowed["Action"] == "execute-api:ManageConnections"
    stage = "${WebsocketAPI}/prod/{}/@connections/*"
    ends = [resource["Fn::Sub"].rpartition(":")[2] for resource in allowed["Resource"]]
    assert ends == [stage.replace("{}", method) for method in ("POST", "DELETE")]
    assert holders == roles.keys() - {"MediaRole", "ImportUsersRole"}


def test_every_queue_and_bucket_refuses_plain_http(prod: Template) -> None:
    """Each has a policy that denies everything without TLS."""
    guarded = set()
    for kind, key in (("AWS::SQS::QueuePolicy", "Queues"), ("AWS::S3::BucketPolicy", "Bucket")):
        for policy in of_type(prod, kind).values():
            assert "OnlyOverTls" in [one["Sid"] for one in statements(policy)]
            guarded |= {name for name in prod["Resources"] if f"'{name}'" in str(policy[key])}

    assert guarded == of_type(prod, "AWS::SQS::Queue").keys() | of_type(prod, "AWS::S3::Bucket").keys()


def test_store_is_reached_from_the_functions_alone(prod: Template) -> None:
    """Functions reach the store's two ports and HTTPS; the store is reached by them and reaches nothing."""
    groups = of_type(prod, "AWS::EC2::SecurityGroup")
    (ingress,) = [
        rule
        for rule in of_type(prod, "AWS::EC2::SecurityGroupIngress").values()
        if rule["GroupId"] == {"Ref": "StoreGroup"}
    ]

    assert ingress["SourceSecurityGroupId"] == {"Ref": "FunctionsGroup"}
    assert (ingress["FromPort"], ingress["ToPort"]) == (6379, 6380)
    assert [rule["CidrIp"] for rule in groups["StoreGroup"]["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    to_store, by_ipv6, by_ipv4, to_secret, to_queue = groups["FunctionsGroup"]["SecurityGroupEgress"]
    assert to_store["DestinationSecurityGroupId"] == {"Ref": "StoreGroup"}
    assert (to_store["FromPort"], to_store["ToPort"]) == (6379, 6380)
    assert (by_ipv4["FromPort"], by_ipv4["ToPort"]) == (443, 443)
    for other in (by_ipv6, to_secret, to_queue):
        condition, rule, nothing = other["Fn::If"]
        assert condition in ("EgressByIpv6", "SecretByEndpoint", "QueueByEndpoint")
        assert (rule["FromPort"], rule["ToPort"]) == (443, 443)
        assert nothing == {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    "kind", ["AWS::S3::Bucket", "AWS::ElastiCache::ServerlessCache", "AWS::MemoryDB::Cluster"]
)
def test_data_outlives_the_stack(prod: Template, kind: str) -> None:
    """Messages are kept in a final snapshot, media in their bucket; a replacement keeps the old one."""
    for resource in prod["Resources"].values():
        if resource["Type"] == kind:
            kept = resource["DeletionPolicy"] == "RetainExceptOnCreate"
            assert kept or "FinalSnapshotName" in resource["Properties"]
            assert resource["UpdateReplacePolicy"] == "Retain"


def test_store_user_has_the_tested_permissions(prod: Template) -> None:
    """A store's user has the permissions that the tests run with, the default user none."""
    mapped = {"Fn::FindInMap": ["StoreUser", "Access", "String"]}

    assert prod["Mappings"]["StoreUser"]["Access"]["String"] == f"on {ACCESS_STRING}"
    assert of_type(prod, "AWS::MemoryDB::User")["DurableUser"]["AccessString"] == mapped
    users = of_type(prod, "AWS::ElastiCache::User")
    assert users["ServerlessUser"]["AccessString"] == mapped
    assert users["ServerlessDefaultUser"]["AccessString"] == "off ~* -@all"


def test_store_is_encrypted_and_evicts_nothing_where_that_can_be_said(prod: Template) -> None:
    """The durable store has TLS and noeviction; a serverless one has TLS always, and no such setting."""
    (cluster,) = of_type(prod, "AWS::MemoryDB::Cluster").values()
    (group,) = of_type(prod, "AWS::MemoryDB::ParameterGroup").values()

    assert cluster["TLSEnabled"] is True
    assert group["Parameters"] == {"maxmemory-policy": "noeviction"}
    assert prod["Parameters"]["DurableReplicas"]["MinValue"] == 1
