"""The stack's resources that cost money, with their prices, and those that do not, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

RUNS = ("lambda_request", "lambda_gb_second")

PAID: dict[str, tuple[str, ...]] = {
    "ApiGatewayV2::Api": ("socket_message", "connection_minute"),
    "CloudWatch::Alarm": ("alarm_month",),
    "CloudWatch::Dashboard": ("dashboard_month",),
    "EC2::EIP": ("ipv4_hour",),
    "EC2::NatGateway": ("nat_hour", "nat_gb"),
    "EC2::VPCEndpoint": ("endpoint_hour",),
    "ElastiCache::ServerlessCache": ("store_gb_hour", "store_ecpu", "serverless_snapshot_gb_month"),
    "Events::Rule": RUNS,
    "Lambda::EventSourceMapping": ("sqs_request",),
    "Logs::LogGroup": ("log_gb", "log_gb_month"),
    "Logs::MetricFilter": ("metric_month",),
    "MemoryDB::Cluster": ("node_hour", "durable_snapshot_gb_month"),
    "S3::Bucket": ("media_gb_month",),
    "SecretsManager::Secret": ("secret_month",),
    "Serverless::Api": ("rest_request", "egress_gb"),
    "Serverless::Function": RUNS,
    "WAFv2::WebACL": ("waf_acl_month", "waf_rule_month", "waf_request"),
}
"""The prices of PRICES that the model uses for a type of resource, named without `AWS::`."""

PART = "part of another resource, or a connection between two"
RIGHTS = "rights are free"
NETWORK = "AWS charges for gateways, addresses and traffic, not for this"

FREE: dict[str, str] = {
    "ApiGateway::Account": "a setting of the account",
    "ApiGateway::BasePathMapping": PART,
    "ApiGateway::DomainName": "a name of an API is free; its certificate of ACM is, too",
    "ApiGatewayV2::ApiMapping": PART,
    "ApiGatewayV2::DomainName": "a name of an API is free; its certificate of ACM is, too",
    "ApiGatewayV2::Integration": PART,
    "ApiGatewayV2::Route": PART,
    "ApiGatewayV2::Stage": PART,
    "Budgets::Budget": "a budget without actions is free",
    "CodeDeploy::Application": "CodeDeploy is free for Lambda",
    "CodeDeploy::DeploymentGroup": "CodeDeploy is free for Lambda",
    "EC2::EgressOnlyInternetGateway": "free, but for the traffic that every way out pays",
    "EC2::InternetGateway": "free, but for the traffic that every way out pays",
    "EC2::Route": NETWORK,
    "EC2::RouteTable": NETWORK,
    "EC2::SecurityGroup": NETWORK,
    "EC2::SecurityGroupIngress": NETWORK,
    "EC2::Subnet": NETWORK,
    "EC2::SubnetRouteTableAssociation": NETWORK,
    "EC2::VPC": NETWORK,
    "EC2::VPCCidrBlock": NETWORK,
    "EC2::VPCGatewayAttachment": NETWORK,
    "ElastiCache::User": PART,
    "ElastiCache::UserGroup": PART,
    "IAM::ManagedPolicy": RIGHTS,
    "IAM::Role": RIGHTS,
    "Lambda::Alias": PART,
    "Lambda::Permission": RIGHTS,
    "Lambda::Version": PART,
    "MemoryDB::ACL": PART,
    "MemoryDB::ParameterGroup": PART,
    "MemoryDB::SubnetGroup": PART,
    "MemoryDB::User": PART,
    "S3::BucketPolicy": RIGHTS,
    "SNS::Subscription": PART,
    "SNS::Topic": "a thousand mails a month are free; more alarms than that are an outage",
    "SNS::TopicPolicy": RIGHTS,
    "SQS::Queue": "an idle queue is free; its polls are counted with what hands its messages over",
    "SQS::QueuePolicy": RIGHTS,
    "SSM::Parameter": "standard parameters are free",
    "WAFv2::WebACLAssociation": PART,
}
"""The reason why a type of resource costs nothing, named without `AWS::`."""


COSTLY = frozenset(
    {
        "CacheClusterEnabled",
        "DetailedMetricsEnabled",
        "KmsKeyArn",
        "KmsKeyId",
        "KmsMasterKeyId",
        "KMSMasterKeyID",
        "MetricsEnabled",
        "ProvisionedConcurrencyConfig",
        "ReplicationConfiguration",
        "SnapStart",
        "VersioningConfiguration",
    }
)
"""Properties that cost extra, which the model does not count."""


def uncounted(template: dict[str, Any]) -> list[str]:
    """Return the resources of a template that have one of COSTLY, with its name: `Resource.Property`."""
    resources = template["Resources"].items()
    return sorted(f"{name}.{key}" for name, one in resources for key in _on(one.get("Properties", {})))


def _on(value: Any) -> Iterator[str]:
    """Yield the names of COSTLY that are on somewhere in a value."""
    if isinstance(value, dict):
        yield from (key for key, held in value.items() if key in COSTLY and held)
        for held in value.values():
            yield from _on(held)
    elif isinstance(value, list):
        for held in value:
            yield from _on(held)


def unknown(template: dict[str, Any]) -> list[str]:
    """Return the types of a template's resources that are neither in PAID nor in FREE."""
    types = {resource["Type"].removeprefix("AWS::") for resource in template["Resources"].values()}
    return sorted(types - PAID.keys() - FREE.keys())
