"""The plugins, in the form that LocalStack loads; their imports happen at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

if TYPE_CHECKING:
    from .executor import ProcessExecutor


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc] # LocalStack carries no types
    """Chosen by LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type[ProcessExecutor]:
        """Return the executor's class."""
        from .executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start()
def render_gateway_responses() -> None:
    """Make API Gateway's own errors follow the API's GatewayResponses."""
    from . import gateway_responses

    gateway_responses.install()
