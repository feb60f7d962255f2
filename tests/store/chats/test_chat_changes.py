"""Changes of groups and rooms, under the rules that only the store can enforce."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from chalicelib.errors import ChatFull, LastOwner
from chalicelib.store import keys
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Member, Other, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store
from tests.store.account_records import clock, fields_of
from tests.store.chat_calls import (
    GROUP,
    NEWS,
    TEAM,
    Groups,
    bodies,
    keys_of,
    pending,
    reader,
    uncounted,
    write_reader,
)
from tests.store.log_records import RawClient, elements_of, header


@pytest.fixture
def groups(store: Store) -> Groups:
    """Groups that are large above 100 members."""
    return Groups(store)


@pytest.fixture
def log(store: Store) -> MessageLog:
    """The log to which members write."""
    return MessageLog()


# --- people -------------------------------------------------------------------------------------------------


def test_members_history_starts_with_their_join_message(
    store: Store, groups: Groups, log: MessageLog
) -> None:
    """A new member's history starts with the system message of their join."""
    groups.make()
    store.run(log.append(GROUP, Content("ann", "before")))

    joined = groups.change({"bob": Role.MEMBER})

    assert joined.seq == 3
    assert groups.member("bob") == Member("bob", Role.MEMBER, 2, joined.time, 0)
    assert sorted(joined.members or ()) == ["ann", "bob"]
    assert joined.entries == [InboxEntry("bob", joined.time, InboxState.IN, joined.time)]


@pytest.mark.parametrize("how", [Relation.LEFT, Relation.BANNED, Relation.DELETED])
def test_left_member_reads_up_to_their_leave_message(
    store: Store, groups: Groups, log: MessageLog, how: Relation
) -> None:
    """A member who left can read from their join to the system message of their leave."""
    groups.make()
    groups.change({"bob": Role.MEMBER})
    store.run(log.append(GROUP, Content("bob", "hello")))

    left = groups.change({"bob": how})
    store.run(log.append(GROUP, Content("ann", "after")))

    assert groups.other("bob") == Other("bob", how, left.time, 1, 4)
    assert left.members == ["ann"]
    assert left.entries == [InboxEntry("bob", left.time, InboxState.OUT, left.time)]


def test_returning_member_reads_from_their_return(store: Store, groups: Groups, log: MessageLog) -> None:
    """A returning member reads from their return; an invitation removes nothing that they could read."""
    groups.make("bob")
    groups.change({"bob": Relation.LEFT})
    store.run(log.append(GROUP, Content("ann", "alone")))

    invited = groups.change({"bob": Relation.INVITED}, body=None)
    assert groups.other("bob") == Other("bob", Relation.INVITED, invited.time, 0, 2)
    back = groups.change({"bob": Role.MEMBER})

    assert groups.member("bob") == Member("bob", Role.MEMBER, 3, back.time, 0)
    assert fields_of_others(groups) == {relation: [] for relation in Relation}


def test_role_or_mute_leaves_the_history_unchanged(groups: Groups) -> None:
    """Another role, or a mute, leaves a member's history unchanged."""
    made = groups.make("bob")
    groups.change({"bob": Role.ADMIN})
    view = groups.view("bob")

    groups.store.run(
        groups.chats.change(GROUP, view, [MemberChange("bob", Role.ADMIN, made.time + 1)], body=NEWS)
    )

    assert groups.member("bob") == Member("bob", Role.ADMIN, 0, made.time, made.time + 1)


def test_ended_invitation_leaves_no_record(groups: Groups, raw: RawClient) -> None:
    """A user whose invitation ends is a stranger again, and the chat leaves their inbox."""
    groups.make()
    groups.change({"bob": Relation.INVITED}, body=None)

    gone = groups.change({"bob": None}, body=None)

    assert groups.record("bob") is None
    assert fields_of(raw, keys.others(GROUP)) == {}
    (entry,) = gone.entries
    assert entry.state == InboxState.OUT
    assert pending(raw)[f"pbob\0{GROUP}"] == entry.stamp


def test_change_without_message_touches_no_log_or_inbox(groups: Groups, raw: RawClient) -> None:
    """A change without a message changes neither the log nor the changelog, and makes no inbox pending."""
    made = groups.make()
    raw.delete(keys.outbox(GROUP))

    invited = groups.change({"bob": Relation.INVITED}, body=None)

    assert (invited.seq, len(elements_of(raw, GROUP))) == (1, 2)
    assert groups.changes(made.time) == []
    assert pending(raw) == {f"pbob\0{GROUP}": invited.entries[0].stamp}
    assert invited.entries[0].stamp == invited.entries[0].active == invited.time > made.time


def test_info_changes_by_field_without_new_inbox_entries(groups: Groups, raw: RawClient) -> None:
    """Info changes by field; search and members' inboxes become pending, and no inbox entry changes."""
    made = groups.make("bob")
    raw.delete(keys.outbox(GROUP))

    changed = groups.change(info={"name": "Crew", "avatar": "", "history": True})

    expected = msgspec.structs.replace(TEAM, name="Crew", avatar="", history=True, made=made.time, members=2)
    assert groups.view().info == expected
    assert changed.entries == []
    assert pending(raw) == {f"m{GROUP}": changed.time, f"i{GROUP}": changed.time}
    assert groups.changes(made.time) == [("info", changed.time)]
    assert fields_of(raw, keys.chat(GROUP))["info_time"] == str(changed.time).encode()


# --- guards -------------------------------------------------------------------------------------------------


def test_last_owner_stays_until_another_is_appointed(groups: Groups, raw: RawClient) -> None:
    """The last owner can't leave or be demoted unless another is appointed in the same step."""
    groups.make("bob")
    before = {key: raw.dump(key) for key in keys_of()}
    for to in (Relation.LEFT, Relation.BANNED, Relation.DELETED, Role.ADMIN, None):
        with pytest.raises(LastOwner):
            groups.change({"ann": to, "bob": Role.ADMIN})
    assert {key: raw.dump(key) for key in keys_of()} == before

    groups.change({"ann": Role.ADMIN, "bob": Role.OWNER})
    groups.change({"ann": Relation.LEFT})
    with pytest.raises(LastOwner):
        groups.change({"bob": Relation.LEFT})


def test_full_chat_takes_a_member_only_as_another_leaves(store: Store, raw: RawClient) -> None:
    """A full chat takes a new member only as another leaves; all members may leave."""
    groups = Groups(store, most=2)
    groups.make("bob")
    before = {key: raw.dump(key) for key in keys_of()}
    with pytest.raises(ChatFull):
        groups.change({"cid": Role.MEMBER})
    assert {key: raw.dump(key) for key in keys_of()} == before

    groups.change({"cid": Role.MEMBER, "bob": Relation.LEFT})
    Groups(store, most=1).change({"cid": Role.ADMIN})
    Groups(store, most=1).change({"cid": Relation.LEFT})

    assert groups.view().info == msgspec.structs.replace(TEAM, made=groups.member("ann").joined, members=1)


# --- compare and set ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", [Role.ADMIN, Relation.LEFT, Relation.BANNED])
@pytest.mark.parametrize("seen", ["bob", "cid"])
def test_somebody_has_moved(groups: Groups, raw: RawClient, seen: str, to: Role | Relation) -> None:
    """A change is refused if any user record that it was decided on has changed."""
    groups.make("bob", "cid")
    view = groups.view("bob", "cid")
    groups.change({seen: to})
    before = {key: raw.dump(key) for key in keys_of()}

    assert (
        groups.store.run(groups.chats.change(GROUP, view, [MemberChange("bob", Role.ADMIN)], body=NEWS))
        is None
    )

    assert {key: raw.dump(key) for key in keys_of()} == before


@pytest.mark.parametrize("info", [{"join": "open"}, {"history": True}, {"name": "Crew"}])
def test_rules_have_moved(groups: Groups, info: dict[str, str | bool]) -> None:
    """A change is refused if the rules of joining or history have changed; the name does not matter."""
    groups.make("bob")
    view = groups.view("bob")
    groups.change(info=info)

    made = groups.store.run(groups.chats.change(GROUP, view, [MemberChange("bob", Role.ADMIN)], body=NEWS))

    assert (made is None) == ("name" not in info)


def test_chat_is_gone(groups: Groups) -> None:
    """A change of a deleted chat is refused."""
    groups.make("bob")
    view = groups.view("bob")
    groups.delete()

    assert (
        groups.store.run(groups.chats.change(GROUP, view, [MemberChange("bob", Role.ADMIN)], body=NEWS))
        is None
    )
    assert groups.view().info is None


def test_change_of_an_unviewed_user_is_a_defect(groups: Groups) -> None:
    """A change of a user whom the caller has not viewed is a defect, and is not sent."""
    groups.make()

    with pytest.raises(ValueError, match="not in the snapshot: bob"):
        groups.store.run(
            groups.chats.change(GROUP, groups.view("ann"), [MemberChange("bob", Role.ADMIN)], body=NEWS)
        )


# --- the log ------------------------------------------------------------------------------------------------


def test_message_times_rise_although_the_clock_falls(
    store: Store, groups: Groups, log: MessageLog, raw: RawClient
) -> None:
    """Times of messages rise even when the store's clock falls behind."""
    groups.make()
    ahead = clock(raw) + 10**9
    raw.lset(keys.log(GROUP), 1, b"\1" + ahead.to_bytes(8) + NEWS)  # type: ignore[arg-type]

    times = [
        ahead,
        groups.change({"bob": Role.MEMBER}).time,
        store.run(log.append(GROUP, Content("bob", "hi"))).time,
    ]
    times += [groups.change({"bob": Role.ADMIN}).time]

    assert times == [ahead, ahead + 1, ahead + 2, ahead + 3]
    assert [int.from_bytes(element[1:9]) for element in elements_of(raw, GROUP)[1:]] == times
    assert groups.changes(ahead + 1) == [("m:bob", ahead + 3)]


def test_system_messages_are_trimmed(store: Store, raw: RawClient) -> None:
    """The messages of changes are trimmed like any other, together with their not-unread entries."""
    groups = Groups(store, keep=2)
    made = groups.make()

    for number in range(4):
        groups.change({f"user-{number}": Role.MEMBER})

    assert elements_of(raw, GROUP)[0] == header(3, made.time)
    assert bodies(raw) == [msgspec.msgpack.decode(NEWS)] * 2
    assert uncounted(raw) == [4, 5]
    assert groups.member("user-3").since == 4


# --- stamps and places --------------------------------------------------------------------------------------


def test_each_change_raises_only_the_concerned_stamps(groups: Groups, raw: RawClient) -> None:
    """A change raises the stamps of the users concerned and no others, even when the clock falls behind."""
    groups.make("bob", "cid")
    ahead = clock(raw) + 10**9
    write_reader(raw, "bob", 5, 6, 0, ahead, 7)
    other = reader(raw, "cid")

    first = groups.change({"bob": Role.ADMIN})
    second = groups.change({"bob": Role.MEMBER})

    assert [change.entries[0].stamp for change in (first, second)] == [ahead + 1, ahead + 2]
    assert reader(raw, "bob") == (5, 6, 0, ahead + 2, 7)
    assert reader(raw, "cid") == other
    assert groups.inbox_entry("bob") == second.entries[0]
    assert pending(raw)[f"pbob\0{GROUP}"] == ahead + 2


@pytest.mark.parametrize("to", [Relation.LEFT, Relation.BANNED, Relation.DELETED, None])
def test_flags_go_with_the_member(groups: Groups, raw: RawClient, to: Relation | None) -> None:
    """A member who leaves loses their flags, and keeps their read marks."""
    groups.make("bob")
    write_reader(raw, "bob", 5, 6, 0, 0, 15)

    left = groups.change({"bob": to})

    assert reader(raw, "bob") == (5, 6, 0, left.entries[0].stamp, 0)


def test_chat_that_becomes_large_changes_every_inbox_entry(store: Store, raw: RawClient) -> None:
    """A chat that outgrows the limit stays large, and every inbox entry changes."""
    groups = Groups(store, large=3)
    groups.make("bob", "cid")
    stamps = {handle: reader(raw, handle)[3] for handle in ("ann", "bob", "cid")}
    assert f"m{GROUP}" in pending(raw)

    large = groups.change({"dan": Role.MEMBER, "eve": Relation.INVITED})

    assert large.members is None
    assert {entry.handle: entry.state for entry in large.entries} == {
        **dict.fromkeys(("ann", "bob", "cid", "dan"), InboxState.LARGE),
        "eve": InboxState.INVITED,
    }
    assert all(reader(raw, handle)[3] > stamp for handle, stamp in stamps.items())
    assert pending(raw)[f"m{GROUP}"] == large.time
    places = {f"p{handle}\0{GROUP}" for handle in map(first, large.entries)}
    assert pending(raw).keys() == {f"i{GROUP}", f"m{GROUP}", *places}
    assert [groups.inbox_entry(entry.handle) for entry in large.entries] == large.entries

    smaller = groups.change({"cid": Relation.LEFT, "dan": Relation.LEFT})
    assert smaller.members is None
    assert [entry.handle for entry in smaller.entries] == ["cid", "dan"]
    assert groups.inbox_entry("ann").state == InboxState.LARGE
    assert pending(raw)[f"m{GROUP}"] == smaller.time


# --- dropped records --------------------------------------------------------------------------------------


@pytest.fixture
def forgetful(store: Store, monkeypatch: pytest.MonkeyPatch) -> Groups:
    """Groups that keep the records of at most three users who are not members."""
    monkeypatch.setattr("chalicelib.store.chats.chats.MAX_OTHERS", 3)
    return Groups(store)


def test_former_members_are_forgotten(forgetful: Groups, raw: RawClient) -> None:
    """The oldest records of former members are dropped, and a request for their changes gets a reset."""
    groups, people = forgetful, [f"user-{number}" for number in range(6)]
    groups.make(*people)
    left = [groups.change({handle: Relation.LEFT}).time for handle in people]

    kept = {handle for handle in people if groups.record(handle)}
    assert len(kept) == 3
    assert people[-1] in kept
    newest_lost = max(time for handle, time in zip(people, left, strict=True) if handle not in kept)
    assert set(fields_of(raw, keys.read_states(GROUP))) == {"ann", *kept}
    assert groups.changes(newest_lost - 1) is None
    assert groups.changes(newest_lost) == [
        (f"m:{handle}", time)
        for handle, time in zip(people, left, strict=True)
        if handle in kept and time > newest_lost
    ]


def test_full_lists_refuse_new_requests_and_invitations(forgetful: Groups) -> None:
    """Bans, invitations and requests are kept; no more can be added at the maximum."""
    groups = forgetful
    groups.make("bob")
    groups.change({"cid": Relation.BANNED, "dan": Relation.INVITED, "eve": Relation.REQUESTED}, body=None)

    for to in (Relation.INVITED, Relation.REQUESTED):
        with pytest.raises(ChatFull, match="maximum number of invited"):
            groups.change({"fay": to}, body=None)
    groups.change({"bob": Relation.LEFT})
    groups.change({"gus": Relation.BANNED}, body=None)

    assert all(groups.record(handle) for handle in ("cid", "dan", "eve", "gus"))
    assert groups.record("fay") is None


def test_a_change_forgets_nobody_it_concerns(forgetful: Groups) -> None:
    """A change does not drop the records of the users whom it concerns."""
    groups = forgetful
    groups.make("bob", "cid", "dan", "eve")
    groups.change({"bob": Relation.LEFT, "cid": Relation.LEFT, "dan": Relation.LEFT})

    groups.change({"bob": Relation.INVITED, "cid": Relation.BANNED, "fay": Relation.INVITED}, body=None)

    assert [groups.other(handle).relation for handle in ("bob", "cid", "fay")] == [
        Relation.INVITED,
        Relation.BANNED,
        Relation.INVITED,
    ]
    assert groups.record("dan") is None


def test_changes_are_in_order(groups: Groups) -> None:
    """Changes are listed in the order of their system messages."""
    groups.make()
    for number in range(30):
        groups.change({f"user-{number % 7}": Role.MEMBER if number % 2 else Relation.LEFT})

    times = [time for _, time in groups.changes()]

    assert all(earlier <= later for earlier, later in pairwise(times))
    assert len(times) == 9


def first(entry: InboxEntry) -> str:
    """Return the handle of an inbox entry."""
    return entry.handle


def fields_of_others(groups: Groups) -> dict[Relation, list[Other]]:
    """Return the stored records of users who are not members, by relation."""
    return {relation: groups.store.run(groups.chats.others(GROUP, relation)) for relation in Relation}
