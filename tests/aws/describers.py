"""The state of a resource of each type, as its own service describes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

Description = Any


@dataclass(frozen=True)
class Resource:
    """One resource of a stack.

    name: its name in the template. type: such as `AWS::SQS::Queue`. id: its physical id.
    properties: those of the template. ids: the physical ids of all of the stack's resources by name.
    """

    name: str
    type: str
    id: str
    properties: dict[str, Any]
    ids: dict[str, str]

    def of(self, key: str) -> str:
        """Return the physical id of the resource that a property refers to."""
        value = self.properties[key]
        return self.ids[(value[0] if isinstance(value, list) else value)["Ref"]]


class Aws:
    """The clients of a session, one a service."""

    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    def __getattr__(self, service: str) -> Any:
        return self._client(service)

    def describe(self, resource: Resource) -> Description | None:
        """Return a resource's state, or None if it does not exist; raises KeyError without a describer."""
        describe = DESCRIBERS[resource.type]
        try:
            return describe(self, resource) or None
        except (BotoCoreError, ClientError, IndexError, StopIteration):
            return None


def _vpc(aws: Aws, r: Resource) -> Description:
    return aws.ec2.describe_vpcs(VpcIds=[r.id])["Vpcs"][0]


def _vpc_ipv6(aws: Aws, r: Resource) -> Description:
    vpc = aws.ec2.describe_vpcs(VpcIds=[r.of("VpcId")])["Vpcs"][0]
    return vpc.get("Ipv6CidrBlockAssociationSet")


def _group_rule(aws: Aws, r: Resource) -> Description:
    group = aws.ec2.describe_security_groups(GroupIds=[r.of("GroupId")])["SecurityGroups"][0]
    source = r.of("SourceSecurityGroupId")
    return [
        rule
        for rule in group["IpPermissions"]
        if source in [pair["GroupId"] for pair in rule["UserIdGroupPairs"]]
    ]


def _route(aws: Aws, r: Resource) -> Description:
    table = aws.ec2.describe_route_tables(RouteTableIds=[r.of("RouteTableId")])["RouteTables"][0]
    wanted = r.properties["DestinationCidrBlock"]
    return next(route for route in table["Routes"] if route.get("DestinationCidrBlock") == wanted)


def _association(aws: Aws, r: Resource) -> Description:
    chosen = [{"Name": "association.subnet-id", "Values": [r.of("SubnetId")]}]
    table = aws.ec2.describe_route_tables(Filters=chosen)["RouteTables"][0]
    return next(a for a in table["Associations"] if a.get("SubnetId") == r.of("SubnetId"))


def _endpoint(aws: Aws, r: Resource) -> Description:
    endpoint = aws.ec2.describe_vpc_endpoints(VpcEndpointIds=[r.id])["VpcEndpoints"][0]
    return endpoint if endpoint["State"] != "deleted" else None


def _attachment(aws: Aws, r: Resource) -> Description:
    gateways = aws.ec2.describe_internet_gateways(InternetGatewayIds=[r.of("InternetGatewayId")])
    return gateways["InternetGateways"][0]["Attachments"]


def _bucket(aws: Aws, r: Resource) -> Description:
    named = {"Bucket": r.id}
    return {
        "block": aws.s3.get_public_access_block(**named)["PublicAccessBlockConfiguration"],
        "ownership": aws.s3.get_bucket_ownership_controls(**named)["OwnershipControls"],
        "encryption": aws.s3.get_bucket_encryption(**named)["ServerSideEncryptionConfiguration"],
        "lifecycle": _set(aws.s3.get_bucket_lifecycle_configuration, "Rules", r.id),
        "pages": _set(aws.s3.get_bucket_cors, "CORSRules", r.id),
        "queues": aws.s3.get_bucket_notification_configuration(**named)["QueueConfigurations"],
    }


def _set(ask: Callable[..., Any], key: str, bucket: str) -> Description:
    """Return one configuration of a bucket, or None if it has none."""
    try:
        return ask(Bucket=bucket)[key]
    except ClientError:
        return None


def _queue(aws: Aws, r: Resource) -> Description:
    return aws.sqs.get_queue_attributes(QueueUrl=r.id, AttributeNames=["All"])["Attributes"]


def _queue_policy(aws: Aws, r: Resource) -> Description:
    url = r.of("Queues")
    policy = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    return json.loads(policy)["Statement"]


def _topic_policy(aws: Aws, r: Resource) -> Description:
    attributes = aws.sns.get_topic_attributes(TopicArn=r.of("Topics"))["Attributes"]
    statements = json.loads(attributes["Policy"])["Statement"]
    return [one for one in statements if one["Sid"] in ("FromAlarms", "OnlyOverTls")]


def _subscription(aws: Aws, r: Resource) -> Description:
    held = aws.sns.list_subscriptions()["Subscriptions"]
    return next(one for one in held if one["TopicArn"] == r.of("TopicArn"))


def _function(aws: Aws, r: Resource) -> Description:
    return getattr(aws, "lambda").get_function(FunctionName=r.id)["Configuration"]


def _alias(aws: Aws, r: Resource) -> Description:
    """Return the version of an alias, under the alias's ARN."""
    functions, name = getattr(aws, "lambda"), r.of("FunctionName")
    alias = functions.get_alias(FunctionName=name, Name=r.properties["Name"])
    version = functions.get_function_configuration(FunctionName=name, Qualifier=alias["FunctionVersion"])
    return {**version, "FunctionArn": alias["AliasArn"]}


def _permission(aws: Aws, r: Resource) -> Description:
    policy = getattr(aws, "lambda").get_policy(FunctionName=r.of("FunctionName"))["Policy"]
    return json.loads(policy)["Statement"]


def _rule(aws: Aws, r: Resource) -> Description:
    name = r.id.rpartition("|")[2]
    targets = aws.events.list_targets_by_rule(Rule=name)["Targets"]
    return {**aws.events.describe_rule(Name=name), "targets": [target["Arn"] for target in targets]}


def _metric_filter(aws: Aws, r: Resource) -> Description:
    held = aws.logs.describe_metric_filters(logGroupName=r.of("LogGroupName"))["metricFilters"]
    return [found for found in held if found["filterName"] == r.id]


def _role(aws: Aws, r: Resource) -> Description:
    attached = aws.iam.list_attached_role_policies(RoleName=r.id)["AttachedPolicies"]
    names = aws.iam.list_role_policies(RoleName=r.id)["PolicyNames"]
    own = [aws.iam.get_role_policy(RoleName=r.id, PolicyName=name)["PolicyDocument"] for name in names]
    return {"attached": sorted(policy["PolicyArn"] for policy in attached), "own": own}


def _managed_policy(aws: Aws, r: Resource) -> Description:
    version = aws.iam.get_policy(PolicyArn=r.id)["Policy"]["DefaultVersionId"]
    document = aws.iam.get_policy_version(PolicyArn=r.id, VersionId=version)["PolicyVersion"]["Document"]
    return document["Statement"]


def _log_group(aws: Aws, r: Resource) -> Description:
    groups = aws.logs.describe_log_groups(logGroupNamePrefix=r.id)["logGroups"]
    return next(group for group in groups if group["logGroupName"] == r.id)


DESCRIBERS: dict[str, Callable[[Aws, Resource], Description]] = {
    "AWS::ApiGateway::Account": lambda aws, r: aws.apigateway.get_account().get("cloudwatchRoleArn"),
    "AWS::ApiGateway::BasePathMapping": lambda aws, r: aws.apigateway.get_base_path_mappings(
        domainName=r.of("DomainName")
    )["items"],
    "AWS::ApiGateway::Deployment": lambda aws, r: aws.apigateway.get_deployment(
        restApiId=r.of("RestApiId"), deploymentId=r.id
    ),
    "AWS::ApiGateway::DomainName": lambda aws, r: aws.apigateway.get_domain_name(domainName=r.id),
    "AWS::ApiGateway::RestApi": lambda aws, r: aws.apigateway.get_rest_api(restApiId=r.id),
    "AWS::ApiGateway::Stage": lambda aws, r: aws.apigateway.get_stage(
        restApiId=r.of("RestApiId"), stageName=r.properties["StageName"]
    ),
    # LocalStack has no such service, and its session no such client.
    "AWS::Budgets::Budget": lambda aws, r: None,
    "AWS::CloudWatch::Alarm": lambda aws, r: aws.cloudwatch.describe_alarms(AlarmNames=[r.id])[
        "MetricAlarms"
    ],
    "AWS::EC2::EIP": lambda aws, r: aws.ec2.describe_addresses(PublicIps=[r.id])["Addresses"],
    "AWS::EC2::EgressOnlyInternetGateway": lambda aws, r: aws.ec2.describe_egress_only_internet_gateways(
        EgressOnlyInternetGatewayIds=[r.id]
    )["EgressOnlyInternetGateways"],
    "AWS::EC2::InternetGateway": lambda aws, r: aws.ec2.describe_internet_gateways(InternetGatewayIds=[r.id])[
        "InternetGateways"
    ],
    "AWS::EC2::NatGateway": lambda aws, r: aws.ec2.describe_nat_gateways(NatGatewayIds=[r.id])["NatGateways"],
    "AWS::EC2::Route": _route,
    "AWS::EC2::RouteTable": lambda aws, r: aws.ec2.describe_route_tables(RouteTableIds=[r.id])["RouteTables"],
    "AWS::EC2::SecurityGroup": lambda aws, r: aws.ec2.describe_security_groups(GroupIds=[r.id])[
        "SecurityGroups"
    ][0],
    "AWS::EC2::SecurityGroupIngress": _group_rule,
    "AWS::EC2::Subnet": lambda aws, r: aws.ec2.describe_subnets(SubnetIds=[r.id])["Subnets"][0],
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCCidrBlock": _vpc_ipv6,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::VPCGatewayAttachment": _attachment,
    "AWS::ElastiCache::ServerlessCache": lambda aws, r: aws.elasticache.describe_serverless_caches(
        ServerlessCacheName=r.id
    )["ServerlessCaches"],
    "AWS::ElastiCache::User": lambda aws, r: aws.elasticache.describe_users(UserId=r.id)["Users"],
    "AWS::ElastiCache::UserGroup": lambda aws, r: aws.elasticache.describe_user_groups(UserGroupId=r.id)[
        "UserGroups"
    ],
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::Alias": _alias,
    "AWS::Lambda::EventSourceMapping": lambda aws, r: getattr(aws, "lambda").get_event_source_mapping(
        UUID=r.id
    ),
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Version": lambda aws, r: getattr(aws, "lambda").get_function_configuration(
        FunctionName=r.id
    ),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::Logs::MetricFilter": _metric_filter,
    "AWS::MemoryDB::ACL": lambda aws, r: aws.memorydb.describe_acls(ACLName=r.id)["ACLs"],
    "AWS::MemoryDB::Cluster": lambda aws, r: aws.memorydb.describe_clusters(ClusterName=r.id)["Clusters"],
    "AWS::MemoryDB::ParameterGroup": lambda aws, r: aws.memorydb.describe_parameter_groups(
        ParameterGroupName=r.id
    )["ParameterGroups"],
    "AWS::MemoryDB::SubnetGroup": lambda aws, r: aws.memorydb.describe_subnet_groups(SubnetGroupName=r.id)[
        "SubnetGroups"
    ],
    "AWS::MemoryDB::User": lambda aws, r: aws.memorydb.describe_users(UserName=r.id)["Users"],
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": lambda aws, r: json.loads(
        aws.s3.get_bucket_policy(Bucket=r.of("Bucket"))["Policy"]
    )["Statement"],
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": lambda aws, r: aws.sns.get_topic_attributes(TopicArn=r.id)["Attributes"],
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SSM::Parameter": lambda aws, r: aws.ssm.get_parameter(Name=r.id)["Parameter"],
    "AWS::WAFv2::WebACL": lambda aws, r: aws.wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"],
    "AWS::WAFv2::WebACLAssociation": lambda aws, r: aws.wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"],
    "AWS::SecretsManager::Secret": lambda aws, r: json.loads(
        aws.secretsmanager.get_secret_value(SecretId=r.id)["SecretString"]
    ),
}
