"""Ids of requests."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor

from chalicelib.http.request_ids import IDS_AT_ONCE, new_id


def test_new_ids_are_uuids_that_differ() -> None:
    """Each id is a UUID of version 4, and none comes twice, also with many threads."""
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: new_id(), range(20 * IDS_AT_ONCE)))

    assert len(set(ids)) == len(ids)
    assert {(uuid.UUID(one).version, str(uuid.UUID(one)) == one) for one in ids} == {(4, True)}


def test_a_forked_process_has_ids_of_its_own() -> None:
    """A process made by fork gives other ids than its parent."""
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 100).decode() not in {new_id() for _ in range(IDS_AT_ONCE)}
    os.close(reading)
    os.close(writing)
