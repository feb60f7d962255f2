"""Failed packages: one line that names the reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.package import PackageError, build
from infra.package.build import chalice_package
from infra.package.errors import run
from tests.package.conftest import ROOT
from tests.servers import commands
from tests.servers.commands import refusal
from tests.servers.process import environment


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import absent\n", "No module named 'absent'"),
        ("from chalice import Chalice\n\ndef broken(:\n", 'File "app.py", line 3'),
        ("raise ValueError('of two\\nlines')\n", "of two lines"),
    ],
)
def test_an_application_that_does_not_import(tmp_path: Path, source: str, expected: str) -> None:
    """Chalice's reason is one line without its traceback, and nothing is written."""
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text('{"version": "2.0", "app_name": "x", "stages": {}}')
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "app.py").write_text(source)
    with pytest.raises(PackageError) as raised:
        chalice_package(tmp_path, "prod", {}, tmp_path / "out")
    said = str(raised.value)
    assert said.startswith("chalice package failed: ")
    assert expected in said
    assert "\n" not in said
    assert "Traceback" not in said


def test_a_tools_reason_is_one_line(tmp_path: Path) -> None:
    """A tool's error of several lines is joined, with the name of the missing package."""
    (tmp_path / "absent.txt").write_text("parley-is-not-there==1.0 --hash=sha256:" + "0" * 64)
    command = [sys.executable, "-m", "uv", "pip", "install", "--no-config", "--offline", "--no-index"]
    command += ["--target", str(tmp_path / "to"), "--requirements", "absent.txt"]
    with pytest.raises(PackageError, match=r"^installing failed: .*parley-is-not-there") as raised:
        run("installing", command, cwd=tmp_path)
    assert "\n" not in str(raised.value)


def test_a_tool_that_says_nothing(tmp_path: Path) -> None:
    """A tool that ends without output is reported with its status."""
    with pytest.raises(PackageError, match=r"^it failed: it exited with status 3$"):
        run("it", [sys.executable, "-c", "raise SystemExit(3)"], cwd=tmp_path)


@pytest.mark.parametrize("below", ["", "folder"])
def test_a_file_in_the_place_of_the_folder(tmp_path: Path, below: str) -> None:
    """The error names the folder that cannot be written, and the option that chooses it."""
    (tmp_path / "out").write_text("a file")
    out = tmp_path / "out" / below
    said = refusal(commands.run("infra.package", "--stage", "localstack", "--out", str(out)))
    assert said.startswith(f"package: {out} is not writable")
    assert said.endswith("name another folder with --out")


def test_a_folder_is_refused_before_anything_is_built(tmp_path: Path, checkout: Path) -> None:
    """The caller of build gets the same as an error of packaging."""
    (tmp_path / "out").write_text("a file")
    with pytest.raises(PackageError, match="is not writable"):
        build("localstack", tmp_path / "out", repository=checkout)


def test_a_disk_without_room(tmp_path: Path) -> None:
    """Where nothing can be written, the system's reason is one line."""
    command = 'ulimit -f 0; exec "$0" -m infra.package --stage localstack --out "$1"'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, str(tmp_path)],
        cwd=ROOT,
        env=environment({"GIT_OPTIONAL_LOCKS": "0", "PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "No usable temporary directory" in refusal(done)
