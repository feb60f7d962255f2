"""Writes docs/openapi.json, the committed copy of the OpenAPI document: `python -m infra.openapi`."""

from __future__ import annotations

from pathlib import Path

import app  # noqa: F401  # registers the routes
from chalicelib import openapi

COPY = Path(__file__).parent.parent / "docs" / "openapi.json"

if __name__ == "__main__":
    COPY.write_text(openapi.as_json() + "\n", encoding="utf-8")
    print(f"wrote {COPY}")
