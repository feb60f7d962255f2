"""`python -m infra.localstack`: Parley on LocalStack, without Docker."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from infra.deploy.errors import DeployError
from infra.local.shutdown import Shutdown, StartError, say, warn
from infra.localstack import environments
from infra.localstack.stack import Deployed, running
from infra.package import PackageError

POLL_SECONDS = 0.2


def main() -> int:
    """Serve until a signal; returns the exit status."""
    options = _parser().parse_args()
    shutdown = Shutdown()
    shutdown.listen()
    try:
        with running(options.port, options.data, shutdown) as deployed:
            say(_welcome(deployed))
            while not shutdown.requested and deployed.localstack.running:
                time.sleep(POLL_SECONDS)
            if not shutdown.requested:
                shutdown.fail("LocalStack ended by itself")
            say("Stopping")
    except (StartError, DeployError, PackageError) as error:
        if not shutdown.requested:
            warn(str(error))
            return 1
    finally:
        shutdown.end()
    return 1 if shutdown.failed else 0


def _welcome(deployed: Deployed) -> str:
    url = deployed.deployment.url
    return f"""
Parley is on LocalStack at {url}

Send a message and read it, from another terminal:
  curl -i {url}/api/send -H 'Content-Type: application/json' \\
    -d '{{"chat":"alice:bob","sender":"alice","text":"hello"}}'
  curl '{url}/api/pull?chat=alice:bob'

The functions' log: {deployed.localstack.functions_log}
For boto3, chalice and the AWS CLI: AWS_ENDPOINT_URL={deployed.localstack.endpoint}. Ctrl-C stops it all.
"""


def _parser() -> argparse.ArgumentParser:
    environ = os.environ
    parser = argparse.ArgumentParser(
        prog="python -m infra.localstack", description="Run Parley on LocalStack, without Docker."
    )
    parser.add_argument(
        "--port",
        type=int,
        default=environ.get("LOCALSTACK_PORT") or "4566",
        help="LocalStack's port; 0 for any",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=environ.get("LOCALSTACK_DATA") or environments.FOLDER / "data",
        help="folder of the embedded Valkey",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
