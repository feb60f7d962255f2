"""Many clients at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.deployed.client import Api, new_pair

pytestmark = pytest.mark.long

CLIENTS = 20
SENDS = 1000


def send_all(url: str, send: Callable[[Api], Any]) -> list[Any]:
    """Call send 1000 times by 20 concurrent clients; return its results."""

    def one_client(_: int) -> list[Any]:
        api = Api(url)
        results = [send(api) for _ in range(SENDS // CLIENTS)]
        api.close()
        return results

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [result for results in pool.map(one_client, range(CLIENTS)) for result in results]


def test_1000_identical_sends_are_1000_messages(open_url: str, api: Api) -> None:
    """20 clients that send the same text 1000 times get seq 1 to 1000, without gap, and rising send_time."""
    chat, alice, _ = new_pair()
    statuses = send_all(
        open_url, lambda client: client.send(chat=chat, sender=alice, text="same").status_code
    )
    assert statuses == [204] * SENDS
    messages = api.page(chat, alice, after="0", limit=1000)["messages"]
    assert [m["seq"] for m in messages] == list(range(1, SENDS + 1))
    times = [m["sent_at"] for m in messages]
    assert times == sorted(times)
    seconds = [m["send_time"] for m in api.pull(chat=chat, limit=1000)["messages"]]
    assert len(seconds) == SENDS
    assert seconds == sorted(seconds)


def test_1000_sends_of_one_id_are_one_message(open_url: str, api: Api) -> None:
    """20 clients that send one id 1000 times make one message, and get one answer without `duplicate`."""
    chat, alice, _ = new_pair()
    answers = send_all(open_url, lambda client: client.post(chat, alice, text="same", id="one").json())
    assert {answer["seq"] for answer in answers} == {1}
    assert [answer["duplicate"] for answer in answers].count(False) == 1
    assert api.page(chat, alice)["head"] == 1


def test_20_callers_racing_never_see_another(open_url: str) -> None:
    """Each of 20 concurrent callers gets their own name and text back."""

    def one_caller(number: int) -> None:
        api, (chat, alice, _) = Api(open_url), new_pair()
        for count in range(25):
            sent = api.post(chat, alice, text=f"{number}-{count}").json()
            assert (sent["sender"], sent["text"], sent["seq"]) == (alice, f"{number}-{count}", count + 1)
            stranger = api.call("GET", f"/v1/chats/{chat}/messages", user=f"stranger{number}")
            assert stranger.status_code == 403
        api.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one_caller, range(CLIENTS)))
