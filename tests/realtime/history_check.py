"""The fate of every message against the promise: each once, in order, and no acked one lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple


class Entry(NamedTuple):
    """A message as a client or device has it."""

    chat: str
    seq: int
    id: str | None
    sender: str
    text: str

    def __str__(self) -> str:
        return f"{self.chat} {self.seq} (id {self.id} of {self.sender})"


Log = Sequence[Entry]


class History(NamedTuple):
    """All that was seen.

    sent: ids of the messages that were sent. acknowledged: received acknowledgements. handed: what each
    device was handed, by its name, in that order. logs: the chats that the device's user may read, by the
    device's name and the chat, as REST gave them at the end.
    """

    sent: Sequence[str]
    acknowledged: Sequence[Entry]
    handed: Mapping[str, Sequence[Entry]]
    logs: Mapping[str, Mapping[str, Log]]


def violations(history: History) -> list[str]:
    """Return each broken promise in words; nothing if all were kept."""
    return [*_of_logs(history), *_of_acknowledgements(history), *_of_devices(history)]


def _of_logs(history: History) -> Iterator[str]:
    seen: dict[tuple[str, int], Entry] = {}
    for device, chats in history.logs.items():
        for chat, log in chats.items():
            yield from (
                f"{device}'s log of {chat}: {after.seq} follows {before.seq}"
                for before, after in pairwise(log)
                if after.seq != before.seq + 1
            )
            for entry in log:
                other = seen.setdefault((chat, entry.seq), entry)
                if entry != other or entry.chat != chat:
                    yield f"{device}'s log of {chat} has {entry} where another has {other}"
    stored = Counter((entry.chat, entry.sender, entry.id) for entry in seen.values() if entry.id is not None)
    yield from (f"stored {times} times: id {of[2]} in {of[0]}" for of, times in stored.items() if times > 1)
    nobodys = {entry.id for entry in seen.values()} - {None} - set(history.sent)
    yield from (f"stored and never sent: id {one}" for one in sorted(filter(None, nobodys)))


def _of_acknowledgements(history: History) -> Iterator[str]:
    stored = {
        (entry.chat, entry.seq): entry
        for chats in history.logs.values()
        for log in chats.values()
        for entry in log
    }
    for entry in history.acknowledged:
        found = stored.get((entry.chat, entry.seq))
        if found is None:
            yield f"acknowledged and lost: {entry}"
        elif found != entry:
            yield f"acknowledged as {entry}, stored as {found}"
    missing = Counter(history.sent) - Counter(str(entry.id) for entry in history.acknowledged)
    yield from (f"sent and never acknowledged: id {one}" for one in missing)


def _of_devices(history: History) -> Iterator[str]:
    if history.handed.keys() != history.logs.keys():
        yield f"seen of one side only: {sorted(history.handed.keys() ^ history.logs.keys())}"
    for device, handed in history.handed.items():
        chats: dict[str, list[Entry]] = {chat: [] for chat in history.logs.get(device, {})}
        for entry in handed:
            chats.setdefault(entry.chat, []).append(entry)
        for chat, entries in chats.items():
            log = history.logs.get(device, {}).get(chat, ())
            yield from (f"{device} {problem}" for problem in _differences(entries, log))


def _differences(handed: Sequence[Entry], log: Log) -> Iterator[str]:
    times = Counter(handed)
    yield from (f"was handed {count} times {entry}" for entry, count in times.items() if count > 1)
    known = set(log)
    yield from (f"was handed what its log does not have: {entry}" for entry in times if entry not in known)
    yield from (f"was never handed {entry}" for entry in log if entry not in times)
    yield from (
        f"was handed {after} after {before.seq}"
        for before, after in pairwise(handed)
        if after.seq < before.seq
    )
