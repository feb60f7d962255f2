"""`python -m infra.localstack`: Parley on LocalStack without Docker, until Ctrl-C or while a command runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.errors import DeployError
from infra.local.shutdown import Shutdown, StartError, say, warn
from infra.localstack import environments
from infra.localstack.stack import Running, running
from infra.package import PackageError

POLL_SECONDS = 0.2


def main() -> int:
    """Serve until a signal, or until the command given has ended; returns the exit status."""
    options = _parser().parse_args()
    shutdown = Shutdown()
    shutdown.listen()
    try:
        with _data(options) as data, running(options.port, data, shutdown) as stack:
            status = _run(options.command, stack, shutdown) if options.command else _serve(stack, shutdown)
            say("Stopping")
    except (StartError, DeployError, PackageError, BotoCoreError, ClientError) as error:
        if not shutdown.requested:
            warn(str(error))
            return 1
        return 0
    finally:
        shutdown.end()
    return 1 if shutdown.failed else status


def _serve(stack: Running, shutdown: Shutdown) -> int:
    say(_welcome(stack))
    while not shutdown.requested and stack.localstack.running:
        time.sleep(POLL_SECONDS)
    if not shutdown.requested:
        shutdown.fail("LocalStack ended by itself")
    return 0


def _run(command: list[str], stack: Running, shutdown: Shutdown) -> int:
    url, rpc = stack.deployment.url, stack.deployment.stack.resource("Rpc")
    try:
        process = subprocess.Popen([word.replace("{url}", url).replace("{rpc}", rpc) for word in command])
    except OSError as error:
        raise StartError(f"{command[0]} cannot be run: {error.strerror}.") from None
    while process.poll() is None and not shutdown.requested:
        time.sleep(POLL_SECONDS)
    process.terminate()
    status = process.wait()
    say(f"The last call in the functions' log:\n{_last_call(stack.localstack.functions_log)}")
    return status


def _last_call(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    return text[text.rfind("START RequestId:") :].rstrip()


@contextlib.contextmanager
def _data(options: argparse.Namespace) -> Iterator[Path]:
    if not options.ephemeral:
        yield options.data
        return
    with tempfile.TemporaryDirectory(prefix="parley-data-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _welcome(stack: Running) -> str:
    url = stack.deployment.url
    return f"""
Parley is on LocalStack at {url}

Send a message and read it, from another terminal:
  curl -i {url}/api/send -H 'Content-Type: application/json' \\
    -d '{{"chat":"alice:bob","sender":"alice","text":"hello"}}'
  curl '{url}/api/pull?chat=alice:bob'

The functions' log: {stack.localstack.functions_log}
For boto3, chalice and the AWS CLI: AWS_ENDPOINT_URL={stack.localstack.endpoint}
Ctrl-C stops all of it.
"""


def _parser() -> argparse.ArgumentParser:
    environ = os.environ
    parser = argparse.ArgumentParser(
        prog="python -m infra.localstack",
        allow_abbrev=False,
        description="Run Parley on LocalStack, without Docker.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=environ.get("LOCALSTACK_PORT") or "4566",
        help="LocalStack's port, 0 for any that is free (LOCALSTACK_PORT; %(default)s)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=environ.get("LOCALSTACK_DATA") or environments.FOLDER / "data",
        help="folder of the embedded Valkey (LOCALSTACK_DATA; %(default)s)",
    )
    parser.add_argument("--ephemeral", action="store_true", help="keep the messages in a folder that goes")
    parser.add_argument(
        "command", nargs="*", help="after --: a command to run on it; {url} and {rpc} are replaced"
    )
    return parser


def _port(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and int(raw) <= 65535):
        raise argparse.ArgumentTypeError(f"{raw} is not a port: it is a number from 0 to 65535")
    return int(raw)


if __name__ == "__main__":
    sys.exit(main())
