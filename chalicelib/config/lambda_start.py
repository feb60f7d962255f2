"""How a Lambda function's process was started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple


class LambdaStart(NamedTuple):
    """The start of a Lambda function.

    handler: Its entry point, such as `app.sweep`.
    snapshot: Whether AWS restores its memory after the start many times (SnapStart), so that no connection
        survives the start.
    Source: "Defined runtime environment variables" in the AWS Lambda Developer Guide.
    """

    handler: str
    snapshot: bool


def lambda_start(environ: Mapping[str, str] | None = None) -> LambdaStart | None:
    """Return the start of this Lambda function; None outside of Lambda.

    environ: Variables by name; None for those of the process.
    """
    source = os.environ if environ is None else environ
    if not source.get("AWS_LAMBDA_FUNCTION_NAME"):
        return None
    kind = source.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    return LambdaStart(source.get("_HANDLER", ""), snapshot=kind == "snap-start")
