"""Packages the last commit and makes or changes a CloudFormation stack of it: `python -m infra.deploy`."""
