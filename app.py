"""Every Lambda entry point of Parley; wiring only."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib import http, logs
from chalicelib.config import Settings
from chalicelib.routes import BLUEPRINTS, media_events
from chalicelib.routes import imports as imported_users
from chalicelib.routes import rpc as rpc_calls
from chalicelib.routes import work as owed_work

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


@app.lambda_function(name="worker")
def work(event: Any, context: Any) -> dict[str, Any]:
    """Do the jobs of an SQS event; the queue is connected in infra/aws and infra/local."""
    return owed_work.handle(event)


@app.lambda_function(name="sweep")
def sweep(event: Any, context: Any) -> dict[str, int]:
    """Repeat the work that was lost, once a minute."""
    return owed_work.sweep(event)


@app.lambda_function(name="media")
def media(event: Any, context: Any) -> dict[str, Any]:
    """Note what the media bucket stored and removed; its queue is connected in infra/aws and infra/local."""
    return media_events.handle(event)


@app.lambda_function(name="import_users")
def import_users(event: Any, context: Any) -> dict[str, Any]:
    """Copy users from another server, as far as one call comes."""
    return imported_users.call(event)
