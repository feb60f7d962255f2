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
    options = _parser().parse_args(arguments)
    name = options.name or f"parley-{options.stage}"
    try:
        deployment = Deployment(open_session(options.stage), name, options.stage, say)
        if options.delete:
            _delete(deployment.stack, yes=options.yes)
        else:
            deployment.run(_values(options.parameter), dry_run=options.dry_run)
    except (DeployError, PackageError) as error:
        sys.exit(f"deploy: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"deploy: a call to AWS failed: {error}")
    except KeyboardInterrupt:
        sys.exit(f"deploy: interrupted; what was begun on {name} goes on in CloudFormation")


def say(line: str) -> None:
    """Tell progress."""
    print(line, flush=True)


def _delete(stack: Stack, *, yes: bool) -> None:
    if not yes and input(f"Take down {stack.name}? Type its name: ") != stack.name:
        raise DeployError("not confirmed; nothing was changed")
    stack.delete()
    say(f"{stack.name} is deleted")


def _values(pairs: Sequence[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"a parameter is given as Name=value, not as {pair}")
        values[name] = value
    return values


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy", description="Deploy the last commit with CloudFormation."
    )
    parser.add_argument("--stage", required=True, choices=STAGES)
    parser.add_argument("--name", help="the stack's name; parley-STAGE when left out")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template"
    )
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    parser.add_argument("--delete", action="store_true", help="take the stack down")
    parser.add_argument("--yes", action="store_true", help="do not ask before taking it down")
    return parser


if __name__ == "__main__":
    main()
