"""Reactions to messages."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.routes.messages import CHANGING, MESSAGE, REFUSALS
from chalicelib.schemas.reactions import ReactionPage, ReactionsQuery
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.reactions import WantedReaction
from chalicelib.services.values.cursors import seq_of

blueprint = Blueprint(__name__)

REACTIONS = MESSAGE + "/reactions"
REACTION = REACTIONS + "/{emoji}"


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    REACTIONS,
    {200: ReactionPage},
    query=ReactionsQuery,
    fails=(*REFUSALS, errors.MessageNotFound),
)
def page(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """List the users who reacted to a message, without users whom you block."""
    query, number = call.query(ReactionsQuery), seq_of(seq, "seq")
    found = call.services.reactions.page(caller, chat, number, query.emoji, query.cursor, query.limit)
    return reply(found)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    REACTION,
    {204: None},
    fails=(*CHANGING, errors.Blocked, errors.TooManyReactions),
)
def add(call: Call, caller: Caller, chat: str, seq: str, emoji: str) -> Response:
    """React to a message with an emoji; repeating it changes nothing.

    A message has at most 20 kinds of reactions. Muted members cannot react.
    """
    call.services.reactions.react(caller, WantedReaction(chat, seq_of(seq, "seq"), emoji, on=True))
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "DELETE",
    REACTION,
    {204: None},
    fails=CHANGING,
)
def remove(call: Call, caller: Caller, chat: str, seq: str, emoji: str) -> Response:
    """Take your reaction back; repeating it changes nothing."""
    call.services.reactions.react(caller, WantedReaction(chat, seq_of(seq, "seq"), emoji, on=False))
    return no_content()
