"""Every Lambda entry point of Parley; wiring only."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib import http, logs
from chalicelib.config import Settings
from chalicelib.routes import BLUEPRINTS
from chalicelib.routes import rpc as rpc_calls

app = Chalice(app_name="parley", configure_logs=False)
app.api.binary_types.clear()  # every answer is text, so nothing need be compared with this list
logs.configure(Settings.from_env().log_level)
app.register_middleware(http.answer, "http")
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)


@app.lambda_function(name="rpc")
def rpc(event: Any, context: Any) -> dict[str, Any]:
    """Answer a direct invocation of send or pull."""
    return rpc_calls.call(event)
