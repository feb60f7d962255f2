"""`python -m infra.deploy`: deploy the last commit, show what would change, or take the stack down."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.deployment import Deployment
from infra.deploy.errors import DeployError
from infra.deploy.sessions import open_session
from infra.deploy.stack import Stack
from infra.package import PackageError

STAGES = ("localstack", "prod")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line asks for; one line on standard error and status 1 when it cannot be done."""
    options = parser().parse_args(arguments)
    name = options.name or f"parley-{options.stage}"
    try:
        values = _values(options.parameter)
        session = open_session(options.stage)
        deployment = Deployment(session, name, options.stage, say, options.shown_as)
        if options.delete:
            _delete(deployment.stack, yes=options.yes)
        else:
            deployment.run(values, dry_run=options.dry_run, replace_data=options.replace_data)
    except (DeployError, PackageError) as error:
        sys.exit(f"deploy: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"deploy: boto3 says: {error}")
    except KeyboardInterrupt:
        sys.exit(f"deploy: interrupted; what was begun on {name} goes on in CloudFormation")


def say(line: str) -> None:
    """Tell progress."""
    print(line, flush=True)


def _delete(stack: Stack, *, yes: bool) -> None:
    if not yes and _typed(f"Take down {stack.name}? Type its name: ") != stack.name:
        raise DeployError("not confirmed; nothing was changed")
    stack.delete()
    say(f"{stack.name} is deleted")


def _typed(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise DeployError("nobody is there to confirm: give --yes (make undeploy YES=1)") from None


def _values(pairs: Sequence[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"a parameter is given as Name=value, not as {pair}")
        values[name] = value
    return values


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    read = argparse.ArgumentParser(
        prog="python -m infra.deploy", description="Deploy the last commit with CloudFormation."
    )
    read.add_argument("--stage", required=True, choices=STAGES)
    read.add_argument("--name", help="the stack's name; parley-STAGE when left out")
    read.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template"
    )
    read.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    read.add_argument(
        "--replace-data", action="store_true", help="even if the store or bucket gives way to an empty one"
    )
    read.add_argument(
        "--shown-as", metavar="URL", help="LocalStack's URL outside of a container, for the URL printed"
    )
    read.add_argument("--delete", action="store_true", help="take the stack down")
    read.add_argument("--yes", action="store_true", help="do not ask before taking it down")
    return read


if __name__ == "__main__":
    main()
