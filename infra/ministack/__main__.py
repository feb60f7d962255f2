"""`python -m infra.ministack`: Parley on MiniStack, until Ctrl-C or while a command runs."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from infra.emulator.command import main
from infra.emulator.process import Emulator
from infra.emulator.stack import Kind
from infra.ministack import server


def parameters(emulator: Emulator) -> dict[str, str]:
    """Return the template's parameters for MiniStack: the URL of its WebSocket API."""
    return {"Host": urlsplit(emulator.endpoint).netloc}


KIND = Kind("MiniStack", "ministack", server.FOLDER, server.running, parameters)

if __name__ == "__main__":
    sys.exit(main(KIND))
