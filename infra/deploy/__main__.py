"""`python -m infra.deploy`: deploy the last commit, show the changes of a deployment, or delete the stack."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from infra.command_line import Parser
from infra.deploy.deployment import Deployment
from infra.deploy.errors import DeployError
from infra.deploy.preflight import NO_STAGE, STAGES
from infra.deploy.sessions import open_session, place
from infra.package import PackageError

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
"""CloudFormation's rule for names; every name that the templates make from one of this length fits."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the command line; on failure, print one line on standard error and exit with status 1."""
    options = parser().parse_args(arguments)
    try:
        _act(options)
    except (DeployError, PackageError, OSError) as error:
        sys.exit(f"deploy: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"deploy: boto3 reports: {error}")
    except KeyboardInterrupt:
        sys.exit("deploy: interrupted; nothing was changed")


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, flush=True)


def _act(options: argparse.Namespace) -> None:
    values = _values(options.parameter)
    session = open_session(options.stage)
    name = options.name or f"parley-{options.stage}"
    what = f"{name} in {place(session)}"
    say(what)
    deployment = Deployment(session, name, options.stage, say, options.shown_as)
    try:
        if options.delete:
            _delete(deployment, what, yes=options.yes)
        else:
            deployment.run(values, dry_run=options.dry_run, replace_data=options.replace_data)
    except KeyboardInterrupt:
        if deployment.stack.begun:
            raise DeployError(f"interrupted; CloudFormation continues the change of {name}") from None
        raise


def _delete(deployment: Deployment, what: str, *, yes: bool) -> None:
    stack = deployment.stack
    if not yes and _typed(f"Delete {what}? Type the stack's name: ") != stack.name:
        raise DeployError("not confirmed; nothing was changed")
    stack.delete()
    say(f"{stack.name} is deleted")


def _typed(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        raise DeployError("there is no terminal to confirm in: give --yes (make undeploy YES=1)") from None


def _values(pairs: Sequence[str]) -> dict[str, str]:
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise DeployError(f"a parameter has the form Name=value; this is {pair}")
        values[name] = value
    return values


def _stage(raw: str) -> str:
    if raw not in STAGES:
        raise argparse.ArgumentTypeError(NO_STAGE.format(raw))
    return raw


def _stack_name(raw: str) -> str:
    if not STACK_NAME.fullmatch(raw):
        raise argparse.ArgumentTypeError(
            f"{raw!r} is not a stack name: use up to 128 letters, digits and hyphens, starting with a letter"
        )
    return raw


def _url(raw: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]\S*", raw):
        raise argparse.ArgumentTypeError(f"{raw!r} is not a URL: it must begin with http:// or https://")
    return raw.rstrip("/")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    read = Parser(
        "deploy", prog="python -m infra.deploy", description="Deploy the last commit with CloudFormation."
    )
    read.add_argument("--stage", required=True, type=_stage, help=" or ".join(STAGES))
    read.add_argument("--name", type=_stack_name, help="the stack's name (default: parley-STAGE)")
    read.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the template"
    )
    read.add_argument("--dry-run", action="store_true", help="show the changes without making them")
    read.add_argument(
        "--replace-data",
        action="store_true",
        help="deploy even if an empty store or bucket replaces the present one",
    )
    read.add_argument(
        "--shown-as",
        type=_url,
        metavar="URL",
        help="LocalStack's URL outside the container, for the printed URL",
    )
    read.add_argument("--delete", action="store_true", help="take the stack down")
    read.add_argument("--yes", action="store_true", help="do not ask before deleting the stack")
    return read


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    main()
