"""Every Lambda entry point of Parley; wiring only."""

from __future__ import annotations

from typing import Any

from chalice.app import Chalice

from chalicelib import http, logs, services
from chalicelib.config import Settings
from chalicelib.config.lambda_start import lambda_start
from chalicelib.routes import BLUEPRINTS, media_events, sockets
from chalicelib.routes import imports as imported_users
from chalicelib.routes import work as owed_work
from chalicelib.routes.legacy import rpc as rpc_calls

settings = Settings.from_env()
app = Chalice(app_name="parley", configure_logs=False)
app.api.binary_types.clear()  # every answer is text, so nothing need be compared with this list
logs.configure(settings.log_level)
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


if settings.stage != "localstack":  # where `chalice deploy` cannot make a WebSocket API
    app.experimental_feature_flags.add("WEBSOCKETS")
    app.websocket_api.configure("unused", "unused")  # push_gateway pushes; without a region this would raise

    @app.on_ws_connect()
    def socket_connect(event: Any) -> dict[str, Any]:
        """Let a socket in, or refuse it."""
        return sockets.connect(event.to_dict())

    @app.on_ws_message()
    def socket_message(event: Any) -> dict[str, Any]:
        """Do what a frame asks; what answers it is pushed."""
        return sockets.message(event.to_dict())

    @app.on_ws_disconnect()
    def socket_disconnect(event: Any) -> dict[str, Any]:
        """Clear up after a socket."""
        return sockets.disconnect(event.to_dict())


# A function starts with a whole core, and has its memory's share of one from its first event on. Elsewhere
# this module is imported to be looked at, and opens nothing. The function `media` may not use the store.
start = lambda_start()
if start is not None and start.handler != "app.media":
    services.current().prepare(connect=not start.snapshot)
