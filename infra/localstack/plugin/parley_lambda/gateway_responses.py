"""GatewayResponses as API Gateway renders them; LocalStack 4.14 does not import them and honours no body.

Source: docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html.
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from localstack.services.apigateway.helpers import OpenAPIExt, get_apigateway_store
from localstack.services.apigateway.legacy import provider
from localstack.services.apigateway.next_gen.execute_api.gateway_response import (
    build_gateway_response,
    get_gateway_response_or_default,
)
from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import (
    GatewayExceptionHandler,
)
from localstack.utils.patch import patch
from rolo import Response

HEADER = "gatewayresponse.header."
VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")


def install() -> None:
    """Make LocalStack import an API's GatewayResponses and respond with them."""
    provider.import_api_from_openapi_spec = functools.partial(_import, provider.import_api_from_openapi_spec)
    patch(GatewayExceptionHandler.create_exception_response)(_render)


def _import(original: Any, rest_api: Any, context: Any, open_api_spec: dict[str, Any], mode: Any) -> Any:
    imported = original(rest_api, context=context, open_api_spec=open_api_spec, mode=mode)
    responses = get_apigateway_store(context=context).rest_apis[rest_api.id].gateway_responses
    for kind, given in open_api_spec.get(OpenAPIExt.GATEWAY_RESPONSES, {}).items():
        responses[kind] = build_gateway_response(
            kind,
            status_code=str(given["statusCode"]) if "statusCode" in given else None,
            response_parameters=given.get("responseParameters"),
            response_templates=given.get("responseTemplates"),
            default_response=False,
        )
    return imported


def _render(original: Any, handler: Any, exception: Any, context: Any) -> Any:
    response: Response = original(handler, exception, context)
    wanted = get_gateway_response_or_default(exception.type, context.deployment.rest_api.gateway_responses)
    for media_type, template in wanted["responseTemplates"].items():
        response.data = VARIABLE.sub(lambda found: _value(found[1], context.context_variables), template)
        response.headers["Content-Type"] = media_type
    for name, source in wanted["responseParameters"].items():
        response.headers[name.removeprefix(HEADER)] = _header(source, context.context_variables)
    return response


def _header(source: str, variables: dict[str, Any]) -> str:
    if source.startswith("'"):
        return source[1:-1]
    return _value(source.removeprefix("context."), variables)


def _value(path: str, variables: Any) -> str:
    if path == "error.messageString":
        return json.dumps(variables["error"]["message"])
    for name in path.split("."):
        variables = (variables or {}).get(name)
    return "" if variables is None else str(variables)
