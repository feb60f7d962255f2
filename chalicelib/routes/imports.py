"""Imports by direct invocation of the `import_users` function."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib import services
from chalicelib.errors import BadRequest, InternalError, ParleyError
from chalicelib.http import converted
from chalicelib.logs import LOGGER
from chalicelib.schemas.imports import ImportRequest


def call(event: Any) -> dict[str, Any]:
    """Answer an ImportRequest with an ImportReport, as plain values.

    The answer to a refused call is `{"code", "msg", "error"}`, as that of `rpc`, without the fields of a
    report. IAM decides who can invoke the function.
    """
    try:
        if not isinstance(event, dict):
            raise BadRequest("An import must be an object with `url` and `mapping`.")
        report = services.current().imports.call(converted(event, ImportRequest))
        counts = {name: getattr(report, name) for name in ("read", "created", "updated", "unchanged")}
        LOGGER.info({"event": "import", **counts, "skipped": len(report.skipped), "problem": report.problem})
        answer: dict[str, Any] = msgspec.to_builtins(report)
    except ParleyError as error:
        answer = {"code": error.status, "msg": error.detail, "error": error.code}
        LOGGER.info({"event": "import", "code": error.status})
    except Exception:
        LOGGER.exception({"event": "defect", "route": "import_users"})
        answer = {"code": 500, "msg": "The server failed to answer this call.", "error": InternalError.code}
    return answer
