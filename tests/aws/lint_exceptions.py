"""What the linters find in the production stack and is right as it is, each with its reason."""

EVERY_RESOURCE = {
    "JoinTheVpc": "Lambda checks this right for any interface before it makes a function's own",
    "NotFromOurOwnCode": "a denial",
    "WriteTraces": "X-Ray has no resources to name",
}
"""The statements that name every resource, and why AWS leaves no choice."""

CFN_LINT = {
    # It tries a parameter's empty default, with which no resource that refers to it is made.
    "W1030": r"\{'Ref': 'CertificateArn'\} is not a 'AWS::ACM::Certificate\.Arn' with pattern .*",
}
"""Rules of cfn-lint, each with what it says where it is passed over."""

PARLIAMENT = {
    ("a function's role", "RESOURCE_STAR"): EVERY_RESOURCE["JoinTheVpc"],
    (
        "a function's role",
        "UNKNOWN_CONDITION_FOR_ACTION",
    ): "lambda:SourceFunctionArn is of every call's context",
    ("MediaBucketPolicy", "UNKNOWN_CONDITION_FOR_ACTION"): "s3:TlsVersion is of every call's context",
    (
        "MediaBucketPolicy",
        "MISMATCHED_TYPE",
    ): "it takes whole numbers alone for numbers, and a version is 1.2",
}
"""What parliament finds, by resource and issue."""
