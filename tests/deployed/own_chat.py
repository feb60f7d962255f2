"""For schemathesis (SCHEMATHESIS_HOOKS): calls that are right are about a chat of the caller's own.

PARLEY_TEST_CHAT: a chat of two, which others find in no document; its first half is the caller.
PARLEY_TEST_GROUP: a group that the caller owns; calls that only a group takes are about it.
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote, unquote

import schemathesis

NAME = 64
"""The valid characters of a name."""
ONLY_GROUPS = re.compile("/(members|invitations|requests|banned|join|owner|changes|reports)")


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Put the chat, and its member as the sender, in the place of generated ones."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return
    pair = os.environ["PARLEY_TEST_CHAT"]
    chat = os.environ["PARLEY_TEST_GROUP"] if ONLY_GROUPS.search(case.operation.path) else pair
    own = {"chat": chat, "sender": pair.partition(":")[0]}
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values.update({name: value for name, value in own.items() if name in values})
    if isinstance(case.path_parameters, dict):
        case.path_parameters.update({name: _short(value) for name, value in case.path_parameters.items()})


def _short(value: Any) -> Any:
    """Return a path parameter that is within the document's limit as it is written, percent-encoded.

    After a hook schemathesis holds what is written against the limit, and takes longer values for wrong ones.
    """
    if not isinstance(value, str) or len(value) <= NAME:
        return value
    return quote(unquote(value)[: NAME // len("%F0%9F%8E%89")], safe="")
