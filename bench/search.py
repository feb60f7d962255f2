"""The cost of a search in chats of many messages, and the memory of the filters that it leaves."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from statistics import quantiles
from typing import NamedTuple

import redis

from bench.findings import Aim, Findings, Table, under
from bench.options import Scale, progress
from chalicelib.config import Settings
from chalicelib.services.auth.caller import Caller
from chalicelib.services.search.messages import MessageSearch
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.names import Names
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store import keys
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content, packed
from chalicelib.store.redis.client import connect
from tests.servers.engines import ValkeyEngine

READER = "alice"
STARTED_AT = 1_700_000_000_000_000
QUERIES = 200
AIM_MILLISECONDS, AIM_BYTES = 50.0, 25.0
BATCH = 1000
ABSENT = "zyxwvuts"
"""A word that no message has."""
COLUMNS = (
    *(
        "texts",
        "characters",
        "filters, B a message",
        "making them, µs a message",
        "pages of the first search",
    ),
    *("p50 ms", "p99 ms", "CPU ms, p50", "p99", "short pages"),
)
NOTE = (
    "`GET /v1/search` as the service runs it, in a chat of {messages:,} messages of two users, one after the"
    " other: a first search for a word that no message has, page by page, which makes the filters; then the"
    " first page of {queries} searches: for words of the messages, beginnings of words, pairs of words, and"
    " words that no message has. CPU is that of this process and of the store. A short page has fewer than"
    " 20 hits and a `next`."
)


class Cost(NamedTuple):
    """The cost of a page; in seconds, CPU of this process and of the store; short: See NOTE."""

    seconds: float
    cpu: float
    short: bool


def measure(scale: Scale) -> Findings:
    """Fill a chat with each kind of texts, and search in it."""
    rows, aims = [], list[Aim]()
    with ValkeyEngine() as engine:
        os.environ.update(PARLEY_STAGE="local", PARLEY_AUTH="open", REDIS_URL=engine.url)
        bench = Bench(engine.nodes[0])
        for kind, make in _texts(random.Random(1)).items():
            progress(f"search: {scale.messages:,} messages, {kind}")
            texts = [make() for _ in range(scale.messages)]
            row, found = bench.measured(kind, texts)
            rows.append(row)
            aims += found
    note = NOTE.format(messages=scale.messages, queries=QUERIES)
    return Findings([Table("Searches", note, COLUMNS, rows)], aims, [])


class Bench:
    """Searches in chats of a store; raw: A connection to it."""

    def __init__(self, raw: redis.Redis) -> None:
        self._raw = raw
        store, names = connect(Settings.from_env()), Names(open_names=True)
        self._search = MessageSearch(store, ChatIds(names), names, Inboxes(), ReaderView(store))
        self._caller = Caller(store, READER)

    def measured(self, kind: str, texts: list[str]) -> tuple[tuple[str, ...], list[Aim]]:
        """Return the figures of searches in a chat of these texts, and the aims."""
        chat = f"{READER}:{kind.lower().replace(' ', '-')}"
        self._fill(chat, texts)
        first = list(self._pages(chat, ABSENT))
        costs = [self._page(chat, q, None)[0] for q in itertools.islice(_queries(texts), QUERIES)]
        size = (self._raw.memory_usage(keys.word_filters(chat), samples=0) or 0) / len(texts)
        _, high = _percentiles([cost.seconds for cost in costs])
        aims = [
            under(f"a search in {len(texts):,} messages, {kind}, p99", AIM_MILLISECONDS, high, "ms"),
            under(f"filters of {len(texts):,} messages, {kind}", AIM_BYTES, size, "B a message"),
        ]
        return _row(kind, texts, size, first, costs), aims

    def _fill(self, chat: str, texts: list[str]) -> None:
        header = b"\0" + bytes(8) + STARTED_AT.to_bytes(8)
        senders = itertools.cycle(chat.split(":"))
        elements = [
            b"\1" + (STARTED_AT + seq).to_bytes(8) + packed(Content(sender, text))
            for seq, (sender, text) in enumerate(zip(senders, texts, strict=False), 1)
        ]
        self._raw.rpush(keys.log(chat), header)
        for start in range(0, len(elements), BATCH):
            self._raw.rpush(keys.log(chat), *elements[start : start + BATCH])

    def _pages(self, chat: str, q: str) -> Iterator[Cost]:
        before, more = None, True
        while more:
            cost, before = self._page(chat, q, before)
            yield cost
            more = before is not None

    def _page(self, chat: str, q: str, before: str | None) -> tuple[Cost, str | None]:
        store, cpu, began = self._store_cpu(), time.process_time(), time.perf_counter()
        page = self._search.page(self._caller, q, chat, None, before, 20)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        cpu += self._store_cpu() - store
        return Cost(seconds, cpu, page.next is not None and len(page.hits) < 20), page.next

    def _store_cpu(self) -> float:
        used = self._raw.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def _row(kind: str, texts: list[str], size: float, first: list[Cost], costs: list[Cost]) -> tuple[str, ...]:
    making = sum(cost.cpu for cost in first) / len(texts) * 1e6
    figures = [f"{one:.1f}" for one in _percentiles([cost.seconds for cost in costs])]
    figures += [f"{one:.1f}" for one in _percentiles([cost.cpu for cost in costs])]
    short = sum(cost.short for cost in costs)
    length = sum(map(len, texts)) / len(texts)
    return kind, f"{length:.0f}", f"{size:.1f}", f"{making:.0f}", f"{len(first)}", *figures, f"{short}"


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile in milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[98] * 1000


def _queries(texts: list[str]) -> Iterator[str]:
    """Yield searches, one of each kind in turn."""
    chance = random.Random(2)
    while True:
        words = [word for word in chance.choice(texts).split() if any(map(str.isalnum, word))]
        if not words:
            continue
        word = chance.choice(words)[:40]
        yield word
        yield word[: chance.randint(2, 5)]
        yield " ".join(chance.sample(words, min(2, len(words))))[:80]
        yield f"{word[::-1]}x{word}"


def _texts(chance: random.Random) -> dict[str, Callable[[], str]]:
    """Return what makes a text, by the kind of texts."""
    english, chinese, thai = _english(chance), _chinese(chance), _thai(chance)
    faces = [chr(point) for point in (*range(0x1F600, 0x1F650), *range(0x1F300, 0x1F5FF))]

    def with_emoji() -> str:
        return f"{english()} {''.join(_frequent(chance, faces) for _ in range(chance.randint(1, 4)))}"

    kinds = {"English": english, "Chinese": chinese, "Thai": thai, "English with emoji": with_emoji}
    makers = [*kinds.values()]

    def of_any() -> str:
        return chance.choice(makers)()

    return {**kinds, "all four, mixed": of_any}


def _english(chance: random.Random) -> Callable[[], str]:
    """Return what makes 3 to 13 neighbouring words of Python's own documentation."""
    from pydoc_data.topics import topics

    words = [word for text in topics.values() for word in text.split() if word.isascii()]

    def make() -> str:
        start = chance.randrange(len(words) - 13)
        return " ".join(words[start : start + chance.randint(3, 13)])

    return make


def _chinese(chance: random.Random) -> Callable[[], str]:
    """Return what makes texts of 20,000 words of up to 3 of 3,000 characters, by Zipf's law."""
    characters = [chr(point) for point in chance.sample(range(0x4E00, 0x9FA5), 3000)]
    words = [_word(chance, characters, chance.choice((1, 2, 2, 2, 3))) for _ in range(20_000)]
    return lambda: "".join(_frequent(chance, words) for _ in range(chance.randint(3, 9)))


def _thai(chance: random.Random) -> Callable[[], str]:
    """Return what makes texts of 20,000 words of Thai syllables, by Zipf's law."""
    consonants = [chr(point) for point in range(0xE01, 0xE2F)]
    vowels = [chr(point) for point in range(0xE30, 0xE3A)]
    syllables = [_frequent(chance, consonants) + _frequent(chance, vowels) for _ in range(300)]
    words = [
        _word(chance, syllables, chance.randint(1, 3)) + chance.choice(consonants) for _ in range(20_000)
    ]
    return lambda: "".join(_frequent(chance, words) for _ in range(chance.randint(3, 8)))


def _word(chance: random.Random, parts: list[str], length: int) -> str:
    return "".join(_frequent(chance, parts) for _ in range(length))


def _frequent(chance: random.Random, items: list[str]) -> str:
    """Return an item; the n-th is drawn with a probability that falls as 1 / n."""
    return items[min(int(len(items) ** chance.random()), len(items)) - 1]
