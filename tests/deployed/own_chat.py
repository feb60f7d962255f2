"""For schemathesis (SCHEMATHESIS_HOOKS): calls that are right are about a chat of the caller's own.

PARLEY_TEST_CHAT: the chat, which others find in no document; its first half is the caller.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Put the chat, and its member as the sender, in the place of generated ones."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.POSITIVE:
        return
    chat = os.environ["PARLEY_TEST_CHAT"]
    own = {"chat": chat, "sender": chat.partition(":")[0]}
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place.update({name: value for name, value in own.items() if name in place})
