"""The command of an emulator: runs Parley on it without Docker, until Ctrl-C or while a command runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy.errors import DeployError
from infra.emulator.stack import Kind, Running, running
from infra.local.shutdown import Shutdown, StartError, say, warn
from infra.package import PackageError

POLL_SECONDS = 0.2
STOP_SECONDS = 10.0


def main(kind: Kind) -> int:
    """Serve until a signal, or until the given command has ended; return the exit status."""
    options = _parser(kind).parse_args()
    shutdown = Shutdown()
    shutdown.listen()
    if options.end_with_parent:
        shutdown.end_with_parent()
    try:
        with running(kind, options.port, None if options.ephemeral else options.data, shutdown) as stack:
            status = _run(options.command, stack, shutdown) if options.command else _serve(stack, shutdown)
            say("Stopping")
    except (StartError, DeployError, PackageError, BotoCoreError, ClientError, OSError) as error:
        if shutdown.requested:
            return 0
        warn(f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error))
        return 1
    finally:
        shutdown.end()
    return 1 if shutdown.failed else status


def _serve(stack: Running, shutdown: Shutdown) -> int:
    if not shutdown.requested:
        say(_welcome(stack))
    while not shutdown.requested and stack.emulator.running:
        time.sleep(POLL_SECONDS)
    if not shutdown.requested:
        shutdown.fail(f"{stack.emulator.name} has ended by itself")
    return 0


def _run(command: list[str], stack: Running, shutdown: Shutdown) -> int:
    url, rpc = stack.deployment.url, stack.deployment.stack.resource("Rpc")
    words = [word.replace("{url}", url).replace("{rpc}", rpc) for word in command]
    process = subprocess.Popen(words, start_new_session=True)
    while process.poll() is None and not shutdown.requested:
        time.sleep(POLL_SECONDS)
    status = _ended(process)
    say(f"The last call in the functions' log:\n{_last_call(stack.emulator.functions_log)}")
    return status


def _ended(process: subprocess.Popen[bytes]) -> int:
    """End a command with all its processes, and return its status as a shell does."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    status = process.wait()
    return 128 - status if status < 0 else status


def _last_call(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else "(none)"
    start = text.rfind("START RequestId:")
    return text[start:].rstrip() if start >= 0 else text.rstrip().rpartition("\n")[2]


def _welcome(stack: Running) -> str:
    url = stack.deployment.url
    return f"""
Parley is on {stack.emulator.name} at {url}

Send a message and read it, from another terminal:
  curl -i {url}/api/send -H 'Content-Type: application/json' \\
    -d '{{"chat":"alice:bob","sender":"alice","text":"hello"}}'
  curl '{url}/api/pull?chat=alice:bob'

The functions' log: {stack.emulator.functions_log}
For boto3, chalice and the AWS CLI: AWS_ENDPOINT_URL={stack.emulator.endpoint}
Ctrl-C stops everything.
"""


def _parser(kind: Kind) -> argparse.ArgumentParser:
    environ, prefix = os.environ, kind.stage.upper()
    parser = argparse.ArgumentParser(
        prog=f"python -m infra.{kind.stage}",
        allow_abbrev=False,
        description=f"Run Parley on {kind.name}, without Docker.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=environ.get(f"{prefix}_PORT") or "4566",
        help=f"{kind.name}'s port, 0 for a free one ({prefix}_PORT; %(default)s)",
    )
    parser.add_argument(
        "--data",
        type=_folder,
        default=environ.get(f"{prefix}_DATA") or kind.folder / "data",
        help=f"folder of the embedded Valkey ({prefix}_DATA; %(default)s)",
    )
    parser.add_argument("--ephemeral", action="store_true", help="keep the messages in a temporary folder")
    parser.add_argument(
        "--end-with-parent", action="store_true", help="stop when the parent process has ended"
    )
    parser.add_argument(
        "command", nargs="*", help="after --: a command to run on it; {url} and {rpc} are replaced"
    )
    return parser


def _folder(raw: str) -> Path:
    if not raw:
        raise argparse.ArgumentTypeError("name a folder")
    return Path(raw)


def _port(raw: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 5 and int(raw) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(raw)
