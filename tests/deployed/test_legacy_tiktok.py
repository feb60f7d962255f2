"""GET /ping, POST /api/send and /api/pull in every form of the replaced servers."""

from __future__ import annotations

import json
import time
from urllib.parse import quote, urlencode

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.target import Target

FORM = "application/x-www-form-urlencoded"


def test_ping_answers_pong(anyone: Api) -> None:
    """A ping answers 200 and {"message":"pong"}."""
    response = anyone.call("GET", "/ping")
    assert (response.status_code, response.json()) == (200, {"message": "pong"})


def test_health_asks_the_store(anyone: Api) -> None:
    """Health answers 200 while the store does."""
    response = anyone.call("GET", "/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "store": "ok"})


def test_send_answers_204_with_an_empty_body(api: Api) -> None:
    """A send answers 204, nothing in the body, no length claimed."""
    chat, alice, _ = api.new_pair()
    response = api.send(chat=chat, sender=alice, text="hello")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers.get("Content-Length", "0") == "0"


def test_send_gives_the_message_when_preferred(api: Api) -> None:
    """Prefer: return=representation answers 201 and the message."""
    chat, alice, _ = api.new_pair()
    message = {"chat": chat, "sender": alice, "text": "hello"}
    headers = {"Prefer": "return=representation"}
    response = api.call("POST", "/api/send", speaker=alice, json=message, headers=headers)
    sent = response.json()
    assert response.status_code == 201
    assert abs(sent.pop("send_time") - time.time()) < 60
    assert sent == message


@pytest.mark.parametrize(
    "body",
    [
        '{"chat":"%(chat)s","sender":"%(alice)s","text":"hi"}',
        '{"sender":"%(alice)s","receiver":"%(bob)s","text":"hi"}',
        '{"Chat":"%(chat)s","SENDER":"%(alice)s","Text":"hi"}',
        '{"chat":"%(chat)s","sender":"%(alice)s","text":"hi","unknown":{"a":[1]},"receiver":null}',
        ' \n{"chat":"%(bob)s:%(alice)s","sender":"%(alice)s","text":"hi"} ',
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", FORM, None])
def test_send_takes_both_forms_whatever_the_content_type(
    api: Api, target: Target, body: str, media_type: str | None
) -> None:
    """Chat or receiver, keys in any case, unknown fields ignored, JSON under any Content-Type."""
    chat, alice, bob = api.new_pair()
    headers = {"Content-Type": media_type} if media_type else {}
    content = (body % {"chat": chat, "alice": alice, "bob": bob}).encode()
    response = api.call("POST", "/api/send", speaker=alice, content=content, headers=headers)
    if media_type == FORM and target.differs("json-as-a-form-is-rewritten"):
        assert response.status_code == 400
        assert "not JSON" in response.json()["detail"]
    else:
        assert response.status_code == 204, response.text
        assert [m["text"] for m in api.pull(chat=chat)["messages"]] == ["hi"]


@pytest.mark.parametrize("by_receiver", [False, True])
def test_send_takes_query_parameters(api: Api, by_receiver: bool) -> None:
    """The fields of a send may be query parameters."""
    chat, alice, bob = api.new_pair()
    other = {"receiver": bob} if by_receiver else {"chat": chat}
    query = urlencode({"Sender": alice, "text": "a&b=c é😀", **other})
    assert api.call("POST", f"/api/send?{query}", speaker=alice).status_code == 204
    assert api.pull(chat=chat)["messages"][0]["text"] == "a&b=c é😀"


def test_send_with_an_id_stores_once(api: Api) -> None:
    """The same id in the body or the Idempotency-Key header stores one message; other content is a 409."""
    chat, alice, _ = api.new_pair()
    message = {"chat": chat, "sender": alice, "text": "once"}
    assert api.send(**message, id="k1").status_code == 204
    key = {"Idempotency-Key": "k1"}
    assert api.call("POST", "/api/send", speaker=alice, json=message, headers=key).status_code == 204
    conflict = api.send(chat=chat, sender=alice, text="other", id="k1")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "id_conflict")
    assert len(api.pull(chat=chat)["messages"]) == 1


TEXTS = [
    " blanks at its ends \n",
    '<b>&amp;</b> "quotes" \\ / \t \r\n',
    "é ß İ ǆ 漢字 \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0010ffff \ufffe \u2028\u2029",
    "\x01\x1f\x7f\x80",
    "x" * 16384,
    "\U0001f600" * 4096,
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_kept_as_sent(api: Api, text: str) -> None:
    """Every code point, blanks at the ends and markup are returned unchanged."""
    chat, alice, _ = api.new_pair()
    assert api.send(chat=chat, sender=alice, text=text).status_code == 204
    assert api.pull(chat=chat)["messages"][0]["text"] == text


def pull_by_get_body(api: Api, page: dict[str, object]) -> object:
    """Pull by GET with a JSON body."""
    return api.call("GET", "/api/pull", speaker=page["chat"], content=json.dumps(page).encode()).json()


def pull_by_get_query(api: Api, page: dict[str, object]) -> object:
    """Pull by GET with query parameters."""
    query = urlencode({name: str(value).lower() for name, value in page.items()})
    return api.call("GET", f"/api/pull?{query}", speaker=page["chat"]).json()


def pull_by_post(api: Api, page: dict[str, object]) -> object:
    """Pull by POST with a JSON body."""
    return api.pull(**page)


@pytest.mark.parametrize("pull", [pull_by_get_body, pull_by_get_query, pull_by_post])
@pytest.mark.parametrize(
    ("page", "texts", "has_more", "next_cursor"),
    [
        ({}, "0123456789", True, 10),
        ({"limit": 0}, "0123456789", True, 10),
        ({"limit": 3}, "012", True, 3),
        ({"cursor": 3, "limit": 3}, "345", True, 6),
        ({"cursor": 9, "limit": 3}, "9AB", False, None),
        ({"cursor": 12}, "", False, None),
        ({"cursor": 10**18}, "", False, None),
        ({"limit": 10**18}, "0123456789AB", False, None),
        ({"reverse": True}, "BA98765432", True, 10),
        ({"reverse": True, "cursor": 1, "limit": 2}, "A9", True, 3),
        ({"reverse": True, "cursor": 10, "limit": 9}, "10", False, None),
        ({"reverse": True, "cursor": 12}, "", False, None),
        ({"reverse": False, "limit": 1}, "0", True, 1),
    ],
)
def test_pull_pages_by_position(  # one row of the contract's table is this wide
    api: Api,
    twelve: str,
    pull: object,
    page: dict[str, object],
    texts: str,
    has_more: bool,
    next_cursor: int | None,
) -> None:
    """Pages by position in send order, or from the newest; next_cursor is there only with has_more."""
    assert callable(pull)
    answer = pull(api, {"chat": twelve, **page})
    assert "".join(m["text"] for m in answer["messages"]) == texts
    assert answer["has_more"] is has_more
    assert answer.get("next_cursor") == next_cursor
    assert ("next_cursor" in answer) is has_more


def test_pull_of_an_unknown_chat_is_empty(api: Api) -> None:
    """An unknown chat is an empty page, with messages and has_more there."""
    assert api.pull(chat=api.new_pair()[0]) == {"messages": [], "has_more": False}


def test_one_room_in_every_spelling(api: Api) -> None:
    """a:b, b:a and A:B are one chat; chat and sender are returned as they were spelt."""
    chat, alice, bob = api.new_pair()
    api.send(chat=chat, sender=alice, text="1")
    api.send(chat=f"{bob.upper()}:{alice}", sender=bob.upper(), text="2")
    asked = f"{bob}:{alice.upper()}"
    messages = api.pull(chat=asked)["messages"]
    assert [(m["chat"], m["sender"], m["text"]) for m in messages] == [
        (asked, alice, "1"),
        (asked, bob.upper(), "2"),
    ]


def test_notes_to_oneself(api: Api) -> None:
    """a:a is a chat with oneself."""
    _, alice, _ = api.new_pair()
    assert api.send(chat=f"{alice}:{alice}", sender=alice, text="note").status_code == 204
    assert len(api.pull(chat=f"{alice}:{alice}")["messages"]) == 1


def test_send_time_is_whole_seconds_now(api: Api) -> None:
    """send_time is the store's clock in integer seconds."""
    chat, alice, _ = api.new_pair()
    api.send(chat=chat, sender=alice, text="now")
    sent = api.pull(chat=chat)["messages"][0]["send_time"]
    assert isinstance(sent, int)
    assert abs(sent - time.time()) < 60


def test_the_same_text_twice_is_two_messages(api: Api) -> None:
    """Without an id, equal messages are all stored, in the order they were sent."""
    chat, alice, _ = api.new_pair()
    for _ in range(5):
        api.send(chat=chat, sender=alice, text="again")
    assert len(api.pull(chat=chat)["messages"]) == 5


NAMES = [
    "x" * 64,
    "Ünïcødé 名前",
    "a b",
    "a%3Ab",
    "_.-",
    "\U0001fa77 Ela",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "\u5c71\u7530\u3000\u592a\u90ce",
    "Jean\u00a0Luc",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_an_open_server(named: Api, name: str) -> None:
    """A name is a line of 1-64 characters other than the colon, of any script and with any emoji."""
    other = named.new_pair()[1]
    assert named.send(sender=name, receiver=other, text="hi").status_code == 204
    assert named.pull(chat=f"{other}:{name}")["messages"][0]["sender"] == name


def test_a_name_is_one_in_every_spelling(named: Api) -> None:
    """A sender's name with e and an accent, and a reader's with the one character of both, mean one chat."""
    other = named.new_pair()[1]
    assert named.send(sender="Zoe\u0308", receiver=other, text="hi").status_code == 204
    messages = named.pull(chat=f"zo\u00eb:{other}")["messages"]
    assert [(message["sender"], message["text"]) for message in messages] == [("Zoe\u0308", "hi")]
    page = named.page(quote(f"{other}:ZO\u00cb"), quote("zoe\u0308"))
    assert [message["sender"] for message in page["messages"]] == ["zo\u00eb"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("\u3164", "a name needs at least one visible character"),
        ("\u2800", "a name needs at least one visible character"),
        ("a\u202eb", "character 2 is U+202E, which changes the direction of writing; take it out"),
        ("a\u200bb", "character 2 is U+200B, which is invisible; take it out"),
        ("x" * 65, "a name has at most 64 characters; this has 65"),
    ],
    ids=ascii,
)
def test_a_name_that_is_refused(named: Api, name: str, reason: str) -> None:
    """An invalid name is a 400 that says what is wrong, in the body and in the header."""
    in_body = named.call("POST", "/api/send", json={"sender": name, "receiver": "bob", "text": "hi"})
    in_header = named.call("GET", "/v1/chats", user=quote(name))
    for answer, field in ((in_body, "sender"), (in_header, "X-Parley-User")):
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"field": field, "detail": reason}]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"chat": "nocolon"}, "chat"),
        ({"chat": "a:b:c"}, "chat"),
        ({"chat": ":b"}, "chat"),
        ({"chat": "a:"}, "chat"),
        ({"chat": ":"}, "chat"),
        ({"chat": ""}, "chat"),
        ({"chat": None}, "chat"),
        ({"chat": 5}, "chat"),
        ({"chat": ["a:b"]}, "chat"),
        ({"chat": "a:" + "b" * 65}, "chat"),
        ({"chat": "a:b\u0000"}, "chat"),
        ({"chat": "a:b\n"}, "chat"),
        ({"chat": "a: "}, "chat"),
        ({"sender": "stranger"}, "sender"),
        ({"sender": ""}, "sender"),
        ({"sender": None}, "sender"),
        ({"sender": 1}, "sender"),
        ({"text": None}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \t\n\u00a0\u2003"}, "text"),
        ({"text": "\u3164"}, "text"),
        ({"text": "\u2800\n\u200d"}, "text"),
        ({"text": "a\u0000b"}, "text"),
        ({"text": 1}, "text"),
        ({"text": {"a": 1}}, "text"),
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": " "}, "id"),
        ({"id": "\u3164"}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"id": 7}, "id"),
    ],
)
def test_a_refused_send_names_the_field_and_stores_nothing(
    api: Api, change: dict[str, object], field: str
) -> None:
    """An invalid send is a 400 naming the field, and the chat stays unchanged."""
    chat, alice, _ = api.new_pair()
    response = api.send(**{"chat": chat, "sender": alice, "text": "hi", **change})
    assert (response.status_code, fields_at_fault(response)) == (400, [field])
    assert api.pull(chat=chat)["messages"] == []


def test_a_sender_of_any_length_is_refused(api: Api) -> None:
    """An invalid sender is refused before the slow normalisation."""
    chat = api.new_pair()[0]
    sender = "a" + "\u0301" * 50_000 + "\u0316" * 50_000
    response = api.call(
        "POST", "/api/send", speaker=chat, json={"chat": chat, "sender": sender, "text": "hi"}
    )
    assert (response.status_code, fields_at_fault(response)) == (400, ["sender"])


def test_a_receiver_is_a_name(api: Api) -> None:
    """A receiver with a colon, or none and no chat, is a 400."""
    assert fields_at_fault(api.send(sender="a", receiver="b:c", text="hi")) == ["receiver"]
    assert fields_at_fault(api.send(sender="a", text="hi")) == ["chat"]


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"cursor": -1}, "cursor"),
        ({"limit": "5"}, "limit"),
        ({"limit": 1.5}, "limit"),
        ({"limit": 10**30}, "limit"),
        ({"cursor": 2**63}, "cursor"),
        ({"cursor": True}, "cursor"),
        ({"reverse": 1}, "reverse"),
        ({"reverse": "yes"}, "reverse"),
        ({"chat": "a"}, "chat"),
        ({"chat": None}, "chat"),
    ],
)
def test_a_refused_pull_names_the_field(api: Api, page: dict[str, object], field: str) -> None:
    """An invalid pull is a 400 naming the field."""
    response = api.call("POST", "/api/pull", speaker="a:b", json={"chat": "a:b", **page})
    assert (response.status_code, fields_at_fault(response)) == (400, [field])


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "cursor=-5", "cursor=1.5", "reverse=maybe", "limit="]
)
def test_a_refused_query_names_the_field(api: Api, query: str) -> None:
    """Query parameters are checked like a body's fields."""
    response = api.call("GET", f"/api/pull?chat=a:b&{query}", speaker="a:b")
    assert (response.status_code, fields_at_fault(response)) == (400, [query.partition("=")[0]])
