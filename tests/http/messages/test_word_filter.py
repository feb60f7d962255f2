"""A word filter behind `make run`."""

from __future__ import annotations

import time

from tests.deployed.client import Api, new_pair
from tests.http.chat_requests import at_once
from tests.servers.gateway import gateway
from tests.servers.word_filter import Filter

SENDS = 20


def test_a_slow_filter_delays_no_other_call() -> None:
    """While sends wait for the filter, the only worker goes on: they wait together.

    On a busy machine the filter may be late for some of them.
    """
    with Filter() as words, gateway(env={"PARLEY_WORD_FILTER": words.url, "WORKERS": "1"}) as url:
        api = Api(url)
        chat, alice, _ = new_pair()
        assert api.post(chat, alice, text="first").status_code == 201
        words.seconds = 0.2
        started = time.monotonic()
        answers = at_once([lambda: api.post(chat, alice, text="damn").status_code for _ in range(SENDS)])
        took = time.monotonic() - started
        api.close()

    assert {201} <= set(answers) <= {201, 503}
    assert took < SENDS * 0.2 / 2
