"""The media folder of the laptop server, as a bucket: stored, replaced and removed files, once each."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from chalicelib.schemas.aws_events import Notification
from infra.local.event_sources.aws_events import bucket_event
from infra.local.event_sources.folder_listing import SETTLED_NANOSECONDS, Listing
from infra.local.event_sources.media_bucket import LOOK_SECONDS, Bucket
from tests.clock import Clock
from tests.local.test_event_sources import NEVER, ONE, lines, sources
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually

CREATED, REMOVED = "ObjectCreated:Put", "ObjectRemoved:Delete"


def store(folder: Path, key: str, content: bytes = b"picture") -> None:
    """Put a file into a folder as the media writer does: under another name, then renamed."""
    file = folder / key
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_bytes(content)
    unfinished.rename(file)


class Change(NamedTuple):
    """The content of one notification."""

    name: str
    key: str
    size: int | None


def read(body: str) -> Change:
    """Return a notification's content, as the function reads it."""
    (record,) = msgspec.json.decode(body, type=Notification).records
    return Change(record.event_name, record.s3.object.key, record.s3.object.size)


class Watched:
    """A bucket for a folder, with a clock that makes it look at each call."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.bucket = Bucket(folder, self.clock)

    def take(self, most: int = 100) -> list[str]:
        """Return the notifications of a later look."""
        self.clock.now += LOOK_SECONDS
        return self.bucket.take(most)

    def changes(self) -> list[Change]:
        """Return the notifications of a later look, and settle them."""
        bodies = self.take()
        for body in bodies:
            self.bucket.settle(body)
        return [read(body) for body in bodies]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that does not exist yet."""
    return tmp_path / "media"


def test_a_folder_that_is_not_there_has_nothing(folder: Path) -> None:
    """A missing folder has no notifications, and is not made."""
    assert Watched(folder).changes() == []
    assert list(folder.parent.iterdir()) == []


def test_each_file_change_is_notified_once(folder: Path) -> None:
    """Storing, replacing and removing a file are three notifications, with its size while it exists."""
    watched = Watched(folder)
    watched.changes()
    steps: list[tuple[Callable[[], object], list[Change]]] = [
        (lambda: store(folder, "a/b c.png", b"12345"), [Change(CREATED, "a/b+c.png", 5)]),
        (lambda: store(folder, "a/b c.png", b"54321"), [Change(CREATED, "a/b+c.png", 5)]),
        ((folder / "a/b c.png").unlink, [Change(REMOVED, "a/b+c.png", None)]),
        (lambda: store(folder, "é"), [Change(CREATED, "%C3%A9", 7)]),
        (lambda: shutil.rmtree(folder), [Change(REMOVED, "%C3%A9", None)]),
    ]
    for make, expected in steps:
        make()
        assert watched.changes() == expected
        assert watched.changes() == []


def test_incomplete_and_hidden_files_are_not_notified(folder: Path) -> None:
    """Files being written, hidden folders, links, and names that are not UTF-8 are left out."""
    store(folder, "whole")
    (folder / ".upload").write_bytes(b"half")
    store(folder, ".hidden/file")
    (folder / "link").symlink_to(folder / "whole")
    (folder / "loop").symlink_to(folder)
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).write_bytes(b"")
    os.mkfifo(folder / "pipe")

    assert [one.key for one in Watched(folder).changes()] == ["whole"]


def test_restart_notifies_only_what_changed_meanwhile(folder: Path) -> None:
    """After a restart settled changes are not repeated; changes in between are notified."""
    for key in ("stays", "goes", "changes"):
        store(folder, key)
    assert len(Watched(folder).changes()) == 3
    (folder / "goes").unlink()
    store(folder, "changes")
    store(folder, "comes")

    assert Watched(folder).changes() == [
        Change(CREATED, "changes", 7),
        Change(CREATED, "comes", 7),
        Change(REMOVED, "goes", None),
    ]
    assert Watched(folder).changes() == []


def test_unsettled_notification_is_repeated_after_a_restart(folder: Path) -> None:
    """A notification in progress when the process died comes again."""
    store(folder, "a")
    watched = Watched(folder)
    assert len(watched.take()) == 1
    assert watched.take() == []
    assert Watched(folder).changes() == [Change(CREATED, "a", 7)]


def test_changes_of_one_file_are_notified_in_order(folder: Path) -> None:
    """A file's next change waits for the one in progress; the last notification shows the current state."""
    store(folder, "a")
    watched = Watched(folder)
    (stored,) = watched.take()
    (folder / "a").unlink()
    assert watched.take() == []
    watched.bucket.settle(stored)
    assert watched.changes() == [Change(REMOVED, "a", None)]
    assert Watched(folder).changes() == []


def test_no_more_than_asked_for_at_once(folder: Path) -> None:
    """Many files come in batches, each file once."""
    for number in range(25):
        store(folder, f"{number:02d}")
    watched = Watched(folder)
    batches = [watched.take(10) for _ in range(4)]

    assert [len(batch) for batch in batches] == [10, 10, 5, 0]
    assert [read(body).key for batch in batches for body in batch] == [
        f"{number:02d}" for number in range(25)
    ]


def test_it_looks_only_so_often(folder: Path) -> None:
    """A call before the next look does not read the folder."""
    watched = Watched(folder)
    watched.take()
    store(folder, "a")
    watched.clock.now += LOOK_SECONDS - 0.01
    assert watched.bucket.take(10) == []
    watched.clock.now += 0.02
    assert len(watched.bucket.take(10)) == 1


def test_broken_record_is_an_error_and_blocks_repeats(folder: Path) -> None:
    """A record that SQLite can't read is an error, and nothing is notified again meanwhile."""
    store(folder, "a")
    folder.with_name("media.db").write_text("not a database, but long enough to look at" * 100)
    watched = Watched(folder)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError):
            watched.take()
    folder.with_name("media.db").unlink()
    assert watched.changes() == [Change(CREATED, "a", 7)]


def test_folders_that_have_not_changed_are_not_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a folder's time is old enough to be trusted, a look costs no listing of it."""
    read_folders: list[str] = []
    scan: Callable[[Any], Any] = os.scandir

    def noting(path: Path) -> Any:
        read_folders.append(path.name)
        return scan(path)

    monkeypatch.setattr(os, "scandir", noting)
    store(folder, "a/1")
    store(folder, "b/2")
    later = max((folder / name).stat().st_mtime_ns for name in ("", "a", "b")) + SETTLED_NANOSECONDS + 1
    listing = Listing(folder, lambda: later)
    assert listing.refresh()
    read_folders.clear()

    assert not listing.refresh()
    assert read_folders == []
    store(folder, "b/3")
    assert listing.refresh()
    assert read_folders == ["b"]
    assert listing.files.keys() == {"a/1", "b/2", "b/3"}


def test_an_event_is_as_aws_documents_it() -> None:
    """A notification has the fields of S3's; of a removed object neither size nor tag."""
    (record,) = json.loads(bucket_event("a b/ü", None, 1_700_000_000_123_456_789))["Records"]
    assert record.keys() == {
        "eventVersion", "eventSource", "awsRegion", "eventTime", "eventName", "userIdentity",
        "requestParameters", "responseElements", "s3",
    }  # fmt: skip
    assert record["s3"].keys() == {"s3SchemaVersion", "configurationId", "bucket", "object"}
    assert record["eventTime"] == "2023-11-14T22:13:20.000Z"
    assert record["s3"]["object"].keys() == {"key", "sequencer"}
    assert record["s3"]["object"]["key"] == "a+b/%C3%BC"


def keys(server: Gateway) -> list[str]:
    """Return the keys that the function logged as stored."""
    return [line["key"] for line in lines(server, "media_stored")]


@pytest.mark.long
def test_server_passes_file_changes_to_its_function(tmp_path: Path) -> None:
    """Each change in DATA/media is logged once, even through a kill of the process."""
    data = tmp_path / "data"
    with running_gateway(args=[*ONE, *NEVER, "--data", str(data)]) as server:
        store(data / "media", "cats/1 é.jpg", b"123")
        assert eventually(lambda: len(lines(server, "media_stored")) == 1)
        (line,) = lines(server, "media_stored")
        assert (line["key"], line["bytes"]) == ("cats/1 é.jpg", 3)
        store(data / "media", "cats/2.jpg")  # told of in a later batch, and so after the first was settled
        assert eventually(lambda: "cats/2.jpg" in keys(server))
        killed = sources(server)
        assert killed is not None
        os.kill(killed, 9)
        assert eventually(lambda: sources(server) not in (None, killed))
        (data / "media" / "cats" / "1 é.jpg").unlink()
        assert eventually(lambda: len(lines(server, "media_removed")) == 1)
        assert keys(server).count("cats/1 é.jpg") == 1
