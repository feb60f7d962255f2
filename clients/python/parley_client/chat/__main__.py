"""The command of the terminal chat."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from functools import partial

from parley_client.async_client import AsyncClient
from parley_client.chat.commands import Commands
from parley_client.chat.conversation import Conversation
from parley_client.chat.entering import CannotEnter, Entered, enter
from parley_client.chat.lines import clean
from parley_client.chat.listener import Listener
from parley_client.chat.options import Options, parse
from parley_client.chat.screen import Screen, make_screen
from parley_client.errors import ParleyError
from parley_client.settings import Settings

LAST_SECONDS = 5.0
POLL_SECONDS, MAX_WAIT_SECONDS = 2.0, 5.0
"""Times that suit a waiting user; shorter than those of a background program."""


def main() -> None:
    """Chat until the user ends it; exits with one line that names the problem."""
    options = parse(sys.argv[1:])
    try:
        entered = enter(options)
        unsent = asyncio.run(chat(options, entered))
    except (CannotEnter, ParleyError) as error:
        sys.exit(f"parley-chat: {error}")
    except (KeyboardInterrupt, EOFError):
        print()
    else:
        sys.exit(1 if unsent and not sys.stdin.isatty() else 0)


async def chat(options: Options, entered: Entered) -> int:
    """Chat until the user ends it; returns the number of unsent texts.

    Raises the error by which the server refuses permanently.
    """
    settings = Settings(backlog=0, poll_seconds=POLL_SECONDS, backoff_cap=MAX_WAIT_SECONDS)
    client = AsyncClient(options.url, user=entered.user, token=entered.token, settings=settings)
    async with client:
        conversation = Conversation(client, options.user)
        commands = Commands(client, conversation)
        conversation.screen = make_screen(conversation.prompt, conversation.status, commands.typed)
        if name := options.to or options.room:
            conversation.first = partial(commands.to if options.to else commands.room, name)
        listener = Listener(client, conversation)
        await _until_one_ends(
            listener, _type(commands, conversation, conversation.screen), commands, conversation
        )
        if entered.drop:
            with contextlib.suppress(ParleyError):
                await client.rest.logout()
        return commands.outbox.unsent


async def _until_one_ends(
    listener: Listener, lines: Coroutine[None, None, None], commands: Commands, conversation: Conversation
) -> None:
    loop = asyncio.get_running_loop()
    listening = loop.create_task(listener.listen())
    typing = loop.create_task(lines)
    done, left = await asyncio.wait([listening, typing], return_when=asyncio.FIRST_COMPLETED)
    if typing in done and listening in left:
        await commands.outbox.finish(LAST_SECONDS)
        await conversation.background.finish(LAST_SECONDS)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for task in done:
        task.result()


async def _type(commands: Commands, conversation: Conversation, screen: Screen) -> None:
    async with contextlib.aclosing(screen.lines()) as lines:
        async for line in lines:
            if not conversation.begun.is_set():
                conversation.say(f"* Connecting; then: {clean(line)}")
                await conversation.begun.wait()
            if not await commands.do(line):
                return


if __name__ == "__main__":
    main()
