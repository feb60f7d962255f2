"""`python -m infra.localstack`: Parley on LocalStack without Docker, until Ctrl-C or while a command runs."""

from __future__ import annotations

import sys

from infra.emulator.command import main
from infra.emulator.stack import Kind
from infra.localstack import environments, server

KIND = Kind("LocalStack", "localstack", environments.FOLDER, server.running, lambda _: {})

if __name__ == "__main__":
    sys.exit(main(KIND))
