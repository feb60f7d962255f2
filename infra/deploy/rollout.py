"""What must not change by parts, while old and new versions of the functions both get calls."""

from __future__ import annotations

from collections.abc import Mapping

from infra.deploy.errors import DeployError

AT_ONCE = "AllAtOnce"
WHOLE = {
    "Store": "calls of the old versions would still write to the old store, which then goes",
    "StoreAuth": "the store would refuse the login of the old versions",
}
"""Parameters that change at once or not at all, each with what would happen by parts."""


def check_rollout(values: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Raise DeployError if a deployment changes one of WHOLE with a Rollout by parts.

    values: the values that the template's parameters get by name. held: those that the stack has.
    """
    rollout = values.get("Rollout", AT_ONCE)
    changed = [name for name in WHOLE if name in held and values.get(name) != held[name]]
    if rollout != AT_ONCE and changed:
        name = changed[0]
        raise DeployError(
            f"{name} cannot change by parts, as Rollout={rollout} would have it: {WHOLE[name]};"
            f" give Rollout={AT_ONCE} too, and {rollout} again with the deployment after it"
        )
