"""The files below a folder: a folder that has not changed is not read again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from infra.local.event_sources.notified_versions import Version

SETTLED_NANOSECONDS = 2_000_000_000
"""A folder changed more recently may have changed again within its clock's grain: it is read once more."""


class _Folder(NamedTuple):
    changed: int
    settled: bool
    folders: list[str]
    files: dict[str, Version]


class Listing:
    """The complete files below a folder, by their paths in it with `/` between the parts.

    A file is complete once it has its name: it is written under a name that begins with a dot, and renamed.
    So names that begin with a dot are left out, as are links, special files and names that are not UTF-8.
    clock: ns since 1970.
    """

    def __init__(self, root: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._root = root
        self._clock = clock
        self._known: dict[str, _Folder] = {}
        self.files: dict[str, Version] = {}

    def refresh(self) -> bool:
        """Read the folder again, and return whether anything may have changed. Raises OSError."""
        known: dict[str, _Folder] = {}
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            if (found := self._folder(prefix)) is not None:
                known[prefix] = found
                waiting += found.folders
        if all(self._known.get(prefix) is found for prefix, found in known.items()) and len(known) == len(
            self._known
        ):
            return False
        self._known = known
        self.files = {key: version for found in known.values() for key, version in found.files.items()}
        return True

    def _folder(self, prefix: str) -> _Folder | None:
        """Return a folder's contents, the earlier ones if it has not changed; None: it is gone."""
        held, now = self._known.get(prefix), self._clock()
        try:
            changed = os.stat(self._root / prefix).st_mtime_ns
            if held and held.settled and held.changed == changed:
                return held
            folders, files = self._read(prefix)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return _Folder(changed, now - changed > SETTLED_NANOSECONDS, folders, files)

    def _read(self, prefix: str) -> tuple[list[str], dict[str, Version]]:
        folders: list[str] = []
        files: dict[str, Version] = {}
        with os.scandir(self._root / prefix) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not _is_utf8(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{prefix}{entry.name}/")
                elif entry.is_file(follow_symlinks=False) and (version := _version(entry)):
                    files[f"{prefix}{entry.name}"] = version
        return folders, files


def _version(entry: os.DirEntry[str]) -> Version | None:
    try:
        about = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Version(about.st_size, f"{about.st_mtime_ns:x}-{about.st_ino:x}")


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
