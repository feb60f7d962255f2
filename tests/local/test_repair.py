"""A data folder that Valkey cannot start on: a broken end is cut off, or one line says what to do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from infra.local.data import DataFolder
from infra.local.shutdown import Shutdown, StartError
from infra.local.store import aof, repair
from infra.local.store.valkey import embedded
from tests.servers.waiting import eventually

BASE, WRITES = "appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof"
SINGLES, TOGETHER = 20, 3
PING = b"*1\r\n$4\r\nPING\r\n"
PUSH = b"*3\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n$1\r\nx\r\n"


def client_of(data: DataFolder) -> redis.Redis:
    """Return a client of a store."""
    return redis.Redis(unix_socket_path=str(data.socket))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with single writes and a transaction, in good order."""
    folder = tmp_path_factory.mktemp("written")
    with embedded(folder, Shutdown()) as data, client_of(data) as client:
        for number in range(SINGLES):
            client.rpush("list", number)
        with client.pipeline(transaction=True) as together:
            for number in range(TOGETHER):
                together.rpush("list", f"together {number}")
            together.execute()
    return folder


def _cut(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:-size])


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """A copy of that folder for one test."""
    return Path(shutil.copytree(written, tmp_path / "data", ignore=shutil.ignore_patterns("*.log", "*.sock")))


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of the data files."""
    return {file.name: file.read_bytes() for file in (folder / aof.FOLDER).iterdir()}


def length(folder: Path) -> int:
    """Start a store on a folder and return how much of the list it has."""
    with embedded(folder, Shutdown()) as data, client_of(data) as client:
        return int(client.llen("list"))


def refusal(folder: Path) -> str:
    """Return the line of a refused start, after which every file is unchanged."""
    before = files_of(folder)
    with pytest.raises(StartError) as refused, embedded(folder, Shutdown()):
        pass
    assert files_of(folder) == before
    line = str(refused.value)
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    "end",
    [
        bytes(1),
        bytes(100_000),
        b"garbage\r\nand more of it",
        PUSH[:-3],
        b"*1\r\n$5\r\nMULTI\r\n" + PUSH,
        b"*1\r\n$5\r\nMULTI\r\n" + PUSH + bytes(4096),
        b"*3\r\n$5\r\nRPUSH\r\n$999999999\r\nlist\r\n",
    ],
    ids=["zero", "zeros", "garbage", "half a write", "half a transaction", "and zeros", "a length beyond it"],
)
def test_an_end_that_is_no_whole_write_is_cut_off_and_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], end: bytes
) -> None:
    """The store starts with all whole writes, and one line says once what was cut off and where it is."""
    file = folder / aof.FOLDER / WRITES
    whole = file.read_bytes()
    file.write_bytes(whole + end)

    assert length(folder) == SINGLES + TOGETHER
    line = capsys.readouterr().err
    kept = folder / f"{WRITES}.cut.1"
    assert line.count("\n") == 1
    assert f"{len(end)} bytes" in line
    assert str(kept) in line
    assert (kept.read_bytes(), file.read_bytes()) == (end, whole)

    assert length(folder) == SINGLES + TOGETHER
    assert capsys.readouterr().err == ""


def test_a_second_end_does_not_replace_the_first(folder: Path) -> None:
    """Each broken end that was cut off has a file of its own."""
    for _ in range(2):
        with (folder / aof.FOLDER / WRITES).open("ab") as file:
            file.write(b"*1\r")
        length(folder)
    assert len(list(folder.glob("*.cut.*"))) == 2


def test_reading_a_large_file_is_announced_and_can_be_stopped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a large file is announced by a line; a request to stop ends it, all files unchanged."""
    with (folder / aof.FOLDER / WRITES).open("ab") as file:
        file.write(bytes(9))
    before, lines, shutdown = files_of(folder), list[str](), Shutdown()
    monkeypatch.setattr(repair, "LARGE_BYTES", 0, raising=False)

    def tell(line: str) -> None:
        lines.append(line)
        shutdown.request()

    monkeypatch.setattr(repair, "warn", tell)
    with pytest.raises(StartError), embedded(folder, shutdown):
        pass
    assert files_of(folder) == before
    (line,) = lines
    assert f"{WRITES} is damaged; searching all 0 MB of it" in line


def test_a_transaction_is_cut_off_as_one(folder: Path) -> None:
    """A transaction without its end is removed whole."""
    file = folder / aof.FOLDER / WRITES
    file.write_bytes(file.read_bytes().removesuffix(b"*1\r\n$4\r\nEXEC\r\n"))
    assert length(folder) == SINGLES


def test_a_store_that_dies_in_the_middle_of_a_write_comes_back(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The end is cut off also when the store is restarted under a running server."""
    with embedded(folder, Shutdown()) as data, client_of(data) as client:
        process = client.info("server")["process_id"]
        os.kill(process, signal.SIGSTOP)
        with (folder / aof.FOLDER / WRITES).open("ab") as file:
            file.write(bytes(10))
        os.kill(process, signal.SIGKILL)
        assert eventually(lambda: _length_now(client) == SINGLES + TOGETHER)
    assert "10 bytes were cut off" in capsys.readouterr().err


def _length_now(client: redis.Redis) -> int | None:
    try:
        return int(client.llen("list"))
    except redis.ConnectionError:
        return None


@pytest.mark.parametrize("damage", [b"\0" * 20, b"$"])
def test_damage_before_whole_writes_is_not_cut_off(folder: Path, damage: bytes) -> None:
    """Nothing is dropped without a request: the line has the commands that continue without the rest."""
    file = folder / aof.FOLDER / WRITES
    whole = file.read_bytes()
    at = whole.index(PUSH[:20], len(whole) // 2)
    file.write_bytes(whole[:at] + damage + whole[at + len(damage) :])

    line = refusal(folder)
    assert f"byte {at}," in line
    subprocess.run(line.partition("follows: ")[2], shell=True, check=True)  # noqa: S602 - as it is pasted
    assert 0 < length(folder) < SINGLES


def _listed(name: str, kind: str = "i", number: int = 1) -> str:
    return f"file {name} seq {number} type {kind}\n"


def _not_the_last(files: Path) -> None:
    later = WRITES.replace("1", "2")
    (files / later).write_bytes(PUSH)
    (files / WRITES).write_bytes(bytes(10))
    (files / aof.MANIFEST).write_text(_listed(BASE, "b") + _listed(WRITES) + _listed(later, number=2))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda files: (files / aof.MANIFEST).unlink(), f"{aof.MANIFEST}, which lists them, is missing"),
        (
            lambda files: (files / aof.MANIFEST).write_bytes(b""),
            f"{aof.MANIFEST}, which lists them, is empty",
        ),
        (lambda files: (files / aof.MANIFEST).write_bytes(bytes(99)), f"{aof.MANIFEST}, which lists them"),
        (lambda files: _cut(files / aof.MANIFEST, 20), f"{aof.MANIFEST}, which lists them, is damaged"),
        (lambda files: (files / BASE).unlink(), f"{BASE} is missing"),
        (lambda files: (files / BASE).write_bytes(b""), f"{BASE} is empty"),
        (lambda files: (files / BASE).write_bytes(bytes(200)), f"{BASE} is damaged"),
        (lambda files: (files / BASE).write_bytes((files / BASE).read_bytes()[:50]), "the base is damaged"),
        (lambda files: (files / WRITES).unlink(), f"{WRITES} is missing"),
        (_not_the_last, f"{WRITES} is damaged, and others continue it"),
    ],
    ids=[
        *(
            "no manifest",
            "empty manifest",
            "zeros for a manifest",
            "half a manifest",
            "no base",
            "empty base",
            "zeros for a base",
        ),
        *("half a base", "no writes", "not the last"),
    ],
)
def test_what_cannot_be_repaired_is_refused_with_what_to_do(
    folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    """Valkey does not start without a part of the data, and does not overwrite the rest."""
    damage(folder / aof.FOLDER)
    line = refusal(folder)
    assert said in line
    assert f"{folder / aof.FOLDER}" in line
    assert "Restore the folder from a copy; or move it away to begin with an empty store." in line


@pytest.mark.parametrize(
    ("name", "content"),
    [(BASE, b"REDIS0099\xff" + bytes(8)), (WRITES, b"*1\r\n$9\r\nNEWERWORD\r\n")],
    ids=["base", "writes"],
)
def test_what_a_newer_valkey_wrote_is_refused(folder: Path, name: str, content: bytes) -> None:
    """The line says so, and which version to start."""
    (folder / aof.FOLDER / name).write_bytes(content)
    line = refusal(folder)
    assert "newer Valkey wrote" in line
    assert "Start the version of Parley that wrote it" in line


def test_another_reason_is_in_the_line(tmp_path: Path) -> None:
    """Other errors of Valkey are quoted, with the path of its log."""
    (tmp_path / aof.FOLDER).touch()
    with pytest.raises(StartError) as refused, embedded(tmp_path, Shutdown()):
        pass
    line = str(refused.value)
    assert "\n" not in line
    assert aof.FOLDER in line
    assert str(tmp_path / "valkey.log") in line


def test_every_place_at_which_a_file_may_end(tmp_path: Path) -> None:
    """However much of a file is left, the whole part ends at the last whole write."""
    writes = [PUSH, b"#TS:1700000000\r\n", b"*1\r\n$5\r\nMULTI\r\n" + PUSH + b"*1\r\n$4\r\nEXEC\r\n", PING]
    data, file = b"".join(writes), tmp_path / "file"
    ends = [sum(map(len, writes[:count])) for count in range(len(writes) + 1)]
    for size in range(len(data) + 1):
        file.write_bytes(data[:size])
        assert aof.scan(file).cut == max(end for end in ends if end <= size)
