"""A folder as the bucket of media: its files come and go as a bucket's objects, and are told alike."""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.local.event_sources.listing import Listing
from infra.local.event_sources.told import Told, Version
from infra.local.event_sources.triggers import bucket_event

RECORD = ".db"
LOOK_SECONDS = 1.0


class Bucket:
    """What was stored in a folder, or removed from it, since it was last told; each at least once.

    folder: it need not be there. What was told is kept beside it, so a restart tells again only what was not
    settled, and finds what came and went in between. The next change of a file is told when the last one is
    settled. clock: seconds; the folder is looked at every LOOK_SECONDS.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._listing = Listing(folder)
        self._record = Told(folder.with_name(folder.name + RECORD))
        self._clock = clock
        self._looked: float | None = None
        self._pending: deque[str] = deque()
        self._under_way: dict[str, tuple[str, Version | None]] = {}
        self._keys_under_way: set[str] = set()

    def take(self, most: int) -> list[str]:
        """Return notifications as S3 would put them into a queue, `most` at the most.

        Raises OSError or sqlite3.Error when the folder or the record cannot be read.
        """
        told = self._told
        if self._looked is None or self._clock() >= self._looked + LOOK_SECONDS:
            if self._listing.refresh() or self._looked is None:
                self._pending = deque(self._differing(told))
            self._looked = self._clock()
        return [self._notification(self._pending.popleft()) for _ in range(min(most, len(self._pending)))]

    def settle(self, body: str) -> None:
        """Note that a notification is dealt with. Raises sqlite3.Error; a restart tells it again then."""
        key, version = self._under_way.pop(body)
        self._keys_under_way.discard(key)
        if version is None:
            self._told.pop(key, None)
        else:
            self._told[key] = version
        if self._listing.files.get(key) != version:
            self._pending.append(key)
        self._record.put(key, version)

    @functools.cached_property
    def _told(self) -> dict[str, Version]:
        return self._record.everything()

    def _notification(self, key: str) -> str:
        version = self._listing.files.get(key)
        body = bucket_event(key, version, time.time_ns())
        self._under_way[body] = key, version
        self._keys_under_way.add(key)
        return body

    def _differing(self, told: dict[str, Version]) -> Iterator[str]:
        files = self._listing.files
        for key in sorted(files.keys() | told.keys()):
            if files.get(key) != told.get(key) and key not in self._keys_under_way:
                yield key
