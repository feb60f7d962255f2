"""Short folders below /tmp: which are removed at a start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.local import private_folders
from infra.local.private_folders import private_folder, private_path, remove_unheld


def test_folders_that_no_lock_holds_go_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed server's folder is removed; a running server's and one of an earlier version stay."""
    monkeypatch.setattr(private_folders, "PRIVATE_FOLDERS", tmp_path)
    killed = private_path(Path("/killed"))
    earlier = tmp_path / f"parley-{os.getuid()}-0123456789abcdef"
    for folder in (killed, earlier):
        (folder / "data").mkdir(parents=True)
    with private_folder(Path("/running")) as running:
        remove_unheld()
        assert set(tmp_path.iterdir()) == {running, earlier}
    assert set(tmp_path.iterdir()) == {earlier}
