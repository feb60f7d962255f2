"""Command lines whose errors are one line, without the usage that argparse puts before it."""

from __future__ import annotations

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An ArgumentParser; command: what the line begins with, such as `deploy`."""

    def __init__(self, command: str, *, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description)
        self._command = command

    def error(self, message: str) -> NoReturn:
        """Exit with status 2 and one line."""
        self.exit(2, f"{self._command}: {message}\n")
