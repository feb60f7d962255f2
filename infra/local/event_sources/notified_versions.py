"""The version of each file that was last notified, kept over restarts."""

from __future__ import annotations

import functools
import sqlite3
from pathlib import Path
from typing import NamedTuple

TABLE = "CREATE TABLE IF NOT EXISTS told (key TEXT PRIMARY KEY, size INTEGER, stamp TEXT) WITHOUT ROWID"
PUT = "INSERT OR REPLACE INTO told VALUES (?, ?, ?)"


class Version(NamedTuple):
    """A version of a file; size: bytes. stamp: different for each file that ever has its name."""

    size: int
    stamp: str


class NotifiedVersions:
    """The version of each file that was last notified, in an SQLite file that the first one creates."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def everything(self) -> dict[str, Version]:
        """Return versions by key. Raises sqlite3.Error when the file cannot be read."""
        if not self._file.exists():
            return {}
        return {key: Version(*version) for key, *version in self._database.execute("SELECT * FROM told")}

    def put(self, key: str, version: Version | None) -> None:
        """Note the version of a file that was notified; None: its removal. Raises sqlite3.Error."""
        with self._database as database:
            if version is None:
                database.execute("DELETE FROM told WHERE key = ?", (key,))
            else:
                database.execute(PUT, (key, *version))

    @functools.cached_property
    def _database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file)
        # A crash of the machine may lose the last notes, which are then notified again; it damages nothing.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(TABLE)
        return database
