"""lua/messages/set_reaction.lua: the counts in a message are those of the rows beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import TooManyReactions
from chalicelib.store import keys
from chalicelib.store.messages.content import Content, Extra, LogEntry, Origin, entry_of, packed
from chalicelib.store.messages.reactions import MAX_KINDS, Reacted, Reaction, Reactions
from chalicelib.store.redis.client import Store
from tests.store.log_records import CHAT, EPOCH, RawClient, eight, write_elements

KINDS = [chr(0x1F600 + number) for number in range(MAX_KINDS + 1)]
EXTRAS = (
    Extra(),
    Extra(edited=5),
    Extra(
        edited=5,
        data={"a": [], "b": {}, "c": [None, 1.5, 2**60, {"d": "é" * 40}], "e": -1},
        mentions=("ann", "bob"),
        mentions_all=True,
        forwarded=Origin("ann:cid", 7, "cid"),
    ),
)
CONTENTS = (
    Content("bob", "hi"),
    Content("bob", "x" * 70_000, id="1"),
    Content("bob", "hi", "2", reply_to=1),
    *(Content("bob", "hi", reply_to=3, extra=extra) for extra in EXTRAS),
)


def react(store: Store, emoji: str, handle: str = "ann", *, on: bool = True) -> Reacted:
    """React to message 1."""
    return store.run(Reactions.react(Reaction(1, emoji, handle), CHAT, on=on))


def write_message(raw: RawClient, content: Content) -> None:
    """Write a log with one message."""
    write_elements(raw, [b"\1" + eight(EPOCH) + packed(content)])


def message(raw: RawClient) -> LogEntry:
    """Read message 1."""
    stored: Any = raw.lindex(keys.log(CHAT), 1)
    return entry_of(1, stored)


@pytest.mark.parametrize("content", CONTENTS)
def test_a_reaction_changes_nothing_else_of_a_message(store: Store, raw: RawClient, content: Content) -> None:
    """Whatever a message has, a reaction adds its count, and its removal takes the count away."""
    write_message(raw, content)
    before = message(raw)

    added = [react(store, emoji) for emoji in KINDS[:MAX_KINDS]][-1]
    with pytest.raises(TooManyReactions):
        react(store, KINDS[MAX_KINDS])
    assert list(added.entry.content.extra.reactions.items()) == [(kind, 1) for kind in KINDS[:MAX_KINDS]]
    removed = [react(store, emoji, on=False) for emoji in KINDS[:MAX_KINDS]][-1]

    assert removed.entry.content == before.content
    assert removed.entry.time == before.time
    assert raw.exists(keys.reactions(CHAT)) == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS[:3]), st.sampled_from(["ann", "bob"]), st.booleans()), max_size=20
    )
)
def test_counts_equal_the_rows_after_any_calls(
    store: Store, raw: RawClient, calls: list[tuple[str, str, bool]]
) -> None:
    """The counts are in the order of first use, and equal the members of the sorted set."""
    raw.delete(keys.reactions(CHAT))
    write_message(raw, Content("bob", "hi"))
    held: dict[tuple[str, str], None] = {}
    order: dict[str, None] = {}
    for emoji, handle, on in calls:
        changed = react(store, emoji, handle, on=on).changed
        assert changed == (((emoji, handle) in held) != on)
        held.pop((emoji, handle), None)
        if on:
            held[emoji, handle] = None
            order.setdefault(emoji)
        elif not any(kind == emoji for kind, _ in held):
            order.pop(emoji, None)

    counts = Counter(emoji for emoji, _ in held)
    found = message(raw).content.extra.reactions
    assert list(found.items()) == [(emoji, counts[emoji]) for emoji in order]
    assert raw.zcard(keys.reactions(CHAT)) == len(held)
