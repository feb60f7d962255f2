"""The loop of these tests: that of a worker."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run the tests by uvloop."""
    return "asyncio", {"use_uvloop": True}
