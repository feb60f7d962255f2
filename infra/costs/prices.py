"""AWS's prices that the model uses: each once, with its unit, source and date."""

from __future__ import annotations

from dataclasses import dataclass

REGION = "us-east-1"
AS_OF = "November 2026"
HOURS = 730  # of an average month, as AWS counts
MINUTES = HOURS * 60

API_GATEWAY = "https://aws.amazon.com/api-gateway/pricing/"
LAMBDA = "https://aws.amazon.com/lambda/pricing/"
ELASTICACHE = "https://aws.amazon.com/elasticache/pricing/"
MEMORYDB = "https://aws.amazon.com/memorydb/pricing/"
EC2 = "https://aws.amazon.com/ec2/pricing/on-demand/"
VPC = "https://aws.amazon.com/vpc/pricing/"
PRIVATELINK = "https://aws.amazon.com/privatelink/pricing/"
SQS = "https://aws.amazon.com/sqs/pricing/"
CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
SECRETS = "https://aws.amazon.com/secrets-manager/pricing/"
WAF = "https://aws.amazon.com/waf/pricing/"
S3 = "https://aws.amazon.com/s3/pricing/"


@dataclass(frozen=True)
class Price:
    """An on-demand price in REGION on AS_OF, before free allowances and volume discounts.

    dollars: For one unit.
    source: AWS's public page.
    assumed: For an estimate, the reason for it.
    """

    dollars: float
    unit: str
    source: str
    assumed: str = ""


PRICES = {
    "rest_request": Price(3.50e-6, "request to a REST API", API_GATEWAY),
    "socket_message": Price(1.00e-6, "WebSocket message, in or out, a begun 32 KB", API_GATEWAY),
    "connection_minute": Price(0.25e-6, "minute of a WebSocket connection", API_GATEWAY),
    "lambda_request": Price(0.20e-6, "Lambda invocation", LAMBDA),
    "lambda_gb_second": Price(0.0000133334, "GB-second of Lambda on arm64", LAMBDA),
    "store_gb_hour": Price(0.084, "GB-hour in ElastiCache Serverless for Valkey", ELASTICACHE),
    "store_ecpu": Price(0.0023e-6, "ECPU of ElastiCache Serverless for Valkey", ELASTICACHE),
    "node_hour": Price(
        0.0336,
        "hour of a MemoryDB db.t4g.small node, Valkey",
        MEMORYDB,
        assumed="1.5 times ElastiCache's cache.t4g.small, less 30% for Valkey; give AWS's by --node-hour",
    ),
    "serverless_snapshot_gb_month": Price(0.085, "GB-month of snapshots of ElastiCache", ELASTICACHE),
    "durable_snapshot_gb_month": Price(0.021, "GB-month of snapshots of MemoryDB", MEMORYDB),
    "egress_gb": Price(0.09, "GB from AWS to the internet", EC2),
    "nat_hour": Price(0.045, "hour of a NAT gateway", VPC),
    "nat_gb": Price(0.045, "GB through a NAT gateway", VPC),
    "ipv4_hour": Price(0.005, "hour of a public IPv4 address", VPC),
    "endpoint_hour": Price(0.01, "hour of an interface endpoint, a zone", PRIVATELINK),
    "sqs_request": Price(0.40e-6, "request to SQS", SQS),
    "alarm_month": Price(0.10, "month of an alarm on one metric", CLOUDWATCH),
    "dashboard_month": Price(3.00, "month of a dashboard", CLOUDWATCH),
    "metric_month": Price(0.30, "month of a custom metric, in the hours in which it is reported", CLOUDWATCH),
    "log_gb": Price(0.50, "GB of logs taken in", CLOUDWATCH),
    "log_gb_month": Price(0.03, "GB-month of logs kept, compressed", CLOUDWATCH),
    "secret_month": Price(0.40, "month of a secret", SECRETS),
    "waf_acl_month": Price(5.00, "month of a web ACL of WAF", WAF),
    "waf_rule_month": Price(1.00, "month of a rule of WAF", WAF),
    "waf_request": Price(0.60e-6, "request that WAF looks at", WAF),
    "media_gb_month": Price(0.023, "GB-month in S3 Standard", S3),
}

SOCKET_MESSAGE_BYTES = 32 * 1024  # what one message may have before it counts as two
STORE_FLOOR_GB = 0.1  # the least that ElastiCache Serverless for Valkey charges for
LOGS_COMPRESSED = 0.15  # of a log's size, by which CloudWatch charges what it keeps
NODE_GB = 1.37  # memory of a db.t4g.small
