"""lua/messages/keep_word_filter.lua through WordFilters, on every kind of store."""

from __future__ import annotations

from chalicelib.store import keys
from chalicelib.store.messages.word_filters import BLOCK, WordFilters
from chalicelib.store.redis.client import Store
from tests.store.log_records import CHAT, RawClient, element, elements_of, entry, write, write_elements

FILTERS = WordFilters()
KEY = keys.word_filters(CHAT)


def fields(raw: RawClient) -> set[bytes]:
    """Return the fields of the filters' key."""
    return set(raw.hkeys(KEY))  # type: ignore[arg-type]


def test_a_filter_of_an_unchanged_block_is_kept(store: Store, raw: RawClient) -> None:
    """A filter is kept if the block is whole, and holds what the filter was made of."""
    write(raw, [entry(seq) for seq in range(1, 2 * BLOCK)])
    elements = elements_of(raw)[1:]

    assert store.run(FILTERS.keep(CHAT, 0, b"bits", elements[:BLOCK]))
    assert not store.run(FILTERS.keep(CHAT, 1, b"bits", elements[BLOCK:]))
    assert raw.hgetall(KEY) == {b"0": b"bits"}


def test_a_filter_of_a_changed_block_is_not_kept(store: Store, raw: RawClient) -> None:
    """A filter is not kept once a message of its block has changed."""
    write(raw, [entry(seq) for seq in range(1, BLOCK + 1)])
    elements = elements_of(raw)[1:]
    raw.lset(keys.log(CHAT), 5, element(entry(5).time, "ann", "edited"))  # type: ignore[arg-type]

    assert not store.run(FILTERS.keep(CHAT, 0, b"bits", elements))
    assert fields(raw) == set()


def test_filters_of_trimmed_blocks_are_dropped(store: Store, raw: RawClient) -> None:
    """Blocks keep their numbers when the log is trimmed, and the filters of trimmed ones go."""
    base = 2 * BLOCK + 5
    elements = [element(entry(seq).time, "ann", "text") for seq in range(base + 1, 4 * BLOCK + 1)]
    write_elements(raw, elements, base=base)
    raw.hset(KEY, mapping={"0": b"old", "1": b"old", "2": b"old"})

    assert store.run(FILTERS.keep(CHAT, 3, b"bits", elements[-BLOCK:]))
    assert fields(raw) == {b"2", b"3", b"first"}
    assert store.run(FILTERS.keep(CHAT, 2, b"bits", elements[: BLOCK - 5]))
