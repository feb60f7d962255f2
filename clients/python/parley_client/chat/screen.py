"""The terminal: shows lines while the user types another one."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from parley_client.chat.lines import unstyled


class Screen(Protocol):
    """Shows lines, and returns those that the user types."""

    def say(self, text: str) -> None:
        """Show a text on lines of its own."""

    def changed(self) -> None:
        """Note that the prompt or the status has changed."""

    def lines(self) -> AsyncGenerator[str, None]:
        """Return the lines that the user types, until the user ends it."""


class PlainScreen:
    """The screen of a pipe or file."""

    def say(self, text: str) -> None:
        """Show a text."""
        print(unstyled(text), flush=True)

    def changed(self) -> None:
        """Do nothing: a pipe has no prompt or status."""

    async def lines(self) -> AsyncGenerator[str, None]:
        """Return the lines of standard input."""
        loop = asyncio.get_running_loop()
        read: asyncio.Queue[str] = asyncio.Queue()

        def pump() -> None:
            for line in sys.stdin:
                loop.call_soon_threadsafe(read.put_nowait, line)
            loop.call_soon_threadsafe(read.put_nowait, "")

        threading.Thread(target=pump, daemon=True).start()
        while line := await read.get():
            yield line.rstrip("\r\n")


class TerminalScreen:
    """A line for typing below all shown lines, and a status line at the bottom.

    prompt, status: Return what the two lines show now.
    typing: Called when the user has changed the line.
    """

    def __init__(
        self, prompt: Callable[[], str], status: Callable[[], str], typing: Callable[[str], None]
    ) -> None:
        from prompt_toolkit import PromptSession

        self._session: PromptSession[str] = PromptSession(
            prompt,
            bottom_toolbar=status,
            refresh_interval=1.0,
            erase_when_done=True,
            enable_history_search=True,
        )
        self._session.default_buffer.on_text_changed += lambda buffer: typing(buffer.text)

    def say(self, text: str) -> None:
        """Show a text above the line; what others wrote in it must be clean, see `lines.clean`.

        This does not use patch_stdout, which gives the keyboard back to the terminal meanwhile and so loses
        keys.
        """
        app = self._session.app
        if not app.is_running:
            print(text, flush=True)
            return
        app.renderer.erase()
        app.output.write_raw(text.replace("\n", "\r\n") + "\r\n")
        app.output.flush()
        app.renderer.request_absolute_cursor_position()
        app.invalidate()

    def changed(self) -> None:
        """Draw the prompt and the status again."""
        self._session.app.invalidate()

    async def lines(self) -> AsyncGenerator[str, None]:
        """Return the lines that the user types, until Ctrl-C or Ctrl-D."""
        while True:
            try:
                line = await self._session.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return
            yield line


def make_screen(
    prompt: Callable[[], str], status: Callable[[], str], typing: Callable[[str], None]
) -> Screen:
    """Return the screen that suits the program's terminal; see TerminalScreen."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalScreen(prompt, status, typing)
    return PlainScreen()
