"""Run a module as a program that ends when its standard input closes, because the parent process has ended.

`python attended.py MODULE FOLDER STORE`: at the end, FOLDER is removed, and the store with the socket STORE
is stopped, unless that is empty. The program runs in the emulator's own environment, with the standard
library alone.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import shutil
import signal
import socket
import sys
import threading


def main() -> None:
    """Run the module that the command line names."""
    module, folder, store = sys.argv[1:]
    sys.argv = [module]
    threading.Thread(target=_end_at_eof, args=(folder, store), daemon=True).start()
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_at_eof(folder: str, store: str) -> None:
    sys.stdin.buffer.read()
    if store:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(store)
            connection.sendall(b"SHUTDOWN\r\n")
            connection.recv(1)  # the store sends nothing, and closes when its data is on disk
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
