"""The sizes of a request, a name, an id, a text and a page: the maximum passes, one more is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deployed.client import Api, fields_at_fault

BODY_BYTES = 256 * 1024
TEXT_BYTES = 16 * 1024
NAME_CHARACTERS = ID_CHARACTERS = 64
PAGE = 1000
REPLY_BYTES = 4 * 1024 * 1024
LONG = 60
LONGEST = "\u0001" * TEXT_BYTES  # seven bytes each in a reply


def padded(message: dict[str, str], size: int) -> bytes:
    """Return a message as JSON of that many bytes, the rest blanks."""
    return json.dumps(message).encode().ljust(size)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_body_over_256_kib_is_too_large(api: Api, legacy: bool) -> None:
    """262,144 bytes pass, one more is a 413 and stores nothing."""
    chat, alice, _ = api.new_pair()
    path = "/api/send" if legacy else f"/v1/chats/{chat}/messages"
    message = {"chat": chat, "sender": alice, "text": "hi"} if legacy else {"text": "hi"}
    headers = {"Content-Type": "application/json"}
    fits = api.call("POST", path, user=alice, headers=headers, content=padded(message, BODY_BYTES))
    assert fits.status_code == (204 if legacy else 201)
    refused = api.call("POST", path, user=alice, headers=headers, content=padded(message, BODY_BYTES + 1))
    assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
    assert api.page(chat, alice)["head"] == 1


def test_a_text_over_16_kib_is_too_long(api: Api) -> None:
    """16,384 bytes of UTF-8 pass, one more is a 413."""
    chat, alice, _ = api.new_pair()
    longest = "é" * (TEXT_BYTES // 2)
    assert api.post(chat, alice, text=longest).status_code == 201
    assert api.send(chat=chat, sender=alice, text=longest).status_code == 204
    for response in (
        api.post(chat, alice, text=longest + "x"),
        api.send(chat=chat, sender=alice, text=longest + "x"),
    ):
        assert (response.status_code, response.json()["code"]) == (413, "text_too_long")
    assert api.page(chat, alice)["head"] == 2


def test_name_has_at_most_64_characters(named: Api) -> None:
    """A caller's name can have 64 characters; 65 are a 400 that names the header, or the chat."""
    other, longest = named.new_pair()[1], "n" * NAME_CHARACTERS
    assert named.post(f"{longest}:{other}", longest, text="hi").status_code == 201
    refused = named.post(f"{longest}:{other}", longest + "n", text="hi")
    assert (refused.status_code, fields_at_fault(refused)) == (400, ["X-Parley-User"])
    refused = named.post(f"{longest}n:{other}", other, text="hi")
    assert (refused.status_code, fields_at_fault(refused)) == (400, ["chat"])


def test_id_has_at_most_64_characters(api: Api) -> None:
    """An id can have 64 characters; 65 are a 400 that names the field, or the header."""
    chat, alice, _ = api.new_pair()
    longest = "i" * ID_CHARACTERS
    assert api.post(chat, alice, text="hi", id=longest).json()["id"] == longest
    path, too_long = f"/v1/chats/{chat}/messages", longest + "i"
    header = {"Idempotency-Key": too_long}
    for field, refused in (
        ("id", api.post(chat, alice, text="hi", id=too_long)),
        ("Idempotency-Key", api.call("POST", path, user=alice, json={"text": "hi"}, headers=header)),
    ):
        assert (refused.status_code, fields_at_fault(refused)) == (400, [field])
    assert api.page(chat, alice)["head"] == 1


@pytest.mark.long
def test_a_page_ends_at_1000_messages_or_4_mib(api: Api) -> None:
    """Of 1,001 short messages a page has 1,000; of 60 long ones those that fit 4 MiB; the next goes on."""
    chat, alice, _ = api.new_pair()
    for texts in ([LONGEST] * LONG, ["x"] * (PAGE + 1)):
        with ThreadPoolExecutor(8) as pool:
            sent = pool.map(lambda text: api.send(chat=chat, sender=alice, text=text).status_code, texts)
            assert set(sent) == {204}
    newest = api.pull(chat=chat, limit=10**18, reverse=True)
    assert (len(newest["messages"]), newest["has_more"], newest["next_cursor"]) == (PAGE, True, PAGE)
    assert len(api.page(chat, alice, limit=PAGE)["messages"]) == PAGE
    oldest = api.call("POST", "/api/pull", speaker=alice, json={"chat": chat, "limit": PAGE})
    forward = api.call("GET", f"/v1/chats/{chat}/messages?after=0&limit={PAGE}", user=alice)
    backward = api.call("GET", f"/v1/chats/{chat}/messages?before={LONG + 1}&limit={PAGE}", user=alice)
    for response in (oldest, forward, backward):
        assert len(response.content) < REPLY_BYTES
        assert 30 < len(response.json()["messages"]) < LONG
    assert oldest.json()["next_cursor"] == len(oldest.json()["messages"])
    last = forward.json()["messages"][-1]["seq"]
    assert api.page(chat, alice, after=forward.json()["next"], limit=1)["messages"][0]["seq"] == last + 1
    first = backward.json()["messages"][0]["seq"]
    older = api.page(chat, alice, before=backward.json()["previous"], limit=1)["messages"][0]["seq"]
    assert (older, backward.json()["messages"][-1]["seq"]) == (first - 1, LONG)
