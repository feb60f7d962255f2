"""Names of variables. An unknown name is an error: a misspelt setting would not be set."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from chalicelib.errors import ConfigError
from chalicelib.logs import LOGGER

PREFIX = "PARLEY_"
OTHERS = frozenset(
    {
        *("PARLEY_HOST", "PARLEY_DURABILITY", "PARLEY_SWEEP_SECONDS"),  # infra/local
        *("PARLEY_LOCAL_SOCKETS", "PARLEY_LOCAL_SOCKET_SETTINGS"),  # infra/local/sockets
        *("PARLEY_PASSWORD", "PARLEY_TOKEN"),  # clients/python
        *("PARLEY_LOCALSTACK_FOLDER", "PARLEY_MINISTACK_FOLDER"),  # infra/localstack, infra/ministack
        *("PARLEY_LAMBDA_PYTHON", "PARLEY_LAMBDA_ENVIRONMENT", "PARLEY_LAMBDA_LOG"),  # infra/localstack
        *("PARLEY_CI_RUN", "PARLEY_REQUIRE_ENGINES"),  # .ci/run, tests
        *("PARLEY_TEST_CHAT", "PARLEY_TEST_GROUP", "PARLEY_TEST_URL"),  # tests/deployed
    }
)
"""Variables of the project that other modules read."""
REPLACED = {
    "PARLEY_OPEN_BEYOND_LOOPBACK": "set PARLEY_OPEN_HOSTS instead, to the host names of the open server"
}
"""Former settings, and what replaces them."""
UNPREFIXED = frozenset({"REDIS_URL", "PORT", "DATA", "WORKERS"})
"""Settings without the prefix, which users easily add."""
SERVICE_LINK = re.compile(r"PARLEY_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
LINK_PORT = re.compile(r"PARLEY_(\w+_)?PORT")
LINK_VALUE = re.compile(r"(tcp|udp|sctp)://.*")


def check_names(environ: Mapping[str, str], settings: Collection[str]) -> None:
    """Raise ConfigError for the first unknown variable; log all of them in a Lambda function.

    A function's variables come from the template, and CloudFormation changes them before the code: an error
    would stop the functions during each deployment that adds a setting. Source: aws/aws-cdk, pull request
    33587.
    settings: See unknown_names.
    """
    for problem in unknown_names(environ, settings):
        if not environ.get("AWS_LAMBDA_FUNCTION_NAME"):
            raise ConfigError(problem)
        LOGGER.warning({"event": "unknown_setting", "problem": problem})


def unknown_names(environ: Mapping[str, str], settings: Collection[str]) -> list[str]:
    """Return one sentence for each unknown variable with the prefix, with the most similar name.

    settings: Names of the application's variables.
    Variables that Kubernetes sets for a service called `parley…` are ignored. Source: "Accessing the Service"
    in the documentation of Kubernetes.
    """
    known = OTHERS.union(settings)
    return [
        f"{name} is not a setting of Parley: {_remedy(name, known)}"
        for name in sorted(environ)
        if name.upper().startswith(PREFIX) and name not in known and not _is_service_link(name, environ[name])
    ]


def _remedy(name: str, known: Collection[str]) -> str:
    if name.upper() in REPLACED:
        return f"{REPLACED[name.upper()]}."
    bare = name.upper().removeprefix(PREFIX)
    near = [bare] if bare in UNPREFIXED else difflib.get_close_matches(name.upper(), known, 1)
    return f"did you mean {near[0]}?" if near else "remove it; docs/settings.md lists all settings."


def _is_service_link(name: str, value: str) -> bool:
    if SERVICE_LINK.fullmatch(name):
        return True
    return bool(LINK_PORT.fullmatch(name) and LINK_VALUE.fullmatch(value))
