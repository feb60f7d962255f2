"""Messages under /v1."""

from __future__ import annotations

import re
import uuid
from urllib.parse import quote, urljoin

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.target import Target, check_no_route

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_send_makes_a_message(api: Api, target: Target) -> None:
    """A send answers 201, the message and its location."""
    chat, alice, _ = api.new_pair()
    response = api.post(chat, alice, text="hello", id="m-1")
    message = response.json()
    assert response.status_code == 201
    assert RFC3339.fullmatch(message["sent_at"])
    assert message == {
        "chat": chat,
        "seq": 1,
        "id": "m-1",
        "sender": alice,
        "kind": "text",
        "text": "hello",
        "sent_at": message["sent_at"],
        "duplicate": False,
    }
    assert api.post(chat, alice, text="again", reply_to=2).json()["code"] == "message_not_found"
    location = f"/v1/chats/{chat}/messages/1"
    if target.differs("location-lacks-the-urls-prefix"):
        stage = api.url.rpartition("/")[2]
        assert response.headers["Location"] == f"/{stage}{location}"
    else:
        assert urljoin(api.origin, response.headers["Location"]) == api.url + location
    found = api.call("GET", location, user=alice).json()
    assert found == {name: value for name, value in message.items() if name != "duplicate"}
    reply = api.post(chat, alice, text="again", reply_to=1).json()
    assert (reply["seq"], reply["reply_to"]) == (2, 1)
    assert api.call("GET", location, user=alice).json()["thread"]["replies"] == 1


def test_the_same_id_answers_the_first_message(api: Api) -> None:
    """A retry answers the first message marked duplicate; other content under the id is a 409."""
    chat, alice, bob = api.new_pair()
    first = api.post(chat, alice, text="hello", id="m-1").json()
    again = api.post(chat, alice.upper(), text="hello", id="m-1")
    assert (again.status_code, again.json()) == (201, {**first, "duplicate": True})
    conflict = api.post(chat, alice, text="other", id="m-1")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "id_conflict")
    assert api.post(chat, bob, text="other", id="m-1").json()["seq"] == 2


def test_the_header_is_as_good_as_the_field(api: Api) -> None:
    """Idempotency-Key replaces id; two different ones are a 400."""
    chat, alice, _ = api.new_pair()
    path, key = f"/v1/chats/{chat}/messages", {"Idempotency-Key": "k-1"}
    first = api.call("POST", path, user=alice, json={"text": "x"}, headers=key).json()
    assert first["id"] == "k-1"
    assert api.post(chat, alice, text="x", id="k-1").json()["duplicate"]
    both = api.call("POST", path, user=alice, json={"text": "x", "id": "k-2"}, headers=key)
    assert (both.status_code, fields_at_fault(both)) == (400, ["id"])


def test_pages_meet_without_gap_or_double_while_others_write(api: Api) -> None:
    """Following next from the start, or previous from the newest, gives every message once."""
    chat, alice, bob = api.new_pair()
    for number in range(25):
        api.post(chat, alice, text=str(number))
    forward, cursor = [], "0"
    while page := api.page(chat, alice, after=cursor, limit=7)["messages"]:
        forward += [m["seq"] for m in page]
        cursor = str(forward[-1])
        if len(forward) < 30:
            api.post(chat, bob, text="meanwhile")
    assert forward == list(range(1, len(forward) + 1))
    page = api.page(chat, alice, limit=7)
    backward = [m["seq"] for m in page["messages"]]
    while page["previous"]:
        api.post(chat, bob, text="meanwhile")
        page = api.page(chat, alice, before=page["previous"], limit=7)
        backward = [m["seq"] for m in page["messages"]] + backward
    assert backward == forward


def test_a_page_says_where_it_stands(api: Api) -> None:
    """head, epoch, next and previous; next at the end gives what comes later."""
    chat, alice, _ = api.new_pair()
    empty = api.page(chat, alice)
    assert (empty["messages"], empty["head"], empty["previous"]) == ([], 0, None)
    api.post(chat, alice, text="1")
    first = api.page(chat, alice, after=empty["next"])
    assert [m["text"] for m in first["messages"]] == ["1"]
    assert (first["head"], first["previous"]) == (1, None)
    at_end = api.page(chat, alice, after=first["next"])
    assert (at_end["messages"], at_end["next"], at_end["epoch"]) == ([], first["next"], first["epoch"])
    api.post(chat, alice, text="2")
    assert [m["text"] for m in api.page(chat, alice, after=at_end["next"])["messages"]] == ["2"]


def test_a_cursor_of_another_history_is_refused(api: Api) -> None:
    """A cursor whose time or epoch is not the log's is a 409 history_changed; a plain seq is not checked."""
    chat, alice, _ = api.new_pair()
    api.post(chat, alice, text="1")
    seq, time, epoch = api.page(chat, alice)["next"].split(".")
    for cursor in (f"{seq}.{int(time) + 1}.{epoch}", f"{seq}.{time}.{int(epoch) + 1}", f"9.{time}.{epoch}"):
        for side in ("after", "before"):
            answer = api.call("GET", f"/v1/chats/{chat}/messages", user=alice, params={side: cursor})
            assert (answer.status_code, answer.json()["code"]) == (409, "history_changed")
    assert api.page(chat, alice, after="9")["messages"] == []


def test_a_chat_in_any_spelling_and_encoding(api: Api) -> None:
    """The chat in the path may be percent-encoded, in any order and case; the answer is canonical."""
    chat, alice, bob = api.new_pair()
    api.post(quote(f"{bob.upper()}:{alice}", safe=""), alice, text="hi")
    page = api.page(chat, bob)
    assert [(m["chat"], m["sender"]) for m in page["messages"]] == [(chat, alice)]


def test_a_user_beyond_ascii(named: Api) -> None:
    """A name beyond ASCII is percent-encoded in the header and the path."""
    name, other = "Zoë 名%", named.new_pair()[1]
    chat = quote(f"{name}:{other}", safe="")
    assert named.post(chat, quote(name), text="hi").json()["sender"] == name.casefold()


def test_a_user_with_a_slash(named: Api, target: Target) -> None:
    """A slash in a name is percent-encoded as well, and does not part the path."""
    name, other = "zoe/zoe", named.new_pair()[1]
    path = f"/v1/chats/{quote(f'{name}:{other}', safe='')}/messages"
    answer = named.raw("POST", path, user=quote(name, safe=""), json={"text": "hi"})
    if target.differs("encoded-slash-splits-the-path"):
        check_no_route(answer, target)
    else:
        assert answer.json()["sender"] == name


@pytest.mark.parametrize("user", [None, ""])
def test_nobody_is_refused(named: Api, target: Target, user: str | None) -> None:
    """Without a name every /v1 route is a 401."""
    for method, path in (("POST", ""), ("GET", ""), ("GET", "/1")):
        body = {"json": {"text": "hi"}} if method == "POST" else {}
        response = named.call(method, f"/v1/chats/a:b/messages{path}", user=user, **body)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
        assert response.headers[target.challenge_header]


def test_a_stranger_is_refused(api: Api) -> None:
    """A user who is not one of the two neither writes nor reads."""
    chat, alice, bob = api.new_pair()
    stranger = api.stranger(alice, bob)
    api.post(chat, alice, text="secret")
    for response in (
        api.post(chat, stranger, text="hi"),
        api.call("GET", f"/v1/chats/{chat}/messages", user=stranger),
        api.call("GET", f"/v1/chats/{chat}/messages/1", user=stranger),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "not_a_member")
    assert api.page(chat, alice)["head"] == 1


@pytest.mark.parametrize("prefix", ["g-", "r-"])
def test_an_unknown_group_is_not_found(api: Api, prefix: str) -> None:
    """An unknown group or room is a 404."""
    response = api.post(f"{prefix}{uuid.uuid4()}", api.stranger(), text="hi")
    assert (response.status_code, response.json()["code"]) == (404, "chat_not_found")


@pytest.mark.parametrize("seq", ["2", "999999999999999"])
def test_an_unknown_message_is_not_found(api: Api, seq: str) -> None:
    """A seq past the head is a 404."""
    chat, alice, _ = api.new_pair()
    api.post(chat, alice, text="1")
    response = api.call("GET", f"/v1/chats/{chat}/messages/{seq}", user=alice)
    assert (response.status_code, response.json()["code"]) == (404, "message_not_found")


@pytest.mark.parametrize("seq", ["0", "-1", "x", "1.5", "1" * 40, "%00", "\u0661"])
def test_a_seq_is_a_number(api: Api, seq: str) -> None:
    """An invalid seq is a 400."""
    chat, alice, _ = api.new_pair()
    response = api.call("GET", f"/v1/chats/{chat}/messages/{seq}", user=alice)
    assert (response.status_code, fields_at_fault(response)) == (400, ["seq"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"after": "x"}, "after"),
        ({"after": "-1"}, "after"),
        ({"after": "1.2"}, "after"),
        ({"after": "1.2.3.4"}, "after"),
        ({"before": "9" * 30}, "before"),
        ({"before": "1", "after": "1"}, "before"),
    ],
)
def test_a_refused_page_names_the_field(api: Api, query: dict[str, object], field: str) -> None:
    """An invalid page is a 400 naming the field."""
    chat, alice, _ = api.new_pair()
    response = api.call("GET", f"/v1/chats/{chat}/messages", user=alice, params=query)
    assert (response.status_code, fields_at_fault(response)) == (400, [field])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": "hi", "kind": "voice"}, "kind"),
        ({"text": "hi", "id": 5}, "id"),
        ({"text": " "}, "text"),
        ([], None),
        ("text", None),
    ],
)
def test_a_refused_send_stores_nothing(api: Api, body: object, field: str | None) -> None:
    """An invalid body is a 400, naming the field if there is one, and nothing is stored."""
    chat, alice, _ = api.new_pair()
    response = api.call("POST", f"/v1/chats/{chat}/messages", user=alice, json=body)
    assert response.status_code == 400
    assert fields_at_fault(response) == ([field] if field else [])
    assert api.page(chat, alice)["head"] == 0


def test_a_page_at_the_end_leads_both_ways(api: Api) -> None:
    """Past the newest message, next waits at the head and previous leads back to all that is older."""
    chat, alice, _ = api.new_pair()
    for text in "123":
        api.post(chat, alice, text=text)
    for after in (api.page(chat, alice)["next"], "50"):
        page = api.page(chat, alice, after=after)
        assert page["messages"] == []
        assert [m["seq"] for m in api.page(chat, alice, before=page["previous"])["messages"]] == [1, 2, 3]
        assert page["next"].partition(".")[0] == "3"


def test_an_empty_idempotency_key_is_refused(api: Api) -> None:
    """An empty Idempotency-Key is a 400, like an empty id."""
    chat, alice, _ = api.new_pair()
    path, key = f"/v1/chats/{chat}/messages", {"Idempotency-Key": ""}
    response = api.call("POST", path, user=alice, json={"text": "x"}, headers=key)
    assert (response.status_code, fields_at_fault(response)) == (400, ["Idempotency-Key"])
