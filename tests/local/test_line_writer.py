"""Log lines and their reader: a reader that stalls delays nobody, and only whole lines are written."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.local.line_writer import LineStream, LineWriter
from infra.local.write_lock import FOLDER_VARIABLE
from tests.servers.gateway import Gateway
from tests.servers.process import ROOT, STOP_SECONDS
from tests.servers.waiting import eventually

SMALL = 4096
MANY = 1000


def dropped_line(count: int) -> str:
    """Return the line about dropped lines."""
    return f"dropped {count}\n"


class Pipe:
    """A small pipe without a reader; ends: to read from, and to write to."""

    def __init__(self) -> None:
        self.ends = os.pipe()
        fcntl.fcntl(self.ends[1], fcntl.F_SETPIPE_SZ, SMALL)
        os.set_blocking(self.ends[0], False)
        self._read = b""

    def lines(self) -> list[str]:
        """Return the lines so far."""
        return self.text().splitlines()

    def text(self) -> str:
        """Read all there is, and return the text so far."""
        while True:
            try:
                more = os.read(self.ends[0], 65536)
            except BlockingIOError:
                break
            if not more:
                break
            self._read += more
        return self._read.decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe."""
    made = Pipe()
    yield made
    for end in made.ends:
        os.close(end)


@pytest.mark.parametrize("blocking", [True, False])
def test_lines_that_nobody_takes_are_dropped_and_counted(pipe: Pipe, blocking: bool) -> None:
    """A stalled reader delays nobody; then it gets whole lines in order, and the number of dropped ones."""
    os.set_blocking(pipe.ends[1], blocking)
    writer = LineWriter(pipe.ends[1], dropped_line, most_bytes=10 * SMALL)
    for number in range(MANY):
        writer.put(f"{number:99}\n")
    assert eventually(lambda: pipe.lines()[-1:] != [] and pipe.lines()[-1].startswith("dropped"))
    *written, last = pipe.lines()
    assert [int(line) for line in written] == list(range(len(written)))
    assert all(len(line) == 99 for line in written)
    assert last == f"dropped {MANY - len(written)}"
    assert 0 < len(written) < MANY
    writer.put("again\n")
    assert eventually(lambda: pipe.lines()[-1] == "again")


def test_a_line_longer_than_all_that_may_wait_is_written(pipe: Pipe) -> None:
    """A traceback beyond the limit is kept if nothing else waits."""
    writer = LineWriter(pipe.ends[1], dropped_line, most_bytes=10)
    writer.put("x" * SMALL * 4 + "\n")
    assert eventually(lambda: pipe.text() == "x" * SMALL * 4 + "\n")


def test_what_cannot_be_written_is_counted(tmp_path: Path) -> None:
    """A full disk drops lines; one line reports it once there is room."""
    with Path("/dev/full").open("wb") as full, (tmp_path / "log").open("w+b") as log:
        copy = os.dup(full.fileno())
        writer = LineWriter(copy, dropped_line)
        writer.put("lost\n")
        writer.drain(STOP_SECONDS)
        os.dup2(log.fileno(), copy)
        writer.put("kept\n")
        assert eventually(lambda: (tmp_path / "log").read_text() == "kept\ndropped 1\n")
        os.close(copy)


def test_a_stream_writes_whole_lines(pipe: Pipe) -> None:
    """Parts of a line wait for its end, as `print` and tracebacks write them."""
    stream = LineStream(pipe.ends[1], LineWriter(pipe.ends[1], dropped_line))
    print("a", "b", sep="-", file=stream, end="")
    stream.flush()
    assert pipe.lines() == []
    print("c\nd", file=stream)
    assert eventually(lambda: pipe.lines() == ["a-bc", "d"])
    assert (stream.fileno(), stream.isatty()) == (pipe.ends[1], False)


COLLECTING = """
import gc, os, time
from infra.local.line_writer import LineWriter
writer, left = LineWriter(1, str), iter(range(5000))
def say(phase, _):
    if phase == "start" and next(left, None) is not None:
        writer.put("garbage\\n")
gc.callbacks.append(say)
gc.set_threshold(1)
kept = []
for number in range(1000):
    writer.put(f"{number}\\n")
    kept.append([])
    if number % 10 == 0:
        time.sleep(0.0005)
gc.disable()
writer.drain(60)
os._exit(0)
"""


def test_garbage_that_has_something_to_say_stops_nobody() -> None:
    """Lines that the garbage collector causes, in any thread and at any point, are written too."""
    writing = [sys.executable, "-c", COLLECTING]
    ended = subprocess.run(writing, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line != "garbage"] == [str(number) for number in range(1000)]
    assert "garbage" in lines


LONG = 20_000
WRITING = """
import sys
from infra.local.line_writer import LineWriter
writer = LineWriter(1, str, most_bytes=10**9)
for _ in range(50):
    writer.put(sys.argv[1] * {} + chr(10))
writer.drain(60)
"""


def test_long_lines_of_processes_do_not_mix(tmp_path: Path) -> None:
    """Lines larger than a pipe's atomic write stay whole, whoever else writes to it."""
    read, write = os.pipe()
    command = [sys.executable, "-c", WRITING.format(LONG)]
    env = {**os.environ, FOLDER_VARIABLE: str(tmp_path)}
    writers = [subprocess.Popen([*command, letter], cwd=ROOT, env=env, stdout=write) for letter in "ab"]
    os.close(write)
    with os.fdopen(read) as lines:
        assert {line.rstrip("\n") for line in lines} == {"a" * LONG, "b" * LONG}
    assert [writer.wait() for writer in writers] == [0, 0]


class UnreadGateway(Gateway):
    """A server whose output only `output` reads."""

    def __init__(self, folder: Path) -> None:
        os.mkfifo(folder / "output.log")
        self._read = ""
        self._reader = os.open(folder / "output.log", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(self._reader, fcntl.F_SETPIPE_SZ, SMALL)
        super().__init__(folder, {"LOG": "json"}, ["--workers", "1"])

    def output(self) -> str:
        """Return the whole lines so far."""
        try:
            while more := os.read(self._reader, 65536):
                self._read += more.decode()
        except BlockingIOError:
            pass
        return self._read[: self._read.rfind("\n") + 1]


@pytest.mark.long
def test_a_reader_that_stalls_does_not_stop_the_server(tmp_path: Path) -> None:
    """With nobody reading the log every request is answered, and the server stops on request."""
    server = UnreadGateway(tmp_path)
    try:
        server.wait_until_ready()
        with httpx.Client(base_url=server.url) as client:
            for number in range(60):  # a line each, of some 200 bytes
                assert client.get(f"/nothing/{number}/{'x' * 200}").status_code == 404
            assert eventually(lambda: server.output().count('"path":"/nothing/') == 60)
            assert len(server.output()) > 2 * SMALL  # more than the pipe holds: it was full
            for number in range(60):
                assert client.get(f"/nothing/{number}/{'x' * 200}").status_code == 404
        server.process.terminate()
        assert server.process.wait(STOP_SECONDS) == 0
        lines = [line for line in server.output().splitlines() if "no_such_route" in line]
        assert {json.loads(line)["status"] for line in lines} == {404}
        assert "Traceback" not in server.output()
    finally:
        server.stop()
