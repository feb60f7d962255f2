"""Generates committed files from the code: `python -m infra.openapi`.

The files: docs/openapi.json, docs/asyncapi.json, the module of chalicelib/schemas/message.proto, and the
table of keys in docs/redis.md.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import app  # noqa: F401  # registers the routes
from chalicelib.apidocs import asyncapi, openapi
from infra import key_table

ROOT = Path(__file__).parent.parent
COPY = ROOT / "docs" / "openapi.json"
ASYNCAPI_COPY = ROOT / "docs" / "asyncapi.json"
PROTO = "chalicelib/schemas/message.proto"


def generate(into: Path) -> None:
    """Write the module of message.proto, and its types, below a folder."""
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={ROOT}"]
    subprocess.run([*protoc, f"--python_out={into}", f"--pyi_out={into}", PROTO], cwd=ROOT, check=True)


if __name__ == "__main__":
    COPY.write_text(openapi.as_json() + "\n", encoding="utf-8")
    ASYNCAPI_COPY.write_text(asyncapi.as_json() + "\n", encoding="utf-8")
    generate(ROOT)
    key_table.write()
    print(f"wrote {COPY}, {ASYNCAPI_COPY}, the module of {PROTO} and the table in {key_table.DOCUMENT}")
