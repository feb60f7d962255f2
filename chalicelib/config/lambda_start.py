"""How this process was started, if it is a Lambda function's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple


class LambdaStart(NamedTuple):
    """The start of a Lambda function.

    handler: the entry point that it serves, such as `app.sweep`. snapshot: whether its memory is kept once it
    has started, and restored many times (SnapStart), so that no connection survives the start.
    Source: "Defined runtime environment variables" in the AWS Lambda Developer Guide.
    """

    handler: str
    snapshot: bool


def lambda_start(environ: Mapping[str, str] | None = None) -> LambdaStart | None:
    """Return how this Lambda function starts, or None outside of Lambda.

    environ: variables by name; the process's own when left out.
    """
    source = os.environ if environ is None else environ
    if not source.get("AWS_LAMBDA_FUNCTION_NAME"):
        return None
    kind = source.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    return LambdaStart(source.get("_HANDLER", ""), snapshot=kind == "snap-start")
