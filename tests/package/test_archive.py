"""The zip of a package; compiles small folders, and needs no network."""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest

from infra.package import PackageError, archive

SOURCE = '''
"""A module."""

def check(word: str) -> bool:
    """Look for a word."""
    assert word
    return word in {"alice", "bob", "carol", "dave"}
'''


def tree(
    folder: Path, names: tuple[str, ...] = ("app.py", "chalicelib/__init__.py", "chalicelib/words.py")
) -> Path:
    """Write modules into a folder, in the given order."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(SOURCE)
    return folder


def code_of(folder: Path, name: str) -> CodeType:
    """Return the code in the bytecode of a module."""
    compiled = importlib.util.cache_from_source(str(folder / name), optimization="")
    code = marshal.loads(Path(compiled).read_bytes()[16:])  # noqa: S302 # compiled by the test itself
    assert isinstance(code, CodeType)
    return code


def test_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    """Two zips are equal whatever the order, dates and modes of their files."""
    one = tree(tmp_path / "one")
    other = tree(tmp_path / "other", ("chalicelib/words.py", "chalicelib/__init__.py", "app.py"))
    os.utime(other / "app.py", (1, 1))
    (other / "app.py").chmod(0o755)
    archive.write(one, tmp_path / "one.zip")
    archive.write(other, tmp_path / "other.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one.zip").read("app.py").decode() == SOURCE


HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    "environ",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "random"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONPYCACHEPREFIX": "/nonexistent"},
        {"SOURCE_DATE_EPOCH": "1"},
    ],
)
def test_bytecode_does_not_depend_on_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    """The caller's hash seed and Python's switches leave the bytecode as it is, wherever the folder lies."""
    one, other = tree(tmp_path / "one"), tree(tmp_path / "a" / "longer" / "path")
    archive.compile_all(one, sys.executable)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    archive.compile_all(other, sys.executable)
    files = sorted(path.relative_to(one) for path in one.rglob("*.pyc"))
    assert len(files) == 3
    assert [(one / file).read_bytes() for file in files] == [(other / file).read_bytes() for file in files]


def test_bytecode_is_taken_without_a_look_at_the_source(tmp_path: Path) -> None:
    """Its flags are hash-based and unchecked (PEP 552), since files in the zip have no dates."""
    folder = tree(tmp_path)
    archive.compile_all(folder, sys.executable)
    (compiled,) = (folder / "__pycache__").iterdir()
    assert compiled.name == Path(importlib.util.cache_from_source("app.py", optimization="")).name
    assert compiled.read_bytes()[:4] == importlib.util.MAGIC_NUMBER
    assert compiled.read_bytes()[4:8] == b"\x01\0\0\0"


def test_bytecode_names_lambdas_folder_and_keeps_asserts(tmp_path: Path) -> None:
    """A traceback names /var/task, and no optimisation drops asserts or docstrings."""
    folder = tree(tmp_path)
    archive.compile_all(folder, sys.executable)
    code = code_of(folder, "chalicelib/words.py")
    assert code.co_filename == "/var/task/chalicelib/words.py"
    (check,) = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    assert check.co_consts[0] == "Look for a word."
    names: dict[str, Callable[[str], bool]] = {}
    exec(code, names)  # noqa: S102 # compiled by the test itself
    assert names["check"].__doc__ == "Look for a word."
    with pytest.raises(AssertionError):
        names["check"]("")


def test_what_does_not_compile_is_named(tmp_path: Path) -> None:
    """A module with a syntax error stops the build, and the error names it."""
    tree(tmp_path)
    (tmp_path / "broken.py").write_text("def broken(:")
    with pytest.raises(PackageError, match=r"broken\.py"):
        archive.compile_all(tmp_path, sys.executable)


def test_a_zip_over_the_limit_is_refused(tmp_path: Path) -> None:
    """The limit itself passes; one byte more does not, and the largest file is named."""
    package = tmp_path / "deployment.zip"
    archive.write(tree(tmp_path / "files"), package)
    size = package.stat().st_size
    archive.check_size(package, limit=size)
    with pytest.raises(PackageError, match=r"over the limit.*app\.py"):
        archive.check_size(package, limit=size - 1)


def test_the_limit_is_what_is_promised() -> None:
    """A package has at most 15 MB, far below Lambda's 50 MB, for a short cold start."""
    assert archive.LIMIT_BYTES == 15_000_000


def test_finish_enforces_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build does not return a zip that is too large."""
    package = tmp_path / "deployment.zip"
    folder = tree(tmp_path / "files")
    (folder / "noise").write_bytes(os.urandom(100_000))
    archive.write(folder, package)
    monkeypatch.setattr(archive.check_size, "__defaults__", (100_000,))
    with pytest.raises(PackageError, match=r"noise \(0\.10 MB\)"):
        archive.finish(package, HERE)


def test_without_its_python_a_package_has_no_bytecode(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another Python's bytecode is useless to Lambda's: the zip has none then, and a warning says so."""
    package = tmp_path / "deployment.zip"
    archive.write(tree(tmp_path / "files"), package)
    archive.finish(package, "3.99")
    with zipfile.ZipFile(package) as files:
        assert not [name for name in files.namelist() if name.endswith(".pyc")]
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("package: warning: this machine has no Python 3.99")
