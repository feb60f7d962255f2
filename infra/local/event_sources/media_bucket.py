"""A folder as the bucket of media: it notifies of its files as a bucket does of its objects."""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.local.event_sources.aws_events import bucket_event
from infra.local.event_sources.folder_listing import Listing
from infra.local.event_sources.notified_versions import NotifiedVersions, Version

RECORD = ".db"
LOOK_SECONDS = 1.0


class Bucket:
    """Notifies of files that were stored in a folder or removed from it, each at least once.

    folder: it need not exist. A file beside it records the notifications, so after a restart only those that
    were not settled come again, and changes in between are found. The next change of a file is notified once
    the last one is settled. clock: seconds; the folder is read every LOOK_SECONDS.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._listing = Listing(folder)
        self._record = NotifiedVersions(folder.with_name(folder.name + RECORD))
        self._clock = clock
        self._looked: float | None = None
        self._pending: deque[str] = deque()
        self._under_way: dict[str, tuple[str, Version | None]] = {}
        self._keys_under_way: set[str] = set()

    def take(self, most: int) -> list[str]:
        """Return at most `most` notifications, as S3 puts them into a queue.

        Raises OSError or sqlite3.Error when the folder or the record cannot be read.
        """
        notified = self._notified
        if self._looked is None or self._clock() >= self._looked + LOOK_SECONDS:
            if self._listing.refresh() or self._looked is None:
                self._pending = deque(self._differing(notified))
            self._looked = self._clock()
        return [self._notification(self._pending.popleft()) for _ in range(min(most, len(self._pending)))]

    def settle(self, body: str) -> None:
        """Note that a notification is dealt with. Raises sqlite3.Error: it comes again after a restart."""
        key, version = self._under_way.pop(body)
        self._keys_under_way.discard(key)
        if version is None:
            self._notified.pop(key, None)
        else:
            self._notified[key] = version
        if self._listing.files.get(key) != version:
            self._pending.append(key)
        self._record.put(key, version)

    @functools.cached_property
    def _notified(self) -> dict[str, Version]:
        return self._record.everything()

    def _notification(self, key: str) -> str:
        version = self._listing.files.get(key)
        body = bucket_event(key, version, time.time_ns())
        self._under_way[body] = key, version
        self._keys_under_way.add(key)
        return body

    def _differing(self, notified: dict[str, Version]) -> Iterator[str]:
        files = self._listing.files
        for key in sorted(files.keys() | notified.keys()):
            if files.get(key) != notified.get(key) and key not in self._keys_under_way:
                yield key
