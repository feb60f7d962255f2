"""Fields and limits that several frames share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

SUBPROTOCOL = "parley.protobuf"
MAX_REF_CHARACTERS = 64
MAX_CALL_CHARACTERS = 64
MAX_WATCHED = 100
MAX_MESSAGE_BYTES = 128 * 1024
"""Maximum size of a message. Source: "Amazon API Gateway quotas", WebSocket APIs."""
MAX_FRAME_BYTES = 32 * 1024
"""Maximum size of each WebSocket frame of a client's message. Source: the same."""
MAX_SIGNAL_BYTES = 64 * 1024
"""Maximum size of a signal's data as JSON."""

Ref = Annotated[
    str,
    Meta(
        max_length=MAX_REF_CHARACTERS,
        description="The client's own name for a frame; the reply repeats it.",
        examples=["17"],
    ),
]
RoomId = Annotated[
    str, Meta(max_length=64, description="A room's id without `r-`, in any case.", examples=["lobby"])
]
ReadSeq = Annotated[int, Meta(ge=1, le=2**53 - 1, description="A seq.", examples=[12])]
Call = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_CALL_CHARACTERS,
        description="The client's name for the call, the same in all its signals.",
        examples=["0195a1c26f1e7a51"],
    ),
]
SignalKind = Literal["offer", "answer", "candidate", "ring", "accept", "reject", "hangup", "screen"]
SignalData = Annotated[
    Any,
    Meta(description=f"Any JSON of at most {MAX_SIGNAL_BYTES // 1024} KiB, passed on unchanged."),
]
RoomEvent = Literal["joined", "left", "clients", "entered", "gone"]
