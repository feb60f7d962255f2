"""The rules of groups and rooms, for every actor and every target."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import get_args

import pytest

from chalicelib.errors import ParleyError
from chalicelib.schemas.system_events import EventType
from chalicelib.services.chats import permissions
from chalicelib.services.chats.account_removal import remove_deleted
from chalicelib.services.chats.decisions import Action, Decision, Rule
from chalicelib.services.chats.fields import change_info
from chalicelib.services.chats.invitee_status import InviteeStatus
from chalicelib.services.chats.permissions import Record
from chalicelib.services.chats.rules import inviting, joining, moderation, roles
from chalicelib.services.values import system_events
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Info, Member, Other, Relation, Role

RELATIONS: dict[str, Role | Relation | None] = {
    "nobody": None,
    "invited": Relation.INVITED,
    "requested": Relation.REQUESTED,
    "banned": Relation.BANNED,
    "left": Relation.LEFT,
    "deleted": Relation.DELETED,
    "member": Role.MEMBER,
    "admin": Role.ADMIN,
    "owner": Role.OWNER,
}
"""The columns of the tables below, in this order."""
MANAGERS = ("admin", "owner")
REFUSALS = {
    "u": "user_not_found",
    "b": "banned",
    "f": "forbidden",
    "n": "not_a_member",
    "k": "blocked",
    "x": "bad_request",
    "i": "invitations_full",
}
BECOMES: dict[str, Role | Relation | None] = {
    "M": Role.MEMBER,
    "A": Role.ADMIN,
    "O": Role.OWNER,
    "I": Relation.INVITED,
    "R": Relation.REQUESTED,
    "B": Relation.BANNED,
    "L": Relation.LEFT,
    "V": Relation.REMOVED,
    "D": Relation.DELETED,
    "N": None,
}
UNTIL = 4_000_000_000_000_000


def admin(action: Action) -> Decision | None:
    """Make a user an admin."""
    return roles.change_role(action, "admin")


def member(action: Action) -> Decision | None:
    """Make a user a member again."""
    return roles.change_role(action, "member")


def owner(action: Action) -> Decision | None:
    """Make a user an owner too."""
    return roles.change_role(action, "owner")


def mute(action: Action) -> Decision | None:
    """Mute a user."""
    return moderation.mute(action, UNTIL)


def unmute(action: Action) -> Decision | None:
    """Unmute a user who never was muted."""
    return moderation.mute(action, 0)


# What becomes of the target, by column, when an owner and when an admin does it; a dot: nothing changes.
TABLE: dict[Rule, tuple[str, str]] = {
    inviting.add: ("MMMbIu...", "MMMbIu..."),
    inviting.invite: ("I.IbIu...", "I.IbIu..."),
    inviting.end_invitation: (".N.......", ".N......."),
    inviting.end_join_request: ("..N......", "..N......"),
    moderation.unban: ("...N.....", "...N....."),
    moderation.remove: ("......VVf", "......Vff"),
    moderation.ban: ("BBB.BuBBf", "BBB.BuBff"),
    admin: ("uuuuuuA.f", "fffffffff"),
    member: ("uuuuuu.Mf", "fffffffff"),
    owner: ("uuuuuuOO.", "fffffffff"),
    mute: ("uuuuuuMAf", "uuuuuuMff"),
    unmute: ("uuuuuu..f", "uuuuuu.ff"),
    roles.transfer_ownership: ("uuuuuuOOO", "fffffffff"),
}
# What one does to oneself, by what one is.
TO_ONESELF: dict[Rule, str] = {
    inviting.add: "nnnbnnf..",
    inviting.invite: "nnnbnnf..",
    inviting.end_invitation: ".L.......",
    inviting.end_join_request: "..N......",
    moderation.unban: "nnnbnnf..",
    moderation.remove: "nnnb.nLLL",
    joining.leave: "nnnb.nLLL",
    moderation.ban: "nnnbnnfxx",
    admin: "nnnbnnffx",
    member: "nnnbnnffx",
    owner: "nnnbnnffx",
    mute: "nnnbnnfff",
    unmute: "nnnbnnfff",
    roles.transfer_ownership: "nnnbnnffx",
    remove_deleted: ".NNNN.DDD",
}
JOINING = {"open": "MMMbMM...", "request": "RM.bRR...", "invite": "fM.bff..."}
TOLD: dict[Rule, str] = {
    inviting.add: "added",
    moderation.remove: "removed",
    moderation.ban: "banned",
    admin: "role",
    member: "role",
    owner: "role",
    mute: "muted",
    roles.transfer_ownership: "handed_over",
}


def record(handle: str, relation: str, upto: int = 0) -> Record:
    """Return a user's record in a chat; upto: the last seq that a former member may read."""
    has_relation = RELATIONS[relation]
    if isinstance(has_relation, Role):
        return Member(handle, has_relation, since=0, joined=1, muted_until=0)
    return None if has_relation is None else Other(handle, has_relation, at=1, since=0, upto=upto)


def case_of(actor: str, target: str, join: str = "invite", upto: int = 0) -> Action:
    """Return the case of ann, who acts on bob."""
    records = record("ann", actor, upto), record("bob", target, upto)
    return Action("g-1", Info(name="x", join=join), "ann", "bob", *records)


def own_case(actor: str, join: str = "invite", upto: int = 0) -> Action:
    """Return the case of ann, who acts on herself."""
    return case_of(actor, actor, join, upto)._replace(to="ann", target=record("ann", actor, upto))


def outcome(rule: Rule, action: Action) -> str:
    """Return the outcome of a case, as a letter of the tables."""
    try:
        decision = rule(action)
    except ParleyError as error:
        return next(letter for letter, code in REFUSALS.items() if code == error.code)
    if decision is None:
        return "."
    to = next(become.to for become in decision.member_changes if become.handle == action.to)
    return next(
        letter
        for letter, member_changes in BECOMES.items()
        if (type(member_changes), member_changes) == (type(to), to)
    )


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.__name__)
def test_role_decides_whom_a_member_can_change(rule: Rule) -> None:
    """Owners and admins act on lower roles; members, other users and strangers act on nobody."""
    by_owner, by_admin = TABLE[rule]
    refused = {"banned": "b" * 9, "member": "f" * 9}

    for actor in RELATIONS:
        expected = {"owner": by_owner, "admin": by_admin, **refused}.get(actor, "n" * 9)
        assert "".join(outcome(rule, case_of(actor, target)) for target in RELATIONS) == expected, actor


@pytest.mark.parametrize("rule", TO_ONESELF, ids=lambda rule: rule.__name__)
def test_what_one_does_to_oneself(rule: Rule) -> None:
    """Users can leave, decline and withdraw; nobody can promote, mute or ban themselves."""
    assert "".join(outcome(rule, own_case(actor)) for actor in RELATIONS) == TO_ONESELF[rule]


@pytest.mark.parametrize("join", JOINING)
def test_join_policy_decides_membership_or_request(join: str) -> None:
    """The policy makes a user a member or a requester; invited users always join, banned ones never."""
    assert "".join(outcome(joining.join, own_case(actor, join)) for actor in RELATIONS) == JOINING[join]


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.__name__)
def test_what_the_log_says(rule: Rule) -> None:
    """A change of the members makes a system message with its type and users; other changes make none."""
    for actor, target in itertools.product(MANAGERS, RELATIONS):
        action = case_of(actor, target)
        if outcome(rule, action) in REFUSALS or (decision := rule(action)) is None:
            continue
        is_added = rule is inviting.add and target != "left"
        is_announced = is_added or isinstance(RELATIONS[target], Role)
        assert (decision.event is not None) == is_announced
        if decision.event:
            assert (decision.event["type"], decision.event["users"]) == (TOLD[rule], ["bob"])


def test_joins_and_leaves_are_logged_and_requests_are_not() -> None:
    """Joins and leaves are in the log; requests are not."""

    def event_of(decision: Decision | None) -> str | None:
        assert decision
        return None if decision.event is None else str(decision.event["type"])

    assert event_of(joining.join(own_case("nobody", "open"))) == "joined"
    assert event_of(joining.join(own_case("nobody", "request"))) is None
    assert event_of(joining.leave(own_case("member"))) == "left"
    assert event_of(remove_deleted(own_case("member"))) == "account_deleted"


@pytest.mark.parametrize("rule", [inviting.add, inviting.invite])
def test_nobody_is_brought_where_they_would_not_go(rule: Rule) -> None:
    """A user who has blocked the caller is not added unless they requested it, nor is a missing user."""
    for target in ("nobody", "invited", "requested", "left"):
        action = case_of("owner", target)
        welcome = target == "requested" or rule(action) is None
        blocking = action._replace(invitee=InviteeStatus(blocks=True))
        assert outcome(rule, blocking) == (outcome(rule, action) if welcome else "k")
        missing = action._replace(invitee=InviteeStatus(exists=False))
        assert outcome(rule, missing) == ("." if rule(action) is None else "u")


STRANGER = InviteeStatus(accepts_being_added=False)


@pytest.mark.parametrize(
    ("target", "letter"), [("nobody", "I"), ("invited", "."), ("left", "I"), ("requested", "M")]
)
def test_user_who_wants_to_be_asked_is_invited(target: str, letter: str) -> None:
    """A user who does not let the caller add them is invited, once; a requester is admitted."""
    assert outcome(inviting.add, case_of("owner", target)._replace(invitee=STRANGER)) == letter


def test_former_member_is_invited_and_a_removed_one_added() -> None:
    """A user who left is invited, even when added again; one who was removed is added."""
    left = case_of("owner", "left", upto=5)
    assert outcome(inviting.add, left) == "I"
    assert outcome(inviting.add, case_of("owner", "invited", upto=5)) == "."
    removed = left._replace(target=Other("bob", Relation.REMOVED, at=1, since=0, upto=5))
    assert outcome(inviting.add, removed) == "M"
    assert outcome(inviting.add, removed._replace(invitee=STRANGER)) == "I"


def refused_case(relation: Relation, actor: str = "owner") -> Action:
    """Return the case of bob, who has refused an invitation before."""
    record = Other("bob", relation, at=1, since=0, upto=0, refused=True)
    return case_of(actor, "nobody")._replace(target=record)


def test_a_refused_invitation_is_not_repeated() -> None:
    """A user who refused is neither invited nor added, also after a lifted ban; they may request to join."""
    for rule in (inviting.add, inviting.invite):
        assert outcome(rule, refused_case(Relation.LEFT)) == "f"
    assert outcome(moderation.unban, refused_case(Relation.BANNED)) == "L"
    assert outcome(inviting.end_join_request, refused_case(Relation.REQUESTED)) == "L"
    assert outcome(inviting.add, refused_case(Relation.REQUESTED)) == "M"
    for policy, letter in (("invite", "R"), ("request", "R"), ("open", "M")):
        own = refused_case(Relation.LEFT)._replace(by="bob", info=Info(name="x", join=policy))
        assert outcome(joining.join, own._replace(actor=own.target)) == letter


def test_only_the_invited_can_refuse_an_invitation() -> None:
    """A refusal is recorded; a withdrawn invitation is not."""
    declined = inviting.end_invitation(own_case("invited"))
    withdrawn = inviting.end_invitation(case_of("owner", "invited"))

    assert declined is not None
    assert declined.member_changes[0] == MemberChange("ann", Relation.LEFT, refused=True)
    assert withdrawn is not None
    assert withdrawn.member_changes[0] == MemberChange("bob", None)


def test_no_more_invitations_than_may_wait() -> None:
    """A user with the maximum number of pending invitations gets no more, and may still be added."""
    full = InviteeStatus(can_be_invited=False)
    assert outcome(inviting.invite, case_of("owner", "nobody")._replace(invitee=full)) == "i"
    assert (
        outcome(
            inviting.add,
            case_of("owner", "nobody")._replace(invitee=full._replace(accepts_being_added=False)),
        )
        == "i"
    )
    assert outcome(inviting.add, case_of("owner", "nobody")._replace(invitee=full)) == "M"


def test_no_more_invitations_of_one_inviter_than_may_wait() -> None:
    """A sender with the maximum of pending invitations to a user sends no more; invitations have a sender."""
    action, many = case_of("owner", "nobody"), InviteeStatus(can_be_invited_by_actor=False)
    assert outcome(inviting.invite, action._replace(invitee=many)) == "i"
    assert outcome(inviting.add, action._replace(invitee=many._replace(accepts_being_added=False))) == "i"
    assert outcome(inviting.add, action._replace(invitee=many)) == "M"
    decision = inviting.invite(action)
    assert decision is not None
    assert decision.member_changes == (MemberChange("bob", Relation.INVITED, inviter="ann"),)


@pytest.mark.parametrize("rule", [inviting.end_invitation, inviting.end_join_request, moderation.unban])
def test_a_former_member_stays_one(rule: Rule) -> None:
    """A user whose invitation, request or ban ends is a former member again, if they were one."""
    (target,) = (name for name in RELATIONS if outcome(rule, case_of("owner", name)) == "N")

    assert outcome(rule, case_of("owner", target, upto=5)) == "L"


def test_a_departed_former_member_is_remembered() -> None:
    """The chat marks a former member whose account was deleted as deleted."""
    outcomes = [outcome(remove_deleted, own_case(actor, upto=5)) for actor in RELATIONS]

    assert "".join(outcomes) == ".DDDD.DDD"


def test_the_heir_of_a_departed_owner() -> None:
    """The successor of a departed owner becomes an owner; a user who is not a member cannot."""
    decision = remove_deleted(case_of("owner", "member"))

    assert decision
    assert set(decision.member_changes) == {
        MemberChange("ann", Relation.DELETED),
        MemberChange("bob", Role.OWNER),
    }
    with pytest.raises(ParleyError):
        remove_deleted(case_of("owner", "left"))


def test_handing_over_makes_the_giver_an_admin() -> None:
    """The old owner is an admin, and the new one is no longer muted."""
    decision = roles.transfer_ownership(case_of("owner", "member"))

    assert decision
    assert set(decision.member_changes) == {MemberChange("bob", Role.OWNER), MemberChange("ann", Role.ADMIN)}


@pytest.mark.parametrize(("rule", "muted"), [(admin, UNTIL), (owner, 0)])
def test_a_mute_outlasts_a_role(rule: Rule, muted: int) -> None:
    """A new admin stays muted; a new owner, whom nobody could unmute, does not."""
    action = case_of("owner", "member")
    assert isinstance(action.target, Member)

    decision = rule(action._replace(target=action.target._replace(muted_until=UNTIL)))

    assert decision
    assert decision.member_changes[0].muted_until == muted


def test_the_same_mute_again_is_no_change() -> None:
    """A mute until the same time changes nothing; another time, or none, does."""
    action = case_of("admin", "member")
    assert isinstance(action.target, Member)
    muted = action._replace(target=action.target._replace(muted_until=UNTIL))

    assert moderation.mute(muted, UNTIL) is None
    for until in (UNTIL + 1, 0):
        decision = moderation.mute(muted, until)
        assert decision
        assert decision.member_changes == (MemberChange("bob", Role.MEMBER, until),)


def test_changing_what_a_chat_is() -> None:
    """Admins and owners change the info; only changed fields are announced."""
    fields: dict[str, str | bool] = {"name": "y", "notice": "", "history": True}

    for actor in RELATIONS:
        action = own_case(actor)
        if actor in MANAGERS:
            decision = change_info(action, fields)
            assert decision
            assert decision.info == {"name": "y", "history": True}
            assert decision.event == {"type": "changed", "users": [], "name": "y", "history": True}
            assert change_info(action, {"name": "x"}) is None
        else:
            with pytest.raises(ParleyError):
                change_info(action, fields)


@pytest.mark.parametrize("join", ["invite", "request"])
def test_a_room_stays_open(join: str) -> None:
    """Nobody can close a room."""
    action = own_case("owner", "open")._replace(chat="r-lobby")

    with pytest.raises(ParleyError, match="join"):
        change_info(action, {"join": join})
    assert change_info(action, {"join": "open"}) is None


def test_members_and_room_visitors_see_the_members() -> None:
    """Members see the members; in a room everybody does except banned users."""

    def sees(relation: str, is_room: bool) -> bool:
        try:
            permissions.check_sees_members("r-1", record("ann", relation), is_room=is_room)
        except ParleyError:
            return False
        return True

    assert [one for one in RELATIONS if sees(one, False)] == ["member", "admin", "owner"]
    assert [one for one in RELATIONS if not sees(one, True)] == ["banned"]


@pytest.mark.parametrize("kind", get_args(EventType))
def test_every_event_reads_as_a_sentence(kind: EventType) -> None:
    """Every event has a sentence that names its actor, and a form in frames."""
    details: dict[str, str | bool | int] = {"role": "admin", "until": UNTIL, "name": "y", "history": False}

    stored = system_events.event(kind, ["bob", "cid", "dan"], **details)

    text = system_events.sentence("ann", stored)
    assert text.startswith("ann ")
    assert text.endswith(".")
    assert "{" not in text
    assert system_events.shown(stored).users == ["bob", "cid", "dan"]
    assert system_events.shown(stored).until == "2096-10-02T07:06:40.000000Z"
    assert system_events.sentence("ann", system_events.event(kind))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: system_events.event("added", ["bob"]), "ann added bob."),
        (lambda: system_events.event("role", ["bob"], role="admin"), "ann made bob an admin."),
        (lambda: system_events.event("changed", (), name="y"), "ann changed the name."),
        (
            lambda: system_events.event("changed", (), name="y", join="open"),
            "ann changed the name and who may join.",
        ),
        (lambda: system_events.event("account_deleted"), "ann deleted their account."),
        (
            lambda: system_events.event("account_deleted", ["bob"], role="owner"),
            "ann deleted their account. bob is an owner now.",
        ),
    ],
)
def test_event_texts_are_plain_english(make: Callable[[], system_events.Stored], text: str) -> None:
    """Each system event has a plain English sentence."""
    assert system_events.sentence("ann", make()) == text


def test_an_event_names_no_more_than_some() -> None:
    """An event of many users names the first of them."""
    assert (
        len(system_events.event("created", [str(number) for number in range(500)])["users"])
        == system_events.MAX_NAMED
    )
