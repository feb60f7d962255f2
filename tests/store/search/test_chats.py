"""Finding groups and rooms, and the list of rooms, on every kind of store."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.search.chats import ChatSearch
from chalicelib.services.values.terms import folded
from chalicelib.store import keys
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info, Role
from chalicelib.store.chats.room_list import RoomList
from chalicelib.store.chats.search_terms import ChatTerms
from chalicelib.store.messages.content import Content, packed
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.search import SearchEntry, SearchIndex
from tests.store.account_services import Crash, CrashingStore, members
from tests.store.log_records import RawClient

BODY = packed(Content("ann", "", None, "system", {"type": "changed"}))
GROUPS = [f"g-0195a1c2-6f1e-7a51-9d53-00000000000{number}" for number in range(5)]
ROOMS = ["r-chess", "r-chess.club", "r-go", "r-a"]
IDS = st.sampled_from(GROUPS + ROOMS)
NAMES = st.sampled_from(["Chess", "Chess club", "The chess CLUB", "Club", "", "Ёлка", "Go", "李", "Straße"])
POLICIES = st.sampled_from(["open", "request", "invite"])
QUERIES = st.sampled_from(["ch", "chess", "CLUB", "chess c", "ё", "李", "go", "r-", "r-ch", "strass"])
FEW = settings(max_examples=25)


class Town:
    """Groups and rooms for the search, wired as the application wires them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.chats = Chats(1000, 100)
        self.index, self.terms, self.rooms = (
            SearchIndex(keys.chat_terms),
            ChatTerms(),
            RoomList(),
        )
        self.chat_search = ChatSearch(store, self.chats, self.index, self.terms, self.rooms)

    def view(self, chat: str) -> ChatSnapshot:
        """Look at a chat."""
        return self.store.run(self.chats.snapshot(chat))

    def put(self, chat: str, name: str, join: str = "open") -> None:
        """Make a chat, or change its name and joining."""
        if self.view(chat).info is None:
            info = Info(name, join=join, maker="ann")
            assert self.store.run(self.chats.create(chat, info, [("ann", Role.OWNER)], BODY)) is not None
        else:
            changes: dict[str, str | bool] = {"name": name, "join": join}
            assert (
                self.store.run(self.chats.change(chat, self.view(chat), [], info=changes, body=BODY))
                is not None
            )

    def settle(self, chat: str, name: str, join: str = "open") -> None:
        """Make or change a chat and index it."""
        self.put(chat, name, join)
        self.chat_search.index(chat)

    def drop(self, chat: str) -> None:
        """Delete a chat."""
        assert self.store.run(self.chats.delete(chat, self.view(chat))) is not None

    def ids(self, q: str, limit: int = 100) -> list[str]:
        """Return the chats that a search finds, on all its pages."""
        return self._all(lambda cursor: self.chat_search.groups(q, limit, cursor))

    def listed(self, limit: int = 100) -> list[str]:
        """Return the rooms of the list, on all its pages."""
        return self._all(lambda cursor: self.chat_search.rooms(limit, cursor))

    def _all(self, page_of: Any) -> list[str]:
        ids, cursor = [], None
        while True:
            page = page_of(cursor)
            ids += [chat.chat for chat in page.chats]
            if (cursor := page.next) is None:
                return ids


@pytest.fixture
def town(store: Store) -> Town:
    """Groups and rooms on the store under test."""
    return Town(store)


def terms(chat: str, name: str, join: str) -> set[str]:
    """Return the search terms of a chat."""
    if join == "invite":
        return set()
    words = folded(name).split()
    said = {" ".join(words[place:]) for place in range(len(words))}
    if chat.startswith("r-"):
        said |= {chat, chat[2:]}
    return {term for term in said if len(term) > 1 or not term.isascii()}


def expected(chats: dict[str, tuple[str, str]], q: str) -> list[str]:
    """Return the expected chats, in order: each by the smallest of its terms that begins with the text."""
    found = []
    for chat, (name, join) in chats.items():
        matching = [term for term in terms(chat, name, join) if term.startswith(folded(q))]
        found += [(min(matching), chat)] if matching else []
    return [chat for _, chat in sorted(found)]


def left(raw: RawClient) -> list[bytes]:
    """Return every entry of the index and of the list of rooms."""
    return members(raw, "*:found:*") + members(raw, "*:rooms")


def entries(chats: dict[str, tuple[str, str]]) -> list[bytes]:
    """Return the expected entries of the index and the list of rooms."""
    indexed = [f"{term}\0{chat}" for chat, said in chats.items() for term in terms(chat, *said)]
    rooms = sorted(chat.encode() for chat in chats if chat.startswith("r-"))
    return sorted(entry.encode() for entry in indexed) + rooms


@FEW
@given(
    steps=st.lists(st.tuples(IDS, st.none() | st.tuples(NAMES, POLICIES)), max_size=12),
    q=QUERIES,
    limit=st.integers(1, 4),
)
@pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)
def test_like_a_plain_list(town: Town, raw: RawClient, steps: list[Any], q: str, limit: int) -> None:
    """After creations, renames, closings and deletions, exactly the expected chats are found and stored."""
    raw.flushall()
    now: dict[str, tuple[str, str]] = {}
    gone: set[str] = set()
    for chat, said in steps:
        if said is not None and chat not in gone:
            town.settle(chat, *said)
            now[chat] = said
        elif said is None and chat in now:
            town.drop(chat)
            town.chat_search.index(chat)
            gone.add(chat)
            del now[chat]

    assert town.ids(q, limit) == expected(now, q)
    assert left(raw) == entries(now)
    assert sorted(town.listed(limit)) == sorted(chat for chat in now if chat.startswith("r-"))


def test_what_is_shown(town: Town) -> None:
    """A found group is shown in its current state, with the number of its members."""
    town.settle(GROUPS[0], "Chess club", "request")
    town.store.run(
        town.chats.change(GROUPS[0], town.view(GROUPS[0]), [], info={"notice": "Tuesdays"}, body=BODY)
    )

    (shown,) = town.chat_search.groups("club", 10, None).chats
    assert (shown.chat, shown.kind, shown.name, shown.notice) == (
        GROUPS[0],
        "group",
        "Chess club",
        "Tuesdays",
    )
    assert (shown.avatar, shown.join, shown.members) == (None, "request", 1)
    assert shown.made_at.endswith("Z")


def test_rooms_from_the_newest(town: Town) -> None:
    """Rooms are listed from the newest, page by page, whatever is made meanwhile."""
    for number in range(7):
        town.settle(f"r-{number}", f"Room {number}")
    first = town.chat_search.rooms(3, None)
    town.settle("r-new", "New")
    second = town.chat_search.rooms(3, first.next)

    assert [chat.chat for chat in (*first.chats, *second.chats)] == [f"r-{n}" for n in (6, 5, 4, 3, 2, 1)]
    assert [chat.chat for chat in town.chat_search.rooms(3, second.next).chats] == ["r-0"]


def test_reading_removes_stale_entries(town: Town, raw: RawClient) -> None:
    """Entries of deleted, renamed or closed chats give nothing, and are removed; valid ones stay."""
    town.settle(GROUPS[0], "Chess")
    town.put(GROUPS[1], "Chess", "invite")
    stale = [
        SearchEntry("chestnut", GROUPS[0]),
        SearchEntry("chess", GROUPS[1]),
        SearchEntry("cheese", GROUPS[2]),
    ]
    town.store.run(town.index.add(stale))
    raw.zadd(keys.rooms(), {"r-gone": 1})
    town.settle("r-chess", "")

    assert town.ids("che", 1) == [GROUPS[0], "r-chess"]
    assert town.listed(1) == ["r-chess"]
    assert left(raw) == entries({GROUPS[0]: ("Chess", "open"), "r-chess": ("", "open")})


class BehindOnce(Chats):
    """Chats whose first read returns none."""

    def __init__(self) -> None:
        super().__init__(1000, 100)
        self._asked = 0

    def snapshot(self, chat: str, *handles: str) -> Query[ChatSnapshot]:
        """Return the query for a chat, or for none the first time."""
        self._asked += 1
        query = super().snapshot(chat, *handles)
        return query if self._asked > 1 else query.map(lambda view: ChatSnapshot(None, {}, {}))


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_what_fits_again_is_put_back(town: Town) -> None:
    """A search that reads an entry just before its chat exists does not remove it for good."""
    town.settle("r-chess", "")
    for look in ("groups", "rooms"):
        behind = ChatSearch(town.store, BehindOnce(), town.index, town.terms, town.rooms)
        page = behind.groups("chess", 10, None) if look == "groups" else behind.rooms(10, None)
        assert page.chats == []
    assert (town.ids("chess"), town.listed()) == (["r-chess"], ["r-chess"])


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("done", [False, True], ids=["before", "answer lost"])
@pytest.mark.parametrize("before", [None, "Chess club"])
@pytest.mark.parametrize("after", [None, "Go"])
def test_next_run_completes_an_interrupted_one(
    town: Town, raw: RawClient, *, before: str | None, after: str | None, done: bool
) -> None:
    """After a crash anywhere in a run, the next run completes the index and leaves nothing else."""
    whole: list[int] = []
    for left_over in range(12):
        raw.flushall()
        chat = "r-chess"
        if before is not None:
            town.settle(chat, before)
        if after is None and before is not None:
            town.drop(chat)
        elif after is not None:
            town.put(chat, after)
        with contextlib.suppress(Crash):
            Town(CrashingStore(town.store, left_over, done=done)).chat_search.index(chat)
            whole.append(left_over)
        town.chat_search.index(chat)

        assert left(raw) == entries({chat: (after, "open")} if after else {})
        assert town.store.run(town.terms.of(chat)) == (terms(chat, after, "open") if after else set())
    assert 0 < len(whole) < 12


class OvertakenChats(Chats):
    """Chats that change each time after an index update has read them."""

    def __init__(self, town: Town, names: list[str | None]) -> None:
        super().__init__(1000, 100)
        self._town = town
        self._coming = names
        self._looks = 0

    def snapshot(self, chat: str, *handles: str) -> Query[ChatSnapshot]:
        """Return the query for a chat, which changes once it is read for the index."""
        self._looks += 1
        query = super().snapshot(chat, *handles)
        if self._looks % 2 == 0 or not self._coming:
            return query

        def overtaken(view: ChatSnapshot) -> ChatSnapshot:
            name = self._coming.pop(0)
            if name is None:
                self._town.drop(chat)
            else:
                self._town.settle(chat, name)
            return view

        return query.map(overtaken)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize(
    "names", [["Go"], ["Go", "Chess"], ["Go", "Club", "Go", "Chess"], [None], ["Go", None]]
)
def test_a_run_that_is_overtaken(town: Town, raw: RawClient, names: list[str | None]) -> None:
    """After any number of overtaken index updates, the last state is found."""
    last = names[-1]
    town.settle("r-chess", "Chess")
    overtaken = OvertakenChats(town, list(names))
    ChatSearch(town.store, overtaken, town.index, town.terms, town.rooms).index("r-chess")

    assert left(raw) == entries({"r-chess": (last, "open")} if last else {})


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_no_chat_leaves_no_trace(town: Town, raw: RawClient) -> None:
    """Indexing a missing or invitation-only chat writes nothing."""
    town.chat_search.index(GROUPS[0])
    town.chat_search.index("r-chess")
    town.store.run(town.terms.note("r-chess", ["chess"]))
    assert list(raw.scan_iter()) == []

    town.settle(GROUPS[0], "Chess", "invite")
    assert (left(raw), town.store.run(town.terms.of(GROUPS[0]))) == ([], frozenset())


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1.", "1.g-x", "-1.r-a", "9" * 17 + ".r-a", "1.r-A", "1.r-é"]
)
def test_foreign_cursor_is_refused(town: Town, cursor: str) -> None:
    """A cursor that no page of the rooms returned is refused."""
    with pytest.raises(BadRequest, match="cursor: "):
        town.chat_search.rooms(10, cursor)
