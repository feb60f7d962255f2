"""The Lambda package: tests/unit because nothing here installs or runs Chalice."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from infra.package import PackageError, export, normalise, report


def write(package: Path, names: list[str], year: int) -> Path:
    """Write a zip of small files in the given order, dated in the given year."""
    with zipfile.ZipFile(package, "w") as files:
        for name in names:
            files.writestr(zipfile.ZipInfo(name, (year, 2, 3, 4, 5, 6)), f"# {name}")
    return package


def test_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    """Neither the order of the files nor their dates tell two packages apart."""
    one = write(tmp_path / "one.zip", ["app.py", "chalicelib/http.py"], 2026)
    other = write(tmp_path / "other.zip", ["chalicelib/http.py", "app.py"], 2020)
    normalise(one)
    normalise(other)
    assert one.read_bytes() == other.read_bytes()
    assert zipfile.ZipFile(one).read("app.py") == b"# app.py"


def test_report_names_size_count_and_digest(tmp_path: Path) -> None:
    """The report says what a reviewer asks about a package."""
    text = report(write(tmp_path / "one.zip", ["app.py"], 2026))
    assert "1 files" in text
    assert "sha256 " in text
    assert "app.py" in text


def test_only_a_checkout_can_be_packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside git the build stops with one clear sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(PackageError, match="not a git checkout"):
        export(tmp_path)
