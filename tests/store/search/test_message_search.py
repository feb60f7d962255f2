"""Search in messages, in one chat and in all, on every kind of store."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from chalicelib.errors import BadRequest, ChatNotFound, HistoryChanged, NotAMember
from chalicelib.schemas.message_search import FoundMessage, MessageSearchPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.search import messages, scan
from chalicelib.services.search.messages import MessageSearch
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content, LogEntry
from chalicelib.store.messages.word_filters import BLOCK
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.store.app_requests import call
from tests.store.chat_records import GROUP, Held, write_group, write_other, write_reader
from tests.store.log_records import CHAT, EPOCH, RawClient, element, entry, write, write_elements

LONG = 2048
WORDS = ["the", "train", "leaves", "at", "seven", "tomorrow", "зима", "火车七点", "รถไฟ", "🎉"]
Place = tuple[str, int]


class Finder:
    """A search as ann, that reads all pages of it."""

    def __init__(self, store: Store) -> None:
        names = Names(open_names=True)
        self._search = MessageSearch(store, ChatIds(names), names, Inboxes(), ReaderView(store))
        self._caller = Caller(store, "ann")
        self.pages = 0

    def page(
        self,
        q: str,
        chat: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> MessageSearchPage:
        """Read a page."""
        return self._search.page(self._caller, q, chat, sender, before, limit)

    def hits(
        self,
        q: str,
        chat: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> Iterator[FoundMessage]:
        """Read all pages, each shorter than the limit or as long."""
        while True:
            page = self.page(q, chat, sender, before, limit)
            self.pages += 1
            assert len(page.hits) <= limit
            yield from page.hits
            if page.next is None:
                return
            assert page.next != before
            before = page.next

    def seqs(self, q: str, chat: str | None = CHAT, **more: str | int | None) -> list[int]:
        """Return the seqs of all found messages."""
        return [hit.message.seq for hit in self.hits(q, chat, **more)]  # type: ignore[arg-type]


@pytest.fixture
def finder(store: Store) -> Finder:
    """The search, of ann."""
    return Finder(store)


def texts(raw: RawClient, *said: str, chat: str = CHAT) -> None:
    """Write a log of these texts."""
    write(raw, [entry(seq, text) for seq, text in enumerate(said, 1)], chat=chat)


def write_long(raw: RawClient, length: int, rare: dict[int, str], base: int = 0) -> None:
    """Write a log of a text again and again, and of rare ones by their seqs."""
    write(raw, [entry(seq, rare.get(seq, "often said")) for seq in range(base + 1, length + 1)], base=base)


def filters(raw: RawClient, chat: str = CHAT) -> set[bytes]:
    """Return the numbers of the blocks that have filters."""
    fields: Any = raw.hkeys(keys.word_filters(chat))
    return {field for field in fields if field.isdigit()}


# --- one chat -----------------------------------------------------------------------------------------------


def test_newest_messages_with_all_words_come_first(finder: Finder, raw: RawClient) -> None:
    """A hit has all words, whole but for the last, and says where they are."""
    texts(raw, "the train leaves", "a train", "The TRAINS leave", "no trai n", "leave the train")

    assert finder.seqs("train leav") == [5, 1]
    assert finder.seqs("leave train") == [5, 3]
    assert finder.seqs("train", limit=1) == [5, 3, 2, 1]
    (hit,) = finder.page("THE trains", CHAT).hits
    assert [(one.start, one.end) for one in hit.ranges] == [(0, 3), (4, 10)]


def test_page_of_long_messages_fits_in_a_reply(finder: Finder, raw: RawClient) -> None:
    """Where `limit` hits would be too large for a reply, a page has fewer, and the next one the others."""
    texts(raw, *["hi" + "\x01" * 16_000] * 45)

    assert finder.seqs("hi", limit=100) == [*range(45, 0, -1)]
    assert finder.pages > 1


def test_only_messages_of_the_sender_are_found(finder: Finder, raw: RawClient) -> None:
    """With `from` the messages of other users are left out, in any case of the handle."""
    write_elements(raw, [element(EPOCH + seq, "Bob" if seq % 2 else "ann", "hi") for seq in range(1, 6)])

    assert finder.seqs("hi", sender="BOB") == [5, 3, 1]


def test_search_begins_before_a_message(finder: Finder, raw: RawClient) -> None:
    """`before` is a seq, or a cursor, of which the history is checked."""
    texts(raw, *["hi"] * 5)

    assert finder.seqs("hi", before="3") == [2, 1]
    assert finder.seqs("hi", before="0") == []
    assert finder.seqs("hi", before="99") == [5, 4, 3, 2, 1]
    with pytest.raises(HistoryChanged):
        finder.page("hi", CHAT, before=f"3.{entry(3).time + 1}.{EPOCH}")
    for wrong in ("x", "2026-01-01T00:00:00Z", ""):
        with pytest.raises(BadRequest):
            finder.page("hi", CHAT, before=wrong)


def test_reader_finds_only_what_they_may_read(finder: Finder, raw: RawClient) -> None:
    """Members from their joining on, former ones up to their leaving, and strangers nothing."""
    write(raw, [entry(seq, "hi") for seq in range(1, 11)], chat=GROUP)
    write_group(raw, {"bob": 0, "ann": 4})
    assert finder.seqs("hi", GROUP) == [10, 9, 8, 7, 6, 5]

    write_group(raw, {"bob": 0})
    write_other(raw, "ann", Relation.LEFT, 2, 6)
    assert finder.seqs("hi", GROUP) == [6, 5, 4, 3]

    raw.delete(keys.others(GROUP))
    with pytest.raises(NotAMember):
        finder.page("hi", GROUP)
    with pytest.raises(ChatNotFound):
        finder.page("hi", "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a11")
    with pytest.raises(NotAMember):
        finder.page("hi", "bob:eve")


def test_cleared_messages_of_a_direct_chat_are_not_found(finder: Finder, raw: RawClient) -> None:
    """Who has cleared a direct chat finds only what came later."""
    texts(raw, *["hi"] * 5)
    write_reader(raw, "ann", CHAT, Held(0, 0, 3, EPOCH, 0))

    assert finder.seqs("hi") == [5, 4]


def test_system_messages_are_not_found(finder: Finder, raw: RawClient) -> None:
    """Sentences about events of a group are not searched."""
    made = element(EPOCH + 1, "ann", "", None, "system", {"type": "created", "name": "Created things"})
    write_elements(raw, [made, element(EPOCH + 2, "ann", "created it")], chat=GROUP)
    write_group(raw, {"ann": 0})

    assert finder.seqs("created", GROUP) == [2]


# --- filters ------------------------------------------------------------------------------------------------


def test_search_of_a_long_chat_leaves_filters_by_which_it_passes_over_messages(
    finder: Finder, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first search of a long chat makes filters of whole blocks, and later ones take one page."""
    write_long(raw, LONG + 300, {5: "a needle", 1500: "needles"})
    assert finder.seqs("needle") == [1500, 5]
    first = finder.pages
    assert filters(raw) == {str(block).encode() for block in range((LONG + 300) // BLOCK)}

    finder.pages = 0
    monkeypatch.setattr(scan, "WORK", 600)
    assert finder.seqs("needle") == [1500, 5]
    assert finder.pages == 1 <= first
    assert finder.seqs("needle", sender="ann") == [1500, 5]
    assert finder.seqs("needle", sender="bob") == []
    assert finder.seqs("nowhere") == []


def test_short_chats_have_no_filters(finder: Finder, raw: RawClient) -> None:
    """A chat of fewer messages is searched as it is."""
    write_long(raw, LONG - 1, {5: "a needle"})

    assert finder.seqs("needle") == [5]
    assert filters(raw) == set()


def test_trimmed_log_is_searched_from_its_first_message(finder: Finder, raw: RawClient) -> None:
    """Blocks are counted by seqs, so that a trimmed log has its filters in the same places."""
    base = 3 * BLOCK + 7
    write_long(raw, base + LONG + 1, {base: "a needle", base + 1: "a needle"}, base=base)

    assert finder.seqs("needle") == finder.seqs("needle") == [base + 1]
    assert min(int(block) for block in filters(raw)) == 3


def test_filter_of_a_changed_block_is_made_again(finder: Finder, raw: RawClient) -> None:
    """Once its filter is dropped, a block is searched for what its messages say now."""
    write_long(raw, LONG, {})
    assert finder.seqs("needle") == []
    raw.lset(keys.log(CHAT), 70, element(entry(70).time, "ann", "needle"))  # type: ignore[arg-type]
    raw.hdel(keys.word_filters(CHAT), "0")

    assert finder.seqs("needle") == [70]
    assert b"0" in filters(raw)


@pytest.mark.usefixtures("app_on_engine")
def test_edit_and_deletion_take_the_filter_of_their_block(finder: Finder, raw: RawClient) -> None:
    """A word that an edit has just added is found, and no filter has bits of a text that is gone."""
    write_long(raw, LONG, {})
    assert finder.seqs("needle") == []
    path = f"/v1/chats/{CHAT}/messages"

    assert call("PATCH", f"{path}/70", body={"text": "a needle"}).status == 200
    assert filters(raw) == {b"%d" % block for block in range(1, LONG // BLOCK)}
    assert finder.seqs("needle") == [70]
    assert call("DELETE", f"{path}/300", "for=all").status < 300
    assert filters(raw) == {b"%d" % block for block in range(LONG // BLOCK)} - {b"2"}


def test_filter_made_of_a_text_that_changed_meanwhile_is_not_kept(
    finder: Finder, store: Store, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit between the reading of a block and the keeping of its filter wins."""
    write_long(raw, LONG, {})
    run_all, edits = store.run_all, itertools.count()

    def edited_first(queries: Iterable[Any]) -> list[Any]:
        edited = element(entry(70).time, "ann", f"needle {next(edits)}")
        raw.lset(keys.log(CHAT), 70, edited)  # type: ignore[arg-type]
        return run_all(queries)

    monkeypatch.setattr(store, "run_all", edited_first)
    finder.page("nowhere", CHAT, before="200")
    assert b"0" not in filters(raw)
    assert finder.seqs("needle") == [70]


def test_store_that_takes_no_writes_is_searched(engine: Engine, finder: Finder, raw: RawClient) -> None:
    """A full store is searched message by message, and gets no filters."""
    write_long(raw, LONG, {5: "a needle"})

    try:
        for node in engine.nodes:
            node.config_set("maxmemory", 1)
        assert finder.seqs("needle") == [5]
    finally:
        for node in engine.nodes:
            node.config_set("maxmemory", 0)
    assert filters(raw) == set()


def test_block_of_too_many_words_is_searched_each_time(finder: Finder, raw: RawClient) -> None:
    """A filter that would be full has no bits, and passes over nothing."""
    chance = random.Random(1)
    long = [" ".join(f"{chance.getrandbits(40):x}" for _ in range(85)) for _ in range(BLOCK)]
    write_long(raw, LONG, dict(enumerate(long, 1)))
    word = long[64].split()[50]

    assert finder.seqs(word) == finder.seqs(word) == [65]
    assert raw.hget(keys.word_filters(CHAT), "0") == b"\0"


def test_every_word_of_a_filtered_block_is_found(finder: Finder, raw: RawClient) -> None:
    """No filter misses a word, a beginning of a word, or a part of a run that its messages have."""
    said = [
        "Straße",
        "ﬁsh",
        "กำลังไปทำงาน",
        "火车七点开",
        "👩‍👩‍👧 🎉",
        "हिन्दी",
        "Ünïcode",
        "ｶﾞｷﾞ",
        "한국어",
        "x",
    ]
    write_long(raw, LONG, dict(enumerate(said, 1)))
    finder.seqs("nowhere")

    for query in (
        "stra",
        "strass",
        "fis",
        "กำ",
        "ทำงาน",
        "车七",
        "火",
        "🎉",
        "👩‍👧",
        "हि",
        "ünïcod",
        "ガギ",
        "국",
        "x",
    ):
        assert finder.seqs(query), query


# --- all chats ----------------------------------------------------------------------------------------------


def write_chats(raw: RawClient, count: int, length: int, apart: int = 0) -> list[tuple[str, LogEntry]]:
    """Write chats of ann with messages of a few words at times by chance; return all, newest first.

    apart: µs between the times of two chats; 0: some messages have the same time.
    """
    chance, said = random.Random(2), list[tuple[str, LogEntry]]()
    for number in range(count):
        chat = f"ann:user{number:03d}"
        times = sorted(chance.sample(range(1, 400), length))
        entries = [
            LogEntry(
                seq, EPOCH + 100 * time + apart * number, Content("ann", " ".join(chance.sample(WORDS, 3)))
            )
            for seq, time in enumerate(times, 1)
        ]
        write(raw, entries, chat=chat)
        raw.zadd(keys.active("ann"), {chat: entries[-1].time})
        said += [(chat, one) for one in entries]
    return sorted(said, key=lambda one: (one[1].time, one[0]), reverse=True)


def places(found: Iterator[FoundMessage]) -> list[Place]:
    """Return the chats and seqs of hits."""
    return [(hit.message.chat, hit.message.seq) for hit in found]


def having(said: list[tuple[str, LogEntry]], *words: str) -> list[Place]:
    """Return the chats and seqs of messages with words."""
    return [(chat, one.seq) for chat, one in said if set(words) <= set(one.content.text.split())]


@pytest.mark.parametrize(("work", "limit"), [(4096, 20), (50, 3), (1, 100)])
def test_hits_of_all_chats_are_merged_by_time(
    finder: Finder, raw: RawClient, monkeypatch: pytest.MonkeyPatch, work: int, limit: int
) -> None:
    """However little a page does, all hits come once, newest first over all chats."""
    monkeypatch.setattr(scan, "WORK", work)
    said = write_chats(raw, 12, 20)

    assert places(finder.hits("the train", limit=limit)) == having(said, "the", "train")
    assert places(finder.hits("火车", limit=limit)) == having(said, "火车七点")


@pytest.mark.parametrize("work", [4096, 1])
def test_each_chat_is_searched_once_while_messages_are_sent(
    finder: Finder, raw: RawClient, monkeypatch: pytest.MonkeyPatch, work: int
) -> None:
    """A chat that moves to the top between two pages is not left out, and not searched twice."""
    monkeypatch.setattr(scan, "WORK", work)
    monkeypatch.setattr(messages, "CHATS", 4)
    said = write_chats(raw, 12, 10, apart=1)
    found, before, chance = list[Place](), None, random.Random(3)
    for number in range(1000):
        page = finder.page("the", before=before, limit=3)
        found += places(iter(page.hits))
        times = [hit.message.sent_at for hit in page.hits]
        assert times == sorted(times, reverse=True)
        if page.next is None:
            break
        before = page.next
        chat, now = f"ann:user{chance.randrange(12):03d}", 2**52 + number
        raw.rpush(keys.log(chat), element(now, "ann", "the news"))
        raw.zadd(keys.active("ann"), {chat: now})

    assert sorted(found) == sorted(having(said, "the"))


def test_large_chats_are_found_where_their_messages_are(
    finder: Finder, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large chat, of which the index knows only an old message, is merged by its own."""
    monkeypatch.setattr(messages, "CHATS", 2)
    said = write_chats(raw, 5, 5)
    write(raw, [LogEntry(1, EPOCH + 100_000, Content("bob", "the news"))], chat=GROUP)
    write_group(raw, {"bob": 0, "ann": 0}, large=1)
    raw.zadd(keys.active("ann"), {GROUP: EPOCH})
    raw.zadd(keys.large("ann"), {GROUP: 0})

    found = places(finder.hits("the"))
    assert found[0] == (GROUP, 1)
    assert sorted(found[1:]) == sorted(having(said, "the"))


def test_search_of_all_chats_begins_before_a_time(finder: Finder, raw: RawClient) -> None:
    """`before` is a time without a chat; a seq needs a chat."""
    said = write_chats(raw, 3, 20)
    middle = EPOCH + 20_000

    expected = having([one for one in said if one[1].time < middle], "the")
    assert places(finder.hits("the", before=rfc3339(middle))) == expected
    assert places(finder.hits("the", before="1969-01-01T00:00:00Z")) == []
    for wrong in ("12", "x", f"3.{EPOCH}.{EPOCH}", "2026-99-01T00:00:00Z"):
        with pytest.raises(BadRequest):
            finder.page("the", before=wrong)


def test_chats_that_the_user_may_not_read_have_no_hits(finder: Finder, raw: RawClient) -> None:
    """A group that the index still has, but that is deleted or left, is passed over."""
    said = write_chats(raw, 2, 5)
    write(raw, [entry(seq, "the secret") for seq in range(1, 3)], chat=GROUP)
    write_group(raw, {"bob": 0})
    raw.zadd(keys.active("ann"), {GROUP: entry(2).time, "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a11": EPOCH})

    assert places(finder.hits("the")) == having(said, "the")


def test_user_with_thousands_of_chats_reads_bounded_pages(finder: Finder, raw: RawClient) -> None:
    """A page reads at most so many chats, wherever in the order of 1,500 it begins, and large ones."""
    index = {f"ann:user{number:04d}": EPOCH + number for number in range(1500)}
    raw.zadd(keys.active("ann"), index)
    raw.zadd(
        keys.large("ann"), {f"g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f{number:04d}": 0 for number in range(300)}
    )
    texts(raw, "a needle", chat="ann:user0000")

    assert places(finder.hits("needle")) == [("ann:user0000", 1)]
    assert finder.pages <= 1500 // messages.CHATS + 2
