"""Every Lambda entry point of Parley; wiring only."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib import http, logs, services
from chalicelib.config import Settings
from chalicelib.config.lambda_start import lambda_start
from chalicelib.routes import BLUEPRINTS, connections, media_events
from chalicelib.routes import imports as imported_users
from chalicelib.routes import work as background_work
from chalicelib.routes.legacy import rpc as rpc_calls

settings = Settings.from_env()
app = Chalice(app_name="parley", configure_logs=False)
app.api.binary_types.clear()  # every answer is text
logs.configure(settings.log_level)
app.register_middleware(http.carry, "http")
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)


@app.lambda_function(name="rpc")
def rpc(event: Any, context: Any) -> dict[str, Any]:
    """Answer a direct invocation of send or pull."""
    return rpc_calls.call(event)


@app.lambda_function(name="worker")
def work(event: Any, context: Any) -> dict[str, Any]:
    """Run the jobs of an SQS event; infra/aws and infra/local connect the queue."""
    return background_work.handle(event)


@app.lambda_function(name="sweep")
def sweep(event: Any, context: Any) -> dict[str, int]:
    """Repeat pending work, once a minute."""
    return background_work.sweep(event)


@app.lambda_function(name="media")
def media(event: Any, context: Any) -> dict[str, Any]:
    """Log what the media bucket stored and removed; infra/aws and infra/local connect its queue."""
    return media_events.handle(event)


@app.lambda_function(name="import_users")
def import_users(event: Any, context: Any) -> dict[str, Any]:
    """Import users from another server, as many as one call can."""
    return imported_users.call(event)


if settings.stage != "localstack":  # where `chalice deploy` cannot make a WebSocket API
    app.experimental_feature_flags.add("WEBSOCKETS")
    app.websocket_api.configure("unused", "unused")  # push_gateway pushes; without a region this would raise

    @app.on_ws_connect()
    def socket_connect(event: Any) -> dict[str, Any]:
        """Open a WebSocket connection, or refuse it."""
        return connections.connect(event.to_dict())

    @app.on_ws_message()
    def socket_message(event: Any) -> dict[str, Any]:
        """Handle a frame; its replies are pushed."""
        return connections.message(event.to_dict())

    @app.on_ws_disconnect()
    def socket_disconnect(event: Any) -> dict[str, Any]:
        """Clear up after a WebSocket connection."""
        return connections.disconnect(event.to_dict())


# A Lambda function has a whole core while it starts, later only its memory's share of one: so it connects
# now. Anywhere else an import of this module opens nothing. The function `media` may not use the store.
start = lambda_start()
if start is not None and start.handler != "app.media":
    services.current().prepare(connect=not start.snapshot)
