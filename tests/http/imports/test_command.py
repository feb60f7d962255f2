"""`python -m infra.import_users`: from a real server's pages to accounts in a real store."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from chalicelib.config import Settings
from chalicelib.schemas.imports import Code, ImportCursor, ImportReport, ImportRequest, Mapping, Skipped
from chalicelib.services.accounts.passwords import Passwords
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.redis.client import connect
from infra.import_users.callers import ImportFailure, LambdaCaller
from infra.import_users.outputs import Progress
from infra.import_users.whole import Whole
from tests.servers.engines import Engine
from tests.servers.gateway import running_gateway
from tests.servers.users_api import AUTHORIZATION, MAPPING, UserServer, person

ROOT = Path(__file__).resolve().parents[3]
ARGON2 = "m=8,t=1,p=1"


@pytest.fixture
def source() -> Iterator[UserServer]:
    """A server with seven people, two on a page; one of them cannot be imported."""
    with UserServer(
        [*(person(n, f"user{n}", name=f"User {n}") for n in range(6)), person(6, "x\x1by")]
    ) as server:
        yield server


class Command:
    """The command, with its files and arguments."""

    def __init__(self, folder: Path, source: UserServer, **env: str) -> None:
        self.folder = folder
        (folder / "mapping.json").write_text(json.dumps(MAPPING))
        self._url = source.list_url
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "REDIS_"))
        }
        settings = {
            "PARLEY_IMPORT_PRIVATE": "1",
            "PARLEY_ARGON2": ARGON2,
            "IMPORT_AUTHORIZATION": AUTHORIZATION,
        }
        self.env = {**clean, **settings, "PYTHONPATH": str(ROOT), **env}

    def __call__(self, *args: str, url: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        words = ["--url", url or self._url, "--mapping", "mapping.json", *args]
        return subprocess.run(
            [sys.executable, "-m", "infra.import_users", *words],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def codes(self) -> dict[str, str]:
        """Return the written codes, by handle."""
        with (self.folder / "codes.csv").open(newline="") as file:
            return {row["handle"]: row["code"] for row in csv.DictReader(file)}

    def report(self) -> Any:
        """Return the written report."""
        return json.loads((self.folder / "report.json").read_text())


@pytest.fixture
def command(tmp_path: Path, source: UserServer, valkey: Engine) -> Command:
    """The command on an empty store."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    return Command(tmp_path, source, **valkey.env)


def found(valkey: Engine, handle: str) -> Account | None:
    """Return an account in a store."""
    return connect(Settings(redis_url=valkey.url)).run(Accounts().find(handle))


def test_repeated_imports_report_counts_reasons_and_codes(
    command: Command, source: UserServer, valkey: Engine
) -> None:
    """A dry run, a run with codes and a repeated run report their counts, reasons and codes."""
    planned = command("--dry-run", "--codes", "codes.csv", "--report", "report.json")
    assert planned.returncode == 0, planned.stderr
    assert "Would be done: 7 of 7 read: created 6, updated 0, unchanged 0, skipped 1." in planned.stdout
    assert not (command.folder / "codes.csv").exists()
    assert valkey.nodes[0].dbsize() == 0
    dry = command.report()

    done = command("--codes", "codes.csv", "--report", "report.json")
    assert done.returncode == 0, done.stderr
    assert "Done: 7 of 7 read: created 6, updated 0, unchanged 0, skipped 1." in done.stdout
    assert "  skipped id 6, handle x?y: handle: a handle is 1-32 of" in done.stdout
    assert command.report() == dry
    assert "codes" not in dry
    assert dry["skipped"][0]["handle"] == "x\x1by"
    codes = command.codes()
    assert list(codes) == [f"user{n}" for n in range(6)]
    assert stat.S_IMODE((command.folder / "codes.csv").stat().st_mode) == 0o600
    for handle, code in codes.items():
        account = found(valkey, handle)
        assert account
        assert account.reset
        assert Passwords(ARGON2).verify(account.password, code)
        assert code not in done.stdout + done.stderr

    again = command()
    assert again.returncode == 0, again.stderr
    assert "created 0, updated 0, unchanged 6, skipped 1" in again.stdout
    assert AUTHORIZATION not in planned.stderr + done.stderr + done.stdout + again.stdout


def test_existing_codes_are_kept(command: Command) -> None:
    """An existing file of codes is not overwritten."""
    (command.folder / "codes.csv").write_text("precious")
    refused = command("--codes", "codes.csv")

    assert refused.returncode == 1
    assert refused.stderr == "import: codes.csv: File exists\n"
    assert (command.folder / "codes.csv").read_text() == "precious"


def test_source_that_refuses(command: Command) -> None:
    """A wrong Authorization is a line on standard error that does not show it, and status 1."""
    command.env["IMPORT_AUTHORIZATION"] = "Bearer wr0ng"
    refused = command()

    assert refused.returncode == 1
    assert "answered 401\n" in refused.stderr
    assert "wr0ng" not in refused.stderr + refused.stdout
    assert refused.stderr.count("\n") == 1
    assert refused.stdout == ""


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("{", "is not a valid mapping: Input data was truncated"),
        ("[]", "is not a valid mapping: Expected `object`, got `array`"),
        ('{"fields":{"id":"id"}}', "missing required field `handle` - at `$.fields`"),
        ('{"fields":{"id":"id","handle":"h","mail":"m"}}', "contains unknown field `mail` - at `$.fields`"),
        ('{"fields":{"id":1,"handle":"h"}}', "Expected `str`, got `int` - at `$.fields.id`"),
    ],
)
def test_invalid_mapping_names_the_place_of_the_error(command: Command, mapping: str, expected: str) -> None:
    """The error of an invalid mapping names the position in it."""
    (command.folder / "mapping.json").write_text(mapping)
    refused = command()

    assert refused.returncode == 1
    assert refused.stderr.startswith("import: mapping.json ")
    assert expected in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_mapping_with_a_byte_order_mark(command: Command) -> None:
    """A mapping that begins with a UTF-8 byte order mark is read like one without."""
    mapping = command.folder / "mapping.json"
    mapping.write_bytes(b"\xef\xbb\xbf" + mapping.read_bytes())

    assert command("--dry-run").returncode == 0


def test_missing_mapping_file_is_named_in_the_error(command: Command) -> None:
    """The error of a missing mapping file names it."""
    (command.folder / "mapping.json").unlink()

    assert command().stderr == "import: mapping.json: No such file or directory\n"


def test_missing_store_stops_the_import(tmp_path: Path, source: UserServer) -> None:
    """Without a store the error explains how to get one, and nothing is created."""
    command = Command(tmp_path, source)
    refused = command()
    assert refused.returncode == 1
    assert "start `make run` in another terminal" in refused.stderr
    assert not (tmp_path / ".data").exists()

    (tmp_path / ".data").mkdir()
    assert "no store responds at" in command().stderr
    command.env["REDIS_URL"] = f"unix://{tmp_path}/nobody"
    assert "the store does not respond" in command().stderr


@pytest.mark.long
@pytest.mark.parametrize("folder", ["data", "a folder whose name has blanks"])
def test_store_of_make_run(tmp_path: Path, source: UserServer, folder: str) -> None:
    """The command finds the store of the running laptop server by its data folder, and its codes log in."""
    data = tmp_path / folder
    with running_gateway(args=("--data", str(data), "--workers", "1")) as server:
        command = Command(tmp_path, source, DATA=str(data))
        done = command("--report", "report.json", "--codes", "codes.csv")
        assert done.returncode == 0, done.stderr
        login = {"handle": "user1", "password": command.codes()["user1"]}
        refused = httpx.post(f"{server.url}/v1/login", json=login)
        taken = httpx.post(f"{server.url}/v1/login", json={**login, "new_password": "chosen by user1"})
        used = httpx.post(f"{server.url}/v1/login", json={**login, "new_password": "chosen by a thief"})

    assert command.report()["created"] == 6
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_needed")
    assert (taken.status_code, taken.json()["user"]["name"]) == (200, "User 1")
    assert used.status_code == 401


class InProcess:
    """A Lambda client whose function runs here, events and answers passing as JSON."""

    def __init__(self, answers: list[Any]) -> None:
        self.events: list[Any] = []
        self._answers = iter(answers)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803  # boto3's own names
        """Return the next of the answers; an exception is one that the function raised."""
        assert FunctionName == "import_users"
        self.events.append(json.loads(Payload))
        made = next(self._answers)
        if isinstance(made, Exception):
            body = {"errorMessage": str(made), "stackTrace": ["secret"]}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(body).encode())}
        return {"Payload": io.BytesIO(msgspec.json.encode(made))}


REQUEST = ImportRequest(url="http://h.example/", mapping=msgspec.convert(MAPPING, Mapping), codes=True)


def test_command_continues_invocations_and_joins_their_reports() -> None:
    """Each invocation continues where the last one ended, and their reports become one."""
    position = ImportCursor(url="http://h.example/?page=2", skip=3, pages=1, digest="x")
    skipped = Skipped(id="1", handle="a", reason="r")
    code = Code(id="2", handle="b", code="c")
    client = InProcess(
        [
            ImportReport(read=2, created=1, skipped=[skipped], codes=[code], next=position, total=9),
            ImportReport(read=3, created=1, updated=1, unchanged=1, codes=[code], total=9),
        ]
    )
    shown: list[ImportReport] = []
    kept: list[Any] = []
    whole = Whole(LambdaCaller(client, "import_users"), shown.append, kept.extend).run(REQUEST)

    assert whole == ImportReport(
        read=5, created=2, updated=1, unchanged=1, skipped=[skipped], codes=[code, code], total=9
    )
    assert kept == [code, code]
    assert shown
    assert client.events[1] == client.events[0] | {"next": msgspec.to_builtins(position)}


def test_function_in_a_circle() -> None:
    """A function that always continues at the same position is not called for ever."""
    report = ImportReport(read=1, next=ImportCursor(url="http://h.example/"))
    whole = Whole(LambdaCaller(InProcess([report] * 3), "import_users"), lambda _report: None).run(REQUEST)

    assert whole.problem == "the pages lead back to one that was already read"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            RuntimeError("Task timed out after 29.00 seconds"),
            "import_users failed: Task timed out after 29.00",
        ),
        ({"code": 400, "msg": "url: it is missing", "error": "bad_request"}, "returned: url: it is missing"),
    ],
)
def test_function_that_fails(made: Any, expected: str) -> None:
    """A failing function is reported in one line."""
    with pytest.raises(ImportFailure, match=expected) as raised:
        Whole(LambdaCaller(InProcess([made]), "import_users"), lambda _report: None).run(REQUEST)
    assert "secret" not in str(raised.value)


def test_interrupted_import_reports_all_work_until_then() -> None:
    """After Ctrl-C the report has all completed work, and every code is kept."""
    done = ImportReport(read=2, created=2, codes=[Code(id="1", handle="a", code="c")])

    def caller(_request: ImportRequest, tick: Any) -> ImportReport:
        tick(done)
        raise KeyboardInterrupt

    kept: list[Code] = []
    report = Whole(caller, lambda _report: None, kept.extend).run(REQUEST)

    assert (report.read, report.problem) == (2, "interrupted")
    assert kept == done.codes


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Report a terminal."""
        return True


def test_progress_in_a_terminal() -> None:
    """In a terminal one line is redrawn, with a bar if the total number is known."""
    stream = Terminal()
    progress = Progress(stream)
    progress.show(ImportReport(read=0))
    progress.show(ImportReport(read=1, created=1))
    progress.show(ImportReport(read=5, created=5, total=10))
    progress.end(ImportReport(read=12, created=12, total=10))

    first, second, last = stream.getvalue().split("\r")[1:]
    assert first.startswith("1 read: created 1")
    assert second.startswith("[#####.....] 5 of 10 read")
    assert last.startswith("[##########] 12 of 10")
    assert stream.getvalue().count("\n") == 1


def test_progress_in_a_file() -> None:
    """Without a terminal a line is printed now and then, whole and without control characters."""
    stream = io.StringIO()
    progress = Progress(stream)
    for read in range(100):
        progress.show(ImportReport(read=read))
    progress.end(ImportReport(read=100))

    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("1 read")
    assert lines[-1].startswith("100 read")
    assert len(lines) < 100
    assert stream.getvalue().replace("\n", "").isprintable()
