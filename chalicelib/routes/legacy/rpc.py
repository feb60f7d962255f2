"""TikTok-IM's RPC tier: send and pull by direct invocation of the `rpc` function."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib import services
from chalicelib.errors import BadRequest, InternalError, ParleyError, bad_field
from chalicelib.http import converted
from chalicelib.logs import LOGGER, cause_of
from chalicelib.schemas.legacy.tiktok import TikTokPull, TikTokSend

OK = {"code": 0, "msg": "ok"}


def call(event: Any) -> dict[str, Any]:
    """Answer `{"method": "send" | "pull", "params": {…}}` with `{"code": 0, "msg": "ok", …}`.

    The answer to a refused call has the problem's status as `code`, its detail as `msg` and its stable code
    as `error`. IAM decides who can invoke the function, so it trusts the names in a call.
    """
    cause: dict[str, str] = {}
    try:
        answer = OK | _dispatch(event)
    except ParleyError as error:
        cause = cause_of(error)
        answer = {"code": error.status, "msg": error.detail, "error": error.code}
    except Exception:
        LOGGER.exception({"event": "defect", "route": "rpc"})
        answer = {"code": 500, "msg": "The server failed to answer this call.", "error": InternalError.code}
    LOGGER.info({"event": "rpc", "code": answer["code"], **cause})
    return answer


def _dispatch(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise BadRequest("An rpc event must be an object with `method` and `params`.")
    here, method, params = services.current(), event.get("method"), event.get("params")
    if method == "send":
        message = converted(params, TikTokSend)
        sender = here.names.user(message.sender, "sender")
        here.tiktok.send(here.authenticator.trusted(sender), message)
        return {}
    if method == "pull":
        pull = converted(params, TikTokPull)
        reader = here.authenticator.trusted(here.tiktok.members(pull)[0])
        page: dict[str, Any] = msgspec.to_builtins(here.tiktok.pull(reader, pull))
        return page
    raise bad_field("method", "it must be `send` or `pull`")
