"""Packages the last commit, and creates or updates its CloudFormation stack: `python -m infra.deploy`."""
