"""Accepted findings of the linters in the production stack, each with its reason."""

EVERY_RESOURCE = {
    "JoinTheVpc": "Lambda checks this right for any interface before it makes a function's own",
    "NotFromOurOwnCode": "a denial",
    "WriteTraces": "X-Ray has no resources to name",
}
"""The statements for every resource, and AWS's reason for each."""

CFN_LINT = {
    # It tries a parameter's empty default, with which no resource that refers to it is made.
    "W1030": r"\{'Ref': 'CertificateArn'\} is not a 'AWS::ACM::Certificate\.Arn' with pattern .*",
}
"""Rules of cfn-lint, each with its accepted finding."""

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
"""Accepted findings of parliament, by resource and issue."""
