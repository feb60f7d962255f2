"""The cost of a page of a sync for a client that was away for a month, over a thousand chats."""

from __future__ import annotations

import json
import time
from statistics import median, quantiles
from typing import Any, NamedTuple
from urllib.parse import quote

import redis

from bench.findings import Findings, Table, under
from bench.in_process import Handler, handler
from bench.loads import TEXT, Load
from bench.options import CALL_ROUNDS, Scale, progress
from chalicelib.services.inbox.sync_token import SYNC_TOKEN
from chalicelib.store import keys

READER = "reader"
CHATS = 1000
MONTH = 30 * 86_400 * 1_000_000
LIMITS = (50, 100)
MAX_MILLISECONDS, MAX_BYTES = 100.0, 256 * 1024
LONG = "\U0001f642" * 256
COLUMNS = ("chats", "limit", "pages", "p50 ms a page", "p99 ms", "slowest ms", "largest page, B")


class Page(NamedTuple):
    """A page of a sync; seconds: The time of reading it."""

    seconds: float
    size: int


def measure(scale: Scale) -> Findings:
    """Read the whole sync several times, with pages of each size, of short rows and of long ones."""
    rows, aims = [], []
    for text, what in ((TEXT, "of two"), (LONG, "of two, 256 emojis each")):
        with handler() as made:
            token = _away(made, text)
            for limit in LIMITS:
                pages = _pages(made, token, limit, max(CALL_ROUNDS, scale.rounds))
                rows.append(_row(what, limit, pages))
                slowest, largest = max(page.seconds for page in pages), max(page.size for page in pages)
                name = f"a sync after 30 days, {CHATS:,} chats {what}, limit {limit}"
                aims.append(under(f"{name}: slowest page", MAX_MILLISECONDS, slowest * 1000, "ms"))
                aims.append(under(f"{name}: largest page", MAX_BYTES, largest, "B"))
    note = (
        f"`GET /v1/sync` in process with a token 30 days old, {CHATS:,} chats that have changed since;"
        f" {max(CALL_ROUNDS, scale.rounds)} times from the token to the end."
    )
    return Findings([Table("A sync after a month", note, COLUMNS, rows)], aims, [])


def _away(made: Handler, text: str) -> str:
    """Let a client sync, 30 days pass, and its chats change; returns the client's token."""
    progress(f"sync: {CHATS} chats")
    _send(made, f"first:{READER}", "first", TEXT)
    token = _aged(made.store, str(_read(made, f"/v1/sync?limit={LIMITS[0]}")["next"]))
    for number in range(CHATS):
        other = f"other{number:04d}"
        _send(made, f"{other}:{READER}", other, text)
    return token


def _send(made: Handler, chat: str, sender: str, text: str) -> None:
    path = f"/v1/chats/{quote(chat, safe='')}/messages"
    (event,) = made.events(Load("send", "POST", path, json.dumps({"text": text}), sender), 1)
    made.call(event)


def _read(made: Handler, path: str) -> dict[str, object]:
    (event,) = made.events(Load("sync", "GET", path, sender=READER), 1)
    page: dict[str, object] = json.loads(made.call(event)["body"])
    return page


def _aged(store: redis.Redis, token: str) -> str:
    """Make all entries of the reader's index older, and the token with them."""
    for key in (keys.inbox(READER), keys.lineages(READER)):
        scores: Any = store.zrange(key, 0, -1, withscores=True)
        store.zadd(key, {member: score - MONTH for member, score in scores})
    store.hincrby(keys.inbox_entries(READER), "version", -MONTH)
    held = SYNC_TOKEN.decode(token, "token")
    older = (max(moment - MONTH, 0) for moment in (held.version, held.floor, held.at))
    version, floor, at = older
    return str(held._replace(version=version, floor=floor, at=at))


def _pages(made: Handler, token: str, limit: int, rounds: int) -> list[Page]:
    """Read from the token to the end, several times; fails unless each pass has each chat once."""
    pages: list[Page] = []
    for _ in range(rounds):
        since, more, seen = token, True, list[str]()
        while more:
            load = Load("sync", "GET", f"/v1/sync?limit={limit}&since={since}", sender=READER)
            (event,) = made.events(load, 1)
            began = time.perf_counter()
            body: str = made.call(event)["body"]
            pages.append(Page(time.perf_counter() - began, len(body.encode())))
            page = json.loads(body)
            seen += [row["chat"] for row in page["chats"]]
            since, more = page["next"], page["more"]
        assert len(seen) == len(set(seen)) == CHATS
    return pages


def _row(what: str, limit: int, pages: list[Page]) -> tuple[str, ...]:
    times = sorted(page.seconds * 1000 for page in pages)
    percentile = quantiles(times, n=100, method="inclusive")[98]
    figures = f"{median(times):.1f}", f"{percentile:.1f}", f"{times[-1]:.1f}"
    return f"{CHATS:,} {what}", f"{limit}", f"{len(pages)}", *figures, f"{max(page.size for page in pages):,}"
