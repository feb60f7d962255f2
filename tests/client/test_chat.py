"""The terminal chat, in terminals."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest
from msgspec.structs import replace

from chalicelib import texts
from chalicelib.services.values.names import Names
from parley_client import AsyncClient, Disconnected, Message, Presence, Typing, login
from parley_client.chat.lines import clean, line_of, title, unstyled
from parley_client.chat.status import Status
from parley_client.names import direct_chat, folded
from tests.client.terminal import CTRL_C, CTRL_D, ENTER, Terminal
from tests.client.test_real_server import PASSWORD, name
from tests.servers.commands import make
from tests.servers.process import ROOT, environment
from tests.servers.waiting import eventually


def after(other: Terminal, text: str, *arguments: str) -> Terminal:
    """Start a chat once another one shows a text."""
    other.shows(text)
    return Terminal(*arguments)


def say(url: str, user: str, chat: str, text: str) -> None:
    """Send a message as a user without a terminal."""

    async def send() -> None:
        async with AsyncClient(url, user=user) as client:
            await client.send(chat, text)

    asyncio.run(send())


def unread(url: str, user: str, chat: str) -> int:
    """Return how many messages of a chat the server counts as unread."""
    answer = httpx.get(f"{url}/v1/chats/{chat}", headers={"X-Parley-User": user}, timeout=60)
    return int(answer.json()["unread"])


def test_two_terminals_exchange_messages_and_exit_cleanly(open_server: str) -> None:
    """Two terminals exchange messages; incoming lines leave a half-typed line intact; both exit cleanly."""
    alice, bob = name(), name()
    with (
        Terminal("--user", bob, "--url", open_server) as his,
        after(his, "You have no chats yet.", "--user", alice, "--to", bob, "--url", open_server) as hers,
    ):
        hers.shows(f"You are {alice}.")
        hers.status_shows("is online")
        hers.type("hello Bob" + ENTER)
        hers.shows("you: hello Bob")
        his.shows(f"{alice} wrote to you. Your messages now go to this chat.")
        his.shows(f"{alice}: hello Bob")
        his.type("half a ")
        hers.status_shows("is typing")
        hers.type("are you there?" + ENTER)
        his.shows(f"{alice}: are you there?")
        his.type("message" + ENTER)
        hers.shows(f"{bob}: half a message")
        hers.type(CTRL_D)
        assert hers.ends() == 0
        his.type(CTRL_C)
        assert his.ends() == 0


def test_unread_history_at_the_start(open_server: str) -> None:
    """The chat begins with earlier messages, and a line before the unread ones; escapes do no harm."""
    alice, bob = name(), name()
    chat = ":".join(sorted([alice, bob]))
    say(open_server, bob, chat, "first")
    say(open_server, bob, chat, "clear\x1b[2Jed")
    with Terminal("--user", alice, "--to", bob, "--url", open_server) as hers:
        hers.shows("--- 2 unread ---")
        hers.shows(f"{bob}: first")
        hers.shows(f"{bob}: clear\ufffd[2Jed")
        hers.type("/quit" + ENTER)
        assert hers.ends() == 0
    assert eventually(lambda: unread(open_server, alice, chat) == 0)
    with Terminal("--user", alice, "--to", bob, "--url", open_server) as again:
        assert "unread" not in again.shows(f"{bob}: first")


def test_room_is_created_and_shows_its_participants(open_server: str) -> None:
    """The chat creates a missing room, lists its participants, and shows each one who joins."""
    alice, bob, room = name(), name(), name()
    with Terminal("--user", alice, "--room", room, "--url", open_server) as hers:
        hers.shows(f"Created room {room}.")
        hers.shows(f"In {room} now: {alice}")
        with Terminal("--user", bob, "--room", room, "--url", open_server) as his:
            his.shows("In ")
            hers.shows("joined")
            his.type("hello all" + ENTER)
            hers.shows(f"{bob}: hello all")
            hers.type("/who" + ENTER)
            hers.shows(bob)


def test_chats_are_listed_as_they_are_now(open_server: str) -> None:
    """The list has chats that began while the terminal was open, and shows which are read."""
    alice, bob = name(), name()
    with Terminal("--user", alice, "--url", open_server) as hers:
        hers.shows("You have no chats yet.")
        say(open_server, bob, ":".join(sorted([alice, bob])), "hello")
        hers.shows(f"{bob}: hello")
        hers.type("hi" + ENTER)
        hers.shows("you: hi")
        hers.type("/chats" + ENTER)
        assert hers.shows("you: hi").rpartition("  ")[0].endswith(f"  {bob}")


def test_first_join_shows_one_line(open_server: str) -> None:
    """A user's first join of a room makes them a member and a participant; one line says so."""
    alice, bob, room = name(), name(), name()
    with Terminal("--user", alice, "--room", room, "--url", open_server) as hers:
        hers.shows(f"In {room} now: {alice}")
        with Terminal("--user", bob, "--room", room, "--url", open_server) as his:
            his.shows(f"In {room} now: ")
            his.type("hello" + ENTER)
            shown = hers.shows(f"{bob}: hello")
            hers.type("/who" + ENTER)
            shown += hers.shows(f"In {room} now: ")
        assert shown.count("joined") == 1
        hers.shows("user left the chat")
        with Terminal("--user", bob, "--room", room, "--url", open_server):
            hers.shows("a new user has joined the room")


@pytest.mark.parametrize("there", [False, True])
def test_room_joined_during_a_chat_shows_messages_once(open_server: str, there: bool) -> None:
    """A room that is joined or created during a chat shows its messages once."""
    alice, bob, room = name(), name(), name()
    with Terminal("--user", bob, "--to", bob, "--url", open_server) as his:
        if there:
            with Terminal("--user", alice, "--room", room, "--url", open_server) as hers:
                hers.shows(f"In {room} now: ")
        his.status_shows("online")
        his.type(f"/room {room}" + ENTER)
        shown = his.shows(f"In {room} now: ")
        his.type("hello" + ENTER)
        shown += his.shows("you: hello")
    assert shown.count("joined" if there else "made this chat") == 1


def test_commands_about_messages(open_server: str) -> None:
    """Messages are named by their numbers; both terminals show what is edited, deleted and found."""
    alice, bob = name(), name()
    with (
        Terminal("--user", bob, "--to", alice, "--url", open_server) as his,
        Terminal("--user", alice, "--to", bob, "--url", open_server) as hers,
    ):
        his.status_shows("is online")
        hers.status_shows("is online")
        hers.type("tea at for" + ENTER)
        his.shows(f"{alice}: tea at for")
        hers.shows("#1")
        hers.type("/edit 1 tea at four" + ENTER)
        for terminal, sender in ((hers, "you"), (his, alice)):
            terminal.shows(f"{sender}: tea at four \x1b[2m(edited)")
        his.type("/reply 1 yes" + ENTER)
        hers.shows(f"{bob}: yes \x1b[2m↩ #1 {alice}: tea at four")
        his.type("/react 1 👍" + ENTER)
        his.shows("👍 1 (you) \x1b[2mon “tea at four”")
        hers.shows("👍 1 \x1b[2mon “tea at four”")
        his.type("/pin 2" + ENTER)
        hers.shows(f"{bob}: yes \x1b[2m(pinned)")
        hers.type("/pins" + ENTER)
        hers.shows(f"{bob}: yes \x1b[2m(pinned)")
        hers.type("/thread 2" + ENTER)
        hers.shows("(1 reply)")
        his.type("/edit 1 no" + ENTER)
        his.shows("! You can edit only your own messages.")
        his.type("/edit one no" + ENTER)
        his.shows("! Name a message by the number before it: /edit 12 the new text")
        his.type("/search FOUR" + ENTER)
        his.shows("tea at \x1b[1mfour")
        hers.type("/delete 1" + ENTER)
        for terminal, sender in ((hers, "you"), (his, alice)):
            terminal.shows(f"{sender}: \x1b[2m(deleted by {alice})")
        hers.type("/schedule 1h see you" + ENTER)
        hers.shows("see you")
        hers.type("/scheduled" + ENTER)
        hers.shows(f"[{bob}] see you")
        hers.type("/cancel 1" + ENTER)
        hers.shows("Not sent later any more: see you")
        hers.type("/unread" + ENTER)
        hers.shows("0 unread messages in 0 chats.")


def test_removal_from_a_room_is_said_at_once(open_server: str) -> None:
    """A user who is removed from a room sees it without a restart."""
    alice, bob, room = name(), name(), name()
    with Terminal("--user", alice, "--room", room, "--url", open_server) as hers:
        hers.shows(f"In {room} now: {alice}")
        with Terminal("--user", bob, "--room", room, "--url", open_server) as his:
            his.shows(f"In {room} now: ")
            httpx.delete(
                f"{open_server}/v1/chats/r-{room}/members/{bob}", headers={"X-Parley-User": alice}, timeout=60
            ).raise_for_status()
            his.shows(f"* You are no longer a member of {room}.")


def test_text_for_nobody_is_given_back(open_server: str) -> None:
    """A line typed before there is a recipient is shown again, and not treated as sent."""
    with Terminal("--user", name(), "--url", open_server) as hers:
        hers.type("hello there" + ENTER)
        hers.shows("! Not sent: hello there")
        hers.shows("Choose a chat first")


@pytest.mark.long
def test_chat_without_sockets(socketless_server: str) -> None:
    """Without WebSockets the chat says so at once, and continues by plain requests."""
    alice, bob, room = name(), name(), name()
    with (
        Terminal("--user", bob, "--to", alice, "--url", socketless_server) as his,
        after(his, "* No connection: ", "--user", alice, "--url", socketless_server) as hers,
    ):
        hers.shows("* No connection: ")
        hers.shows("You have no chats yet.")
        his.type("hello" + ENTER)
        his.shows("you: hello")
        hers.shows(f"{bob} wrote to you. Your messages now go to this chat.")
        hers.shows(f"{bob}: hello")
        hers.type("hello yourself" + ENTER)
        his.shows(f"{alice}: hello yourself")
        hers.type(f"/room {room}" + ENTER)
        hers.shows(f"Created room {room}.")
        hers.type("/who" + ENTER)
        hers.shows("! This command needs a WebSocket, and none is open now.")
        his.type(f"/room {room}" + ENTER)
        his.shows(f"{bob} joined.")
        his.type("all here?" + ENTER)
        hers.shows(f"{bob}: all here?")
        hers.type(CTRL_D)
        assert hers.ends() == 0


@pytest.mark.long
def test_account_on_a_closed_server(closed_server: str) -> None:
    """A password is asked for without echo; a user without an account may make one."""
    user = name()
    with Terminal("--user", user, "--url", closed_server) as terminal:
        terminal.shows(f"Password of {user}")
        terminal.type(PASSWORD + ENTER)
        assert PASSWORD not in terminal.shows("Create an account")
        terminal.type("y" + ENTER)
        terminal.shows("Repeat the password")
        terminal.type(PASSWORD + ENTER)
        terminal.shows(f"You are {user}.")
        terminal.type(CTRL_D)
        assert terminal.ends() == 0
    with Terminal("--user", user, "--url", closed_server, PARLEY_PASSWORD=PASSWORD) as terminal:
        terminal.shows(f"You are {user}.")
    assert asyncio.run(login(closed_server, user, PASSWORD)).handle == user


def piped(lines: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a chat to its end with lines from a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "parley_client.chat", *arguments],
        cwd=ROOT,
        env=environment({"PYTHONPATH": os.pathsep.join(["clients/python", *sys.path])}),
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("to", [[], ["--to", "no:name"]])
def test_pipe_that_is_not_sent_fails(open_server: str, to: list[str]) -> None:
    """A line that was not sent is shown again, and the exit status says so."""
    done = piped("one\n", "--user", name(), "--url", open_server, *to)
    assert (done.returncode, done.stderr) == (1, "")
    assert "! Not sent: one" in done.stdout


def test_pipe_with_a_refused_line_fails(open_server: str) -> None:
    """A refused message is not treated as sent."""
    done = piped("x" * 20_000 + "\n", "--user", name(), "--room", name(), "--url", open_server)
    assert (done.returncode, done.stderr) == (1, "")
    assert "! Not sent: " in done.stdout


def test_pipe_sends_its_lines(open_server: str) -> None:
    """Without a terminal the lines of the standard input are sent, all before the chat ends."""
    alice, bob = name(), name()
    done = piped("one\ntwo\n", "--user", alice, "--to", bob, "--url", open_server)
    assert (done.returncode, done.stderr) == (0, "")
    numbers, _, lines = zip(*(line.split(" ", 2) for line in done.stdout.splitlines()[-2:]), strict=True)
    assert (numbers, lines) == (("#1", "#2"), ("you: one", "you: two"))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--user", "a", "--url", "http://127.0.0.1:1"], "Is the server running? `make run` starts one here"),
        (["--user", "a", "--url", "localhost"], "'localhost' is not the URL of a server"),
        (["--user", "a", "--to", "b", "--room", "c"], "not allowed with argument"),
    ],
)
def test_errors_say_what_to_do(arguments: list[str], shown: str) -> None:
    """An invalid option or URL is reported in a line or two, without a traceback."""
    with Terminal(*arguments) as terminal:
        terminal.shows(shown)
        assert terminal.ends() != 0


def test_make_wants_a_user() -> None:
    """The USER that every shell has is not used as the chat's user."""
    done = make("--dry-run", "chat")
    assert "Who are you? make chat USER=alice" in done.stderr
    done = make("--dry-run", "chat", "USER=alice", "ROOM=lobby", "PORT=9000")
    assert "--user 'alice' --url 'http://127.0.0.1:9000'" in done.stdout
    assert "--room 'lobby'" in done.stdout


def test_control_characters_are_removed_from_others_texts() -> None:
    """Texts of others can neither move the cursor nor reverse the line; emoji and accents stay."""
    assert clean("a\x1b[31mb\x9bc\u202ed\u2066e\r") == "a\ufffd[31mb\ufffdc\ufffdd\ufffde\ufffd"
    assert clean("a\u200bb\u2028c\ud800") == "a\ufffdb\ufffdc\ufffd"
    england = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    for text in ("naïve 👩\u200d🚀", "🩷 Ela", england, "n\u200ci"):
        assert clean(text) == text


def test_names_are_folded_as_the_server_folds_them() -> None:
    """The client recognises its user and a direct chat by the server's ids, in any spelling."""
    for code in (*range(0xD800), *range(0xE000, sys.maxunicode + 1)):
        assert folded(chr(code)) == texts.folded(chr(code))
    assert (
        direct_chat("Zoe\u0308", "E\u0301va")
        == Names(open_names=True).direct_chat("zo\u00eb:\u00e9va", "chat")[0]
    )


def test_status_line_shows_presence_typing_and_connection_errors() -> None:
    """The bottom line shows who is online, who is typing, and what is wrong with the connection."""
    status = Status()
    assert status.line(None, "a") == "a · connecting…"
    status.connected()
    status.presence(Presence(user="b", online=True))
    status.typing(Typing(chat="a:b", user="b", on=True))
    assert status.line("a:b", "a") == "a · b is online · b is typing…"
    status.wrote("a:b", "b")
    status.presence(Presence(user="b", online=False))
    assert status.line("a:b", "a") == "a · b is not online"
    status.disconnected(Disconnected("gone", 2.6))
    assert status.line("a:b", "a") == "a · no connection, next try in 3 s"


def test_mentions_of_the_user_are_in_bold() -> None:
    """The user's own mentions stand out, also those of all; words that only begin like them do not."""
    now = datetime.now(UTC)
    message = Message(
        chat="g-1", seq=1, sender="b", kind="text", text="@A.b @al @ann, @all", sent_at=now, mentions=["a.b"]
    )
    assert line_of(message, "a.b").endswith("b: \x1b[1m@A.b\x1b[22m @al @ann, @all")
    assert "\x1b[1m" not in line_of(message, "ann")
    everybody = replace(message, mentions_all=True)
    assert line_of(everybody, "ann").endswith("@A.b @al @ann, \x1b[1m@all\x1b[22m")


def test_each_message_is_one_line_with_time_and_sender() -> None:
    """A message is one line with its time and sender; further lines are indented; a chat has a name."""
    now = datetime.now(UTC)
    message = Message(chat="a:b", seq=1, sender="b", kind="text", text="one\ntwo", sent_at=now)
    number, _, said = unstyled(line_of(message, "a")).split(" ", 2)
    assert (number, said) == ("#1", "b: one\n      two")
    assert line_of(message, "b", "room").split(" ", 1)[1] == "[room] you: one\n      two"
    assert [title(chat, "a") for chat in ("a:b", "b:a", "a:a", "r-x", "g-1")] == ["b", "b", "a", "x", "g-1"]
