"""Mentions of members in messages, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, read


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def post(api: Api, person: Person, chat: str, text: str, **body: Any) -> Any:
    """Send a message, and return the stored message."""
    answer = do(api, person, "POST", f"{chat}/messages", json={"text": text, **body})
    done(answer, 201)
    return answer.json()


def mentions_of(message: Any) -> tuple[list[str], bool]:
    """Return whom a message mentions, and whether it mentions all."""
    return message.get("mentions", []), message.get("mentions_all", False)


def test_text_mentions_members_only(api: Api, people: People) -> None:
    """A name in the text is a mention if a member has it: not of oneself, nor of a stranger or a blocker."""
    ann, bob, cid, dan = crowd(people, 4)
    group = make(api, ann, [bob, cid])
    done(api.call("PUT", f"/v1/users/me/blocked/{bob.handle}", person=cid))
    names = " ".join(f"@{one.handle}" for one in (ann, bob, cid, dan))

    assert mentions_of(post(api, ann, group, names.upper())) == ([bob.handle, cid.handle], False)
    sent = post(api, bob, group, f"{names} x@{ann.handle} @{ann.handle}.")
    assert mentions_of(sent) == ([ann.handle], False)
    assert read(api, cid, f"{group}/messages/{sent['seq']}") == {
        name: value for name, value in sent.items() if name != "duplicate"
    }
    pair = ":".join(sorted((ann.handle, dan.handle)))
    assert mentions_of(post(api, ann, pair, names)) == ([dan.handle], False)


def test_only_admins_mention_all(api: Api, people: People) -> None:
    """`@all` of an admin mentions all members; a member's is text, and so is one in a direct chat."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])

    assert mentions_of(post(api, bob, group, "@all")) == ([], False)
    assert mentions_of(post(api, ann, group, f"@ALL @{bob.handle}")) == ([bob.handle], True)
    assert mentions_of(post(api, ann, ":".join(sorted((ann.handle, bob.handle))), "@all")) == ([], False)


def test_an_edit_changes_whom_a_message_mentions(api: Api, people: People) -> None:
    """The mentions of an edited message are those of its new text; an edit of its data keeps them."""
    ann, bob, cid = crowd(people, 3)
    group = make(api, ann, [bob, cid])
    path = f"{group}/messages/{post(api, ann, group, f'@{bob.handle} @all')['seq']}"

    changed = do(api, ann, "PATCH", path, json={"data": {}}).json()
    assert mentions_of(changed) == ([bob.handle], True)
    changed = do(api, ann, "PATCH", path, json={"text": f"@{cid.handle}"}).json()
    assert mentions_of(changed) == ([cid.handle], False)
    assert mentions_of(do(api, ann, "PATCH", path, json={"text": "hi"}).json()) == ([], False)


def test_a_text_mentions_fifty_members_at_most(api: Api, people: People) -> None:
    """A text full of names is stored, and mentions the members among the first names."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])

    text = " ".join(f"@x{number}" for number in range(150))
    assert mentions_of(post(api, ann, group, f"{text} @{bob.handle}")) == ([bob.handle], False)
    assert mentions_of(post(api, ann, group, f"{text} {text} @{bob.handle}")) == ([], False)


def unread_of(api: Api, person: Person, chat: str) -> tuple[int, int]:
    """Return the numbers of unread messages and of unread mentions in the row of a chat."""
    row = read(api, person, chat)
    return row["unread"], row["mentions"]


def test_a_row_counts_unread_mentions_until_they_are_read(api: Api, people: People) -> None:
    """Mentions, @all and replies to one's own messages count; reading, edits and deletions end that."""
    ann, bob, cid = crowd(people, 3)
    group = make(api, ann, [bob, cid])
    own = post(api, bob, group, "mine")["seq"]
    seqs = [
        post(api, ann, group, text, **fields)["seq"]
        for text, fields in (
            (f"@{bob.handle}", {}),
            ("@all", {}),
            ("a reply", {"reply_to": own}),
            (f"@{bob.handle} @all", {"reply_to": own}),
            ("nothing", {}),
        )
    ]

    assert unread_of(api, bob, group) == (5, 4)
    assert unread_of(api, cid, group)[1] == 2
    assert unread_of(api, ann, group) == (0, 0)
    done(do(api, ann, "PATCH", f"{group}/messages/{seqs[0]}", json={"text": "nobody"}), 200)
    done(do(api, ann, "PATCH", f"{group}/messages/{seqs[3]}", json={"text": "nobody"}), 200)
    assert (unread_of(api, bob, group)[1], unread_of(api, cid, group)[1]) == (3, 1)
    done(do(api, ann, "DELETE", f"{group}/messages/{seqs[1]}", params={"for": "all"}))
    assert (unread_of(api, bob, group), unread_of(api, cid, group)[1]) == ((4, 2), 0)
    done(do(api, ann, "PATCH", f"{group}/messages/{seqs[4]}", json={"text": f"@{bob.handle}"}), 200)
    assert unread_of(api, bob, group)[1] == 3
    done(do(api, bob, "PUT", f"{group}/read", json={"seq": seqs[2]}))
    assert unread_of(api, bob, group)[1] == 2
    done(do(api, bob, "PUT", f"{group}/read", json={}))
    assert unread_of(api, bob, group) == (0, 0)


def test_a_blocked_user_mentions_not_the_blocker(api: Api, people: People) -> None:
    """Neither a name, nor a reply, nor @all of a user reaches a member who blocks them; others it does."""
    ann, bob, cid = crowd(people, 3)
    group = make(api, ann, [bob, cid])
    own = post(api, bob, group, "mine")["seq"]
    done(api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob))

    post(api, ann, group, f"@{bob.handle} @{cid.handle}")
    post(api, ann, group, "a reply", reply_to=own)
    post(api, ann, group, "@all")

    assert (unread_of(api, bob, group), unread_of(api, cid, group)[1]) == ((3, 0), 2)
