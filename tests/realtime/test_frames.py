"""Frames and their answers, as clients of the app in this process get them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib import services
from chalicelib.schemas.messages import SendRequest
from chalicelib.schemas.realtime import MAX_MESSAGE_BYTES
from chalicelib.services.auth import account_status
from chalicelib.services.delivery.codec import JSON_BYTES, PROTOBUF_BYTES
from chalicelib.services.inbox import sync
from chalicelib.services.inbox.sync_token import SyncToken
from chalicelib.services.realtime import hello
from chalicelib.services.realtime.messages import MessageFrames
from chalicelib.store import keys
from tests.realtime.document_check import check
from tests.realtime.in_process import Door
from tests.realtime.recorded_connections import Stage
from tests.servers.engines import Engine
from tests.store.counted_round_trips import RoundTrips
from tests.store.lost_writes import Moment

CHAT = "ann:bob"


def saying(text: str, **fields: Any) -> dict[str, Any]:
    """Return a frame that sends a text."""
    return {"type": "send", "chat": CHAT, "id": text, "text": text, **fields}


def group_of(door: Door, *members: str) -> str:
    """Return the id of a new group of ann and others, who let everybody add them."""
    for member in members:
        assert door.rest(member, "PATCH", "/v1/users/me", {"who_may_add_me": "everybody"}).status == 200
    body = {"kind": "group", "name": "Tea", "members": list(members)}
    return str(door.rest("ann", "POST", "/v1/chats", body).body["chat"])


def newest(door: Door, chat: str) -> str:
    """Return the cursor of the newest message of a chat of ann's."""
    return str(door.rest("ann", "GET", f"/v1/chats/{chat}/messages").body["next"])


def cursor_of(message: dict[str, Any], other: str) -> str:
    """Return the cursor of a pushed message, from another cursor of the same chat."""
    sent = datetime.fromisoformat(message["sent_at"]) - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{message['seq']}.{sent // timedelta(microseconds=1)}.{other.rpartition('.')[2]}"


def types_of(frames: list[dict[str, Any]]) -> list[str]:
    """Return the types of frames, each as documented."""
    for frame in frames:
        check(frame)
    return [frame["type"] for frame in frames]


class TestHello:
    """The first frame."""

    def test_first_hello_lists_all_chats_then_ready(self, door: Door) -> None:
        """A client without a version gets all chats, and then `ready`."""
        door.enter("bob").send(saying("one"))

        sync, ready = door.enter("ann", ready=False).hello(ref="1")

        assert types_of([sync, ready]) == ["sync", "ready"]
        assert [(row["chat"], row["seq"], row["unread"]) for row in sync["chats"]] == [(CHAT, 1, 1)]
        assert (sync["more"], sync["reset"], sync["ref"]) == (False, False, "1")
        assert (ready["user"], ready["ref"]) == ("ann", "1")

    def test_later_hello_lists_only_what_changed(self, door: Door) -> None:
        """A client with a version gets only what changed since then."""
        first = door.enter("ann", ready=False).hello()[0]
        door.enter("bob").send(saying("one"))

        second = door.enter("ann", ready=False).hello(version=first["version"])[0]
        third = door.enter("ann", ready=False).hello(version=second["version"])[0]

        assert [row["chat"] for row in second["chats"]] == [CHAT]
        assert (third["chats"], third["reset"]) == ([], False)

    def test_version_of_a_lost_history_resets_the_client(self, door: Door) -> None:
        """A version from a history that the store lost starts the client over, and the frame says so."""
        sync = door.enter("ann", ready=False).hello(version=str(SyncToken.first(1)._replace(version=99)))[0]

        assert sync["reset"]

    def test_invalid_version_is_refused_by_its_field_name(self, door: Door) -> None:
        """An invalid version is refused under its name in the frame."""
        (refusal,) = door.enter("ann", ready=False).hello(version="nonsense")

        assert [error["field"] for error in refusal["errors"]] == ["version"]

    def test_lost_message_is_reported_in_the_first_frame_alone(
        self, door: Door, valkey: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A message that was acknowledged, pushed and then lost is reported in the first frame alone."""
        monkeypatch.setattr(hello, "ROWS", 1)
        bob, ann = door.enter("bob"), door.enter("ann")
        bob.send(saying("kept"))
        ann.received()
        version, kept = ann.hello()[0]["version"], newest(door, CHAT)
        moment = Moment(valkey.nodes[0])
        phantoms = bob.send(saying("phantom"))[0], ann.received()[0]
        held = [{"chat": CHAT, "cursor": cursor_of(one, kept)} for one in phantoms]
        moment.set_back(b"")
        for room in ("one", "two"):
            door.rest("ann", "POST", "/v1/chats", {"kind": "room", "id": room, "name": room})

        first, second, ready = door.enter("ann", ready=False).hello(version=version, check=held)
        assert types_of([first, second, ready]) == ["sync", "sync", "ready"]
        epoch = int(kept.rpartition(".")[2])
        assert first["history_changed"] == [{"chat": CHAT, "epoch": epoch, "seq": 1, "cursor": kept}]
        assert not {"history_changed", "unreadable"} & {*second, *door.enter("bob").hello()[0]}

    def test_chat_of_others(self, door: Door) -> None:
        """A frame that checks others' chats gets the same answer as for missing chats."""
        group = group_of(door, "bob")
        check = [{"chat": chat, "cursor": "1.1.1"} for chat in (group, "bob:cyd")]

        frame = door.enter("cyd", ready=False).hello(check=[*check, {"chat": "r-no", "cursor": "1.1.1"}])[0]
        assert (frame["unreadable"], [one["chat"] for one in frame["history_changed"]]) == (
            [group, "r-no"],
            ["bob:cyd"],
        )

    @pytest.mark.parametrize(("rows", "growth"), [(JSON_BYTES, 1.0), (PROTOBUF_BYTES, 4 / 3)])
    def test_what_was_lost_fits_a_frame(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, rows: int, growth: float
    ) -> None:
        """The longest answer to a check, with the longest rows, fits a frame of either subprotocol."""
        monkeypatch.setattr(hello, "rows_bytes", lambda protobuf: rows)
        names = [f"n{number:03}-" + "\U0001f642" * 59 for number in range(50)]
        for name in names:
            request = SendRequest("\x01\U0001f642" * 128)
            stage.services.messages.send(stage.caller("ann"), f"ann:{name}", request)
        held = [f"ann:{name}" for name in names] + [f"g-{number}" + "\x01" * 125 for number in range(10, 60)]
        check = [{"chat": chat, "cursor": f"1.{2**52}.1"} for chat in held]
        *frames, _ = stage.connect("ann", hello=False).send(type="hello", check=check)

        assert max(len(msgspec.json.encode(frame)) for frame in frames) * growth < MAX_MESSAGE_BYTES
        assert (len(frames[0]["history_changed"]), len(frames[0]["unreadable"])) == (50, 50)
        assert sum(len(frame["chats"]) for frame in frames) == len(names)

    def test_malformed_cursor_to_check_leaves_the_connection_unregistered(self, door: Door) -> None:
        """A hello with an invalid cursor to check is refused, and the connection is not registered."""
        ann = door.enter("ann", ready=False)
        (refusal,) = ann.hello(check=[{"chat": CHAT, "cursor": "12"}])
        assert ([error["field"] for error in refusal["errors"]], CHAT in refusal["detail"]) == (
            ["check[0].cursor"],
            True,
        )
        door.enter("bob").send(saying("one"))
        assert ann.received() == []

    def test_hello_registers_before_it_lists_chats(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A message sent while a hello lists the chats is pushed: nothing is lost in between."""
        bob, ann = door.enter("bob"), door.enter("ann", ready=False)
        sync = services.current().sync
        page = sync.page

        def slow(*args: Any, **bounds: Any) -> Any:
            read = page(*args, **bounds)
            bob.send(saying("meanwhile"))
            return read

        monkeypatch.setattr(sync, "page", slow)

        assert types_of(ann.hello()) == ["message", "sync", "ready"]

    def test_not_registered_before(self, door: Door) -> None:
        """Before its hello a connection gets nothing but answers."""
        ann = door.enter("ann", ready=False)

        door.enter("bob").send(saying("one"))

        assert ann.received() == []
        assert types_of(ann.send({"type": "ping"})) == ["pong"]

    def test_many_chats_arrive_in_several_frames(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many chats arrive in several frames; after the last one that fits, the next hello continues."""
        monkeypatch.setattr(hello, "ROWS", 1)
        monkeypatch.setattr(hello, "MAX_FRAMES", 2)
        chats = {group_of(door) for _ in range(3)}

        frames = door.enter("ann", ready=False).hello()
        more = door.enter("ann", ready=False).hello(version=frames[1]["version"])

        assert types_of(frames) == ["sync", "sync", "ready"]
        assert [frame["more"] for frame in frames[:2]] == [True, True]
        assert not more[-2]["more"]
        listed = [row["chat"] for frame in [*frames, *more] for row in frame.get("chats", ())]
        assert sorted(listed) == sorted(chats)

    def test_room_of_the_ticket(self, door: Door) -> None:
        """The room of the ticket is joined once the connection is ready."""
        door.rest("bob", "POST", "/ws/createRoom", {"id": "lobby", "name": "Lobby"})

        frames = door.enter("ann", ready=False, room="Lobby").hello()

        assert types_of(frames) == ["sync", "ready", "message", "chat", "room"]
        assert frames[-1]["chat"] == "r-lobby"


class TestSend:
    """Messages."""

    def test_send_acknowledges_the_sender_and_pushes_to_the_rest(self, door: Door) -> None:
        """The sending connection gets the ack; the sender's other devices and the other user the message."""
        phone, laptop, bob, cyd = (door.enter(user) for user in ("ann", "ann", "bob", "cyd"))

        (ack,) = phone.send(saying("hello", ref="9"))

        assert types_of([ack]) == ["ack"]
        assert (ack["chat"], ack["seq"], ack["id"], ack["duplicate"]) == (CHAT, 1, "hello", False)
        assert (ack["ref"], ack["sender"], ack["text"]) == ("9", "ann", "hello")
        assert ack["cursor"].split(".")[::2] == ["1", str(ack["epoch"])]
        assert ack["sender_name"] == "ann"
        (frame,) = laptop.received()
        assert types_of([frame]) == ["message"]
        assert frame == {name: ack[name] for name in frame if name != "type"} | {"type": "message"}
        assert bob.received() == [frame]
        assert cyd.received() == []

    def test_repeated_send_is_acknowledged_as_a_duplicate(self, door: Door) -> None:
        """A repeated send is acknowledged as a duplicate, and nobody receives it again."""
        ann, bob = door.enter("ann"), door.enter("bob")
        ann.send(saying("hello"))
        bob.received()

        (ack,) = ann.send(saying("hello"))

        assert (ack["seq"], ack["duplicate"]) == (1, True)
        assert bob.received() == []

    def test_ack_comes_first(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """The ack confirms that the message is stored, whether or not its delivery succeeds."""
        ann = door.enter("ann")
        fan_out = services.current()._delivery.fan_out

        def fail(*args: Any, **kwargs: Any) -> None:
            assert types_of(ann.received()) == ["ack"]

        monkeypatch.setattr(fan_out, "deliver_message", fail)
        ann.send(saying("hello"))

        assert door.rest("bob", "GET", f"/v1/chats/{CHAT}/messages").body["head"] == 1

    def test_rest_send_reaches_all_members_connections(self, door: Door) -> None:
        """A send by REST reaches every connection of the members, including the sender's."""
        ann, bob = door.enter("ann"), door.enter("bob")

        door.rest("ann", "POST", f"/v1/chats/{CHAT}/messages", {"text": "by REST"})

        assert types_of(ann.received()) == ["message"]
        (frame,) = bob.received()
        assert (frame["text"], frame["id"], frame["sender"]) == ("by REST", None, "ann") or "id" not in frame

    def test_legacy_send_reaches_all_members_connections(self, door: Door) -> None:
        """A send by the legacy path reaches every connection of the members, too."""
        bob = door.enter("bob")

        door.rest("ann", "POST", "/api/send", {"chat": "Bob:ANN", "sender": "ANN", "text": "by POST"})

        (frame,) = bob.received()
        assert (frame["chat"], frame["sender"], frame["text"]) == (CHAT, "ann", "by POST")

    def test_group_message_and_group_events_reach_all_members(self, door: Door) -> None:
        """All members receive a group's messages and its events."""
        bob, cyd = door.enter("bob"), door.enter("cyd")
        group = group_of(door, "bob")

        door.enter("ann").send({"type": "send", "chat": group, "id": "1", "text": "tea?"})

        frames = bob.received()
        assert types_of(frames) == ["message", "chat", "message"]
        assert [frame["kind"] for frame in frames] == ["system", "group", "text"]
        assert cyd.received() == []

    def test_direct_message_takes_three_round_trips(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A direct message takes three round trips: the frame, the message in log and inboxes, the outbox."""
        monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
        ann, _ = door.enter("ann"), door.enter("bob")
        ann.send(saying("first"))
        store = services.current()._store
        store._node = round_trips = RoundTrips(store._node)

        ann.send(saying("second"))

        assert len(round_trips.sizes) == 3


class TestLarge:
    """A chat that is too large to write inboxes."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Make a chat of two large."""
        return {"PARLEY_LARGE_CHAT": "2"}

    def test_large_chat_message_reaches_connections_that_said_hello(self, door: Door) -> None:
        """A large chat's message reaches the members' connections that said hello, except the sending one."""
        group = group_of(door, "bob", "cyd")
        ann, bob, phone = door.enter("ann"), door.enter("bob"), door.enter("bob")

        ann.send({"type": "send", "chat": group, "id": "1", "text": "tea?"})

        assert types_of(bob.received()) == types_of(phone.received()) == ["message"]
        assert ann.received() == []

    def test_hello_in_many_large_chats(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hello gets a few frames, however many chats there are, and the next hello continues."""
        monkeypatch.setattr(sync, "MAX_CHECKED", 2)
        monkeypatch.setattr(hello, "ROWS", 3)
        monkeypatch.setattr(hello, "MAX_FRAMES", 3)
        groups = [group_of(door, "bob", "cyd") for _ in range(11)]
        bob, more = door.enter("bob", ready=False), True
        chats: list[str] = []
        known: dict[str, str] = {}
        while more:
            *syncs, ready = bob.hello(**known)
            assert (ready["type"], len(syncs) in range(1, 4)) == ("ready", True)
            chats += [row["chat"] for one in syncs for row in one["chats"]]
            known, more = {"version": syncs[-1]["version"]}, syncs[-1]["more"]
            assert len(known["version"]) < 1024

        assert sorted(chats) == sorted(groups)

    def test_large_chat_pushes_receipts_only_to_the_readers_devices(self, door: Door) -> None:
        """Receipts in a large chat go to the reader's own devices alone."""
        group = group_of(door, "bob", "cyd")
        ann, bob, phone = door.enter("ann"), door.enter("bob"), door.enter("bob")
        ann.send({"type": "send", "chat": group, "id": "1", "text": "tea?"})
        phone.received()

        bob.send({"type": "read", "chat": group, "seq": 2})

        assert ann.received() == []
        assert types_of(phone.received()) == ["receipt", "chat"]


class TestMarks:
    """Read marks and receipts."""

    @pytest.mark.parametrize("mark", ["read", "received"])
    def test_rising_mark_is_pushed_once(self, door: Door, mark: str) -> None:
        """A mark that rises is pushed once to others and the reader's other devices; `read` as a row, too."""
        ann, bob, phone = door.enter("ann"), door.enter("bob"), door.enter("bob")
        ann.send(saying("one"))
        phone.received()
        bob.received()

        assert bob.send({"type": mark, "chat": "Bob:Ann", "seq": 1}) == []
        assert bob.send({"type": mark, "chat": CHAT, "seq": 1}) == []

        expected = {"type": "receipt", "chat": CHAT, "user": "bob", mark: 1}
        own, *rows = phone.received()
        assert ann.received() == [own] == [expected]
        assert [row["unread"] for row in rows] == ([0] if mark == "read" else [])
        check(expected)

    def test_rest_read_mark_is_pushed_like_a_frames(self, door: Door) -> None:
        """A read mark set by REST is pushed, too."""
        ann = door.enter("ann")
        ann.send(saying("one"))

        assert door.rest("bob", "PUT", f"/v1/chats/{CHAT}/read", {"seq": 1}).status == 204

        assert types_of(ann.received()) == ["receipt"]

    def test_read_mark_by_a_stale_cursor_is_an_error(self, door: Door) -> None:
        """A read mark's cursor is checked: one from a lost history is an error."""
        ann, bob = door.enter("ann"), door.enter("bob")
        ann.send(saying("one"))
        page = bob.send({"type": "pull", "chat": CHAT})[-1]

        assert bob.send({"type": "read", "chat": CHAT, "cursor": page["next"]}) == []
        (answer,) = bob.send({"type": "read", "chat": CHAT, "cursor": "1.5.5", "ref": "3"})

        assert (answer["code"], answer["status"], answer["ref"]) == ("history_changed", 409, "3")


class TestPull:
    """Pages."""

    def test_pulled_page_equals_the_rest_page(self, door: Door) -> None:
        """A pulled page equals the REST page, with the chat's id added."""
        ann = door.enter("ann")
        for text in ("one", "two", "three"):
            ann.send(saying(text))

        (page,) = ann.send({"type": "pull", "chat": "Bob:Ann", "after": "1", "limit": 1, "ref": "4"})

        assert types_of([page]) == ["page"]
        rest = door.rest("ann", "GET", f"/v1/chats/{CHAT}/messages").body
        assert page["messages"] == rest["messages"][1:2]
        assert (page["chat"], page["head"], page["ref"]) == (CHAT, 3, "4")

    def test_pulled_page_is_cut_to_fit_a_frame(self, door: Door) -> None:
        """A page that would not fit a frame is cut, and its cursors continue there, in both directions."""
        ann = door.enter("ann")
        for number in range(9):
            ann.send(saying(str(number)) | {"text": "\u00fc" * 8000})

        frames = [ann.send({"type": "pull", "chat": CHAT, **side})[0] for side in ({"after": "0"}, {})]

        for page in frames:
            assert 1 < len(page["messages"]) < 9
            assert len(msgspec.json.encode(page)) < 128 * 1024
        first, last = frames
        (rest,) = ann.send({"type": "pull", "chat": CHAT, "after": first["next"]})
        assert rest["messages"][0]["seq"] == first["messages"][-1]["seq"] + 1
        (rest,) = ann.send({"type": "pull", "chat": CHAT, "before": last["previous"]})
        assert rest["messages"][-1]["seq"] == last["messages"][0]["seq"] - 1


class TestErrors:
    """Invalid frames."""

    @pytest.mark.parametrize(
        ("frame", "code"),
        [
            ("", "bad_request"),
            ("{", "bad_request"),
            ("[1, 2]", "bad_request"),
            ('"hello"', "bad_request"),
            ("[" * 100_000, "bad_request"),
            ("{}", "bad_request"),
            ('{"type": "dance"}', "bad_request"),
            ('{"type": 7}', "bad_request"),
            ('{"type": "send", "chat": "ann:bob"}', "bad_request"),
            ('{"type": "send", "chat": 5, "id": "1", "text": "x"}', "bad_request"),
            ('{"type": "ping", "ref": 5}', "bad_request"),
            ('{"type": "hello", "version": "nonsense!"}', "bad_request"),
            ('{"type": "send", "chat": "ann:bob", "id": "1", "text": " "}', "bad_request"),
            ('{"type": "send", "chat": "ann:zoe", "id": "1", "text": "x"}', "user_not_found"),
            ('{"type": "send", "chat": "bob:cyd", "id": "1", "text": "x"}', "not_a_member"),
            ('{"type": "send", "chat": "r-none", "id": "1", "text": "x"}', "chat_not_found"),
            ('{"type": "pull", "chat": "bob:cyd"}', "not_a_member"),
            ('{"type": "pull", "chat": "ann:bob", "after": "1", "before": "2"}', "bad_request"),
            ('{"type": "read", "chat": "ann:bob", "seq": 5}', "bad_request"),
            ('{"type": "received", "chat": "bob:cyd", "seq": 5}', "not_a_member"),
        ],
    )
    def test_invalid_frame_gets_one_error_and_keeps_the_connection(
        self, door: Door, frame: str, code: str
    ) -> None:
        """An invalid frame gets one error frame, and the connection stays open."""
        ann = door.enter("ann")

        (answer,) = ann.send(frame)

        assert types_of([answer]) == ["error"]
        assert answer["code"] == code
        assert types_of(ann.send({"type": "ping"})) == ["pong"]
        assert door.recorder.closed == []

    def test_error_names_the_field_and_repeats_the_ref(self, door: Door) -> None:
        """An error names the invalid field, and repeats the frame's ref."""
        (answer,) = door.enter("ann").send({"type": "send", "chat": CHAT, "id": "1", "ref": "a"})

        assert answer["errors"] == [
            {"field": "text", "detail": "a message needs at least one visible character"}
        ]
        assert answer["ref"] == "a"

    def test_sender_is_not_taken_from_the_frame(self, door: Door) -> None:
        """A message's sender is the connection's user; a frame that names another is refused."""
        ann, bob = door.enter("ann"), door.enter("bob")

        for name in ("sender", "from", "user"):
            (answer,) = ann.send(saying("x", **{name: "cyd"}))
            assert [error["field"] for error in answer["errors"]] == [name]
        ann.send(saying("x"))

        assert [message["sender"] for message in bob.received()] == ["ann"]

    def test_reused_id_with_another_text_is_a_conflict(self, door: Door) -> None:
        """An id that comes again with another text is refused, as by REST."""
        ann = door.enter("ann")
        ann.send(saying("one"))

        (answer,) = ann.send(saying("two", id="one"))

        assert (answer["status"], answer["code"]) == (409, "id_conflict")

    def test_defect_is_answered_and_logged_with_the_same_id(
        self, door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A defect is answered as one, and the answer's id finds the logged error."""

        def fail(*args: object) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(MessageFrames, "ping", fail)
        services.current.cache_clear()
        ann = door.enter("ann")

        (answer,) = ann.send({"type": "ping", "ref": "1"})

        assert (answer["code"], answer["status"], answer["ref"]) == ("internal_error", 500, "1")
        assert f"request-{ann.connection}" in answer["detail"]
        assert "a defect" not in str(answer)
        (logged,) = [record for record in caplog.records if record.exc_info]
        assert logged.levelname == "ERROR"
        assert {"event": "defect", "request_id": f"request-{ann.connection}"} == logged.msg

    def test_store_is_gone(self, door: Door, valkey: Engine) -> None:
        """While the store is down a frame gets an error with its ref, and the connection lives on."""
        ann = door.enter("ann")
        valkey.kill()
        try:
            (answer,) = ann.send({"type": "ping", "ref": "1"})
        finally:
            valkey.start()

        assert (answer["code"], answer["ref"]) == ("store_unavailable", "1")


class TestLimited:
    """A server that takes few frames."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Take twenty frames a minute of a connection."""
        return {"PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=0,frame=20"}

    def test_too_many_frames(self, door: Door) -> None:
        """Frames over the limit of a connection are refused, and others' are not."""
        ann, bob = door.enter("ann"), door.enter("bob")

        answers = [ann.send({"type": "ping", "ref": str(number)})[0] for number in range(40)]

        codes = [answer.get("code") for answer in answers]
        assert codes[0] is None
        assert codes[-1] == "too_many_requests"
        assert answers[-1]["ref"] == "39"
        assert 0 < answers[-1]["retry_after"] <= 60
        assert types_of(bob.send({"type": "ping"})) == ["pong"]

    def test_too_many_broken_frames(self, door: Door) -> None:
        """Invalid JSON over the limit is answered in JSON, too."""
        ann = door.enter("ann")

        codes = [ann.send("broken")[0]["code"] for _ in range(40)]

        assert (codes[0], codes[-1]) == ("bad_request", "too_many_requests")


def test_session_that_ended_unnoticed(door: Door, valkey: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a session that closed no connection is noticed at hello, and at a renewal of the lease."""
    ready, late = door.enter("ann"), door.enter("ann", ready=False)
    monkeypatch.setattr(services.current()._delivery.session_closer, "close_session", lambda *_: None)
    door.rest("ann", "POST", "/v1/logout")
    valkey.nodes[0].hset(keys.connection(ready.connection), "renewed", 0)

    for answers in (late.hello(), ready.send({"type": "ping"})):
        assert [answer.get("code") for answer in answers] == ["connection_ended"]

    assert door.recorder.closed == [late.connection, ready.connection]
