"""The search index, on every kind of store."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store.redis.client import Store
from chalicelib.store.search import SearchEntry, SearchIndex
from tests.store.account_services import members
from tests.store.log_records import RawClient

TERMS = st.text(st.sampled_from("ab é李z"), min_size=2, max_size=6)
ENTRIES = st.sets(st.builds(SearchEntry, TERMS, st.sampled_from(["ann", "bob", "x.y-z_1"])), max_size=20)


@pytest.fixture
def index(store: Store) -> SearchIndex:
    """The index under test."""
    return SearchIndex()


def test_found_in_order(store: Store, index: SearchIndex) -> None:
    """A text finds the terms that begin with it, and no other, by term and then handle."""
    anna, annas, anne = SearchEntry("anna", "x"), SearchEntry("anna", "y"), SearchEntry("anne", "a")
    store.run(index.add([anne, annas, SearchEntry("an", "z"), anna, SearchEntry("ao", "q")]))

    assert store.run(index.find("ann", None, 10)) == [anna, annas, anne]
    assert store.run(index.find("anna", None, 10)) == [anna, annas]
    assert store.run(index.find("annas", None, 10)) == []


def test_page_goes_on_after_an_entry(store: Store, index: SearchIndex) -> None:
    """A look-up continues after an entry, also one that is gone."""
    entries = [SearchEntry("anna", handle) for handle in "abcd"]
    store.run(index.add(entries))

    assert store.run(index.find("an", None, 2)) == entries[:2]
    store.run(index.remove([entries[1]]))
    assert store.run(index.find("an", entries[1], 2)) == entries[2:]


def test_adding_and_removing_twice(store: Store, index: SearchIndex, raw: RawClient) -> None:
    """Adding an existing entry, or removing a missing one, changes nothing."""
    entry = SearchEntry("anna", "a")
    store.run(index.add([entry, entry]))
    store.run(index.add([entry]))
    assert store.run(index.find("an", None, 9)) == [entry]
    store.run(index.remove([entry]))
    store.run(index.remove([entry]))
    assert members(raw, "*:search:*") == []


def test_one_character_beyond_ascii(store: Store, index: SearchIndex) -> None:
    """One character beyond ASCII finds the terms that begin with it."""
    entries = [SearchEntry("李", "b"), SearchEntry("李 小龙", "a"), SearchEntry("李小", "c")]
    store.run(index.add([*entries, SearchEntry("é", "d")]))

    assert store.run(index.find("李", None, 9)) == entries
    assert store.run(index.find("李 ", None, 9)) == [SearchEntry("李 小龙", "a")]


def test_spread_over_partitions(store: Store, index: SearchIndex, raw: RawClient) -> None:
    """Terms with the same beginning are in one key, others elsewhere."""
    store.run(
        index.add(
            [
                SearchEntry("anna", "a"),
                SearchEntry("anne", "a"),
                SearchEntry("bob", "a"),
                SearchEntry("élan", "a"),
            ]
        )
    )

    found = {key.decode().partition(":")[2] for key in raw.scan_iter(match="*:search:*")}
    assert found == {"search:an", "search:bo", "search:é"}


@settings(max_examples=40)
@given(added=ENTRIES, removed=ENTRIES, start=TERMS, most=st.integers(1, 5))
def test_like_a_sorted_list(
    store: Store,
    index: SearchIndex,
    added: set[SearchEntry],
    removed: set[SearchEntry],
    start: str,
    most: int,
) -> None:
    """Page by page the index returns the same as a sorted list of its entries."""
    store.run(index.add(added))
    store.run(index.remove(removed))
    expected = sorted(entry for entry in added - removed if entry.term.startswith(start))
    found: list[SearchEntry] = []
    while page := store.run(index.find(start, found[-1] if found else None, most)):
        assert len(page) <= most
        found += page
    store.run(index.remove(added))

    assert found == expected
