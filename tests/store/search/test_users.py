"""The search for users against a plain list."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.search.users import UserSearch
from chalicelib.services.values.terms import folded
from chalicelib.store.accounts.accounts import Accounts, Profile
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.search import SearchEntry
from tests.store.account_services import Village, members
from tests.store.log_records import RawClient

HANDLES = [f"{first}{rest}" for first in ("an", "bo", "z") for rest in ("", "a", "na", ".b", "-1")]
NAMES = st.lists(
    st.sampled_from(
        ["Anna", "ANNE", "an", "Bo", "Ёлка", "ёж", "Straße", "STRASSE", "李小龙", "李", "ﬁn", "é", "x"]
    )
    | st.text("aAbnñ \u200cİ", min_size=1, max_size=5),
    max_size=4,
).map(" ".join)
QUERIES = st.sampled_from(
    ["an", "AN", "ann", "bo", "ё", "Ё", "strass", "straß", "李", "李小", "fi", "an an", "é"]
)
FEW = settings(max_examples=25)


@pytest.fixture
def village(store: Store) -> Village:
    """People on the store under test."""
    return Village(store)


def expected(people: dict[str, str], q: str) -> list[str]:
    """Return the expected users, in order: each by the smallest of their terms that begins with the text."""
    found = []
    for handle, name in people.items():
        words = folded(name).split()
        terms = [handle, *(" ".join(words[place:]) for place in range(len(words)))]
        matching = [term for term in terms if term.startswith(folded(q))]
        found += [(min(matching), handle)] if matching else []
    return [handle for _, handle in sorted(found)]


@pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)
@FEW
@given(people=st.dictionaries(st.sampled_from(HANDLES), NAMES), q=QUERIES, limit=st.integers(1, 4))
def test_like_a_plain_list(
    village: Village, raw: RawClient, people: dict[str, str], q: str, limit: int
) -> None:
    """Names in many scripts are found by the beginnings of their words, each user once, in one order."""
    raw.flushall()
    for handle, name in people.items():
        village.settle(handle, name)

    assert village.found(q, limit) == expected(people, q)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@FEW
@given(
    people=st.dictionaries(st.sampled_from(HANDLES), NAMES, min_size=2),
    changes=st.lists(st.tuples(st.sampled_from(HANDLES), st.none() | NAMES), max_size=6),
    limit=st.integers(1, 3),
)
def test_changes_between_pages(
    village: Village,
    raw: RawClient,
    people: dict[str, str],
    changes: list[tuple[str, str | None]],
    limit: int,
) -> None:
    """Unchanged users are found once, whatever others do between the pages; deleted ones are not found."""
    raw.flushall()
    for handle, name in people.items():
        village.settle(handle, name)
    still = {handle: name for handle, name in people.items() if handle not in dict(changes)}
    now, coming, found = dict(people), list(changes), list[str]()
    cursor: str | None = None
    while True:
        page = village.search.users("an", limit, cursor)
        assert len(page.users) <= limit
        assert all(user.handle in expected(now, "an") for user in page.users)
        found += [user.handle for user in page.users]
        if (cursor := page.next) is None:
            break
        for change in coming[:1]:
            _change(village, now, *change)
        coming = coming[1:]

    assert [handle for handle in found if handle in still] == expected(still, "an")


def _change(village: Village, now: dict[str, str], handle: str, name: str | None) -> None:
    """Register, rename or delete a user."""
    account = village.store.run(village.accounts.find(handle))
    if account is None:
        village.settle(handle, name or "")
    elif name is None:
        village.store.run(village.accounts.delete(handle))
        village.directory.index(handle)
    elif not account.deleted:
        village.store.run(village.accounts.update(handle, {"name": name}))
        village.work.try_now(f"index:{handle}")
    else:
        return
    now.pop(handle, None)
    if name is not None or account is None:
        now[handle] = name or ""


def test_stale_entries_heal(village: Village, raw: RawClient) -> None:
    """An entry that no longer matches finds nobody and is removed; a matching one stays."""
    village.settle("alice", "Alice")
    village.store.run(
        village.index.add(
            [SearchEntry("ali baba", "alice"), SearchEntry("alien", "nobody"), SearchEntry("alimony", "zed")]
        )
    )
    village.settle("zed")
    village.store.run(village.accounts.delete("zed"))

    assert village.found("al", 1) == ["alice"]
    assert members(raw, "*:search:al") == [b"alice\0alice"]


class BehindOnce(Accounts):
    """Accounts whose first read returns none."""

    def __init__(self) -> None:
        self._asked = 0

    def profile(self, handle: str) -> Query[Profile | None]:
        """Return the query for a profile, or for none the first time."""
        self._asked += 1
        query = super().profile(handle)
        return query if self._asked > 1 else query.map(lambda profile: None)


def test_entry_that_fits_again_is_put_back(village: Village) -> None:
    """A search that reads an entry just before its account matches does not remove it for good."""
    village.settle("alice")
    behind = UserSearch(village.store, BehindOnce(), village.index)

    assert behind.users("alice", 10, None).users == []
    assert village.found("alice") == ["alice"]


def test_search_stops_with_a_cursor_after_many_stale_entries(village: Village) -> None:
    """A search through entries without users stops with a cursor, and continues from there."""
    village.store.run(village.index.add([SearchEntry(f"aa{number:03d}", "nobody") for number in range(50)]))
    village.settle("aaron")

    page = village.search.users("aa", 3, None)
    assert (page.users, page.next is None) == ([], False)
    assert village.found("aa", 3) == ["aaron"]


def test_profile_is_the_one_of_now(village: Village) -> None:
    """A search shows a user's current profile, without the email."""
    village.settle("alice", "Alice", "alice@example.org")
    village.store.run(village.accounts.update("alice", {"bio": "down"}))

    (user,) = village.search.users("alic", 10, None).users
    assert (user.handle, user.name, user.bio, hasattr(user, "email")) == ("alice", "Alice", "down", False)


def test_long_names_and_many_words(village: Village) -> None:
    """A name is found by each of its first eight words, and by up to 64 characters of each."""
    village.settle("alice", "one two three four five six seven eight nine")
    village.settle("bob", "ﷺ" * 30)

    assert village.found("eight nine") == ["alice"]
    assert village.found("nine") == []
    assert village.found("ﷺ" * 30) == ["bob"]


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize(
    ("q", "reason"),
    [
        ("", "a search needs 2-64 characters; 1 is enough if it is not ASCII"),
        ("a", "a search needs 2-64"),
        (" a ", "a search needs 2-64"),
        ("a\u200d", "a search needs 2-64"),
        ("\u3164\u3164", "a search needs at least one visible character"),
        ("x" * 65, "a search has at most 64 characters; this has 65"),
        ("a\x01b", "character 2 is U+0001"),
        ("ab\ud800", "character 3 is U+D800"),
        ("ab\u202e", "character 3 is U+202E"),
    ],
)
def test_invalid_search_term_is_refused(village: Village, q: str, reason: str) -> None:
    """A term is 2-64 characters, or one beyond ASCII, of those that a name can have."""
    with pytest.raises(BadRequest, match=re.escape(f"q: {reason}")):
        village.search.users(q, 10, None)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_every_spelling_finds(village: Village) -> None:
    """A name is found in every spelling of it, and by a symbol of any age."""
    village.settle("ela", "\U0001fa77 E\u0301lodie")
    village.settle("ali", "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627")

    for q in ("\u00e9lo", "e\u0301lo", "E\u0301LO", "\U0001fa77", "\U0001fa77\u00a0\u00e9"):
        assert village.found(q) == ["ela"]
    for q in ("\u0639\u0644\u06cc\u0631", "\u0639\u0644\u06cc\u200c\u0631", "\ufeff\u0639\u0644"):
        assert village.found(q) == ["ali"]


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_a_name_from_before_the_rule_is_read_and_found(village: Village) -> None:
    """A stored name that today's rules refuse is shown, found, and unchanged by other updates."""
    name = "Ann\u200b\u202e E\u0301va"
    village.settle("ann", name)

    assert village.people.user("ann").name == name
    assert village.people.change("ann", ProfileChanges(bio="new")).name == name
    assert village.found("\u00e9va") == ["ann"]


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_a_long_query_is_not_folded(village: Village, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that is too long is refused before the slow folding."""
    monkeypatch.setattr("chalicelib.services.search.prefix_search.folded", None)

    with pytest.raises(BadRequest, match="q: a search has at most 64 characters; this has 200001"):
        village.search.users("a" + "\u0301" * 100_000 + "\u0316" * 100_000, 10, None)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("cursor", ["", "x", "é", "YWI", "////", "YWIAYQBi", "eHkAYQ", "A" * 5000, "\ud800"])
def test_foreign_cursor_is_refused(village: Village, cursor: str) -> None:
    """A cursor that no page of this search returned is refused."""
    with pytest.raises(BadRequest, match="cursor: "):
        village.search.users("ab", 10, cursor)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_renamed_there_and_back(village: Village) -> None:
    """After a rename and back a user is found by the current name, and by no other."""
    village.settle("alice", "Anna")
    for name in ("Berta", "Anna", "Berta"):
        village.store.run(village.accounts.update("alice", {"name": name}))
        village.work.try_now("index:alice")

    assert (village.found("anna"), village.found("berta")) == ([], ["alice"])
    assert village.store.run(village.traces.of("alice")) == {("term", "berta")}


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_account_of_no_longer(village: Village) -> None:
    """Indexing an unknown account does nothing."""
    village.directory.index("nobody")

    assert village.store.run(village.accounts.find("nobody")) is None
    assert village.store.run(village.traces.of("nobody")) == frozenset()
