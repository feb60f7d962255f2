"""Parameters that must not change step by step, while old and new functions both get calls."""

from __future__ import annotations

from collections.abc import Mapping

from infra.deploy.errors import DeployError

AT_ONCE = "AllAtOnce"
WHOLE = {
    "Store": "calls of the old versions would still write to the old store, which is then deleted",
    "StoreAuth": "the store would refuse the login of the old versions",
}
"""Parameters that change at once or not at all, each with the problem of a stepwise change."""


def check_rollout(values: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Raise DeployError if a deployment changes one of WHOLE with a stepwise Rollout.

    values: The new values of the template's parameters, by name.
    held: The stack's current values.
    """
    rollout = values.get("Rollout", AT_ONCE)
    changed = [name for name in WHOLE if name in held and values.get(name) != held[name]]
    if rollout != AT_ONCE and changed:
        name = changed[0]
        raise DeployError(
            f"{name} cannot change step by step, as Rollout={rollout} asks: {WHOLE[name]};"
            f" deploy with Rollout={AT_ONCE}, and use {rollout} again from the next deployment on"
        )
