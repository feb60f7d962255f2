"""`python -m tests.servers.parent MODULE ARGUMENT…`: starts a module as make does, and waits for its end."""

from __future__ import annotations

import subprocess
import sys

if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", *sys.argv[1:]]))
