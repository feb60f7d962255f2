"""The terminal: lines come in while others are shown, and neither mangles the other."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Protocol


class Screen(Protocol):
    """Shows lines, and gives those that the user types."""

    def say(self, text: str) -> None:
        """Show a text on lines of its own."""

    def changed(self) -> None:
        """Note that the prompt or the status has changed."""

    def lines(self) -> AsyncGenerator[str, None]:
        """Give the lines that the user types, until they end it."""


class PlainScreen:
    """For what is no terminal, such as a pipe."""

    def say(self, text: str) -> None:
        """Show a text."""
        print(text, flush=True)

    def changed(self) -> None:
        """There is nothing to update."""

    async def lines(self) -> AsyncGenerator[str, None]:
        """Give the lines of the standard input."""
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
    """A line to type on, below all that is shown; a line at the bottom says how things are.

    prompt, status: return what they show now. typing: called when the user has changed the line.
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
        """Show a text above the line.

        Not by patch_stdout: that gives the keyboard back to the terminal meanwhile, and keys get lost.
        """
        app = self._session.app
        if not app.is_running:
            print(text, flush=True)
            return
        app.renderer.erase()
        app.output.write(text.replace("\n", "\r\n") + "\r\n")
        app.output.flush()
        app.renderer.request_absolute_cursor_position()
        app.invalidate()

    def changed(self) -> None:
        """Draw the prompt and the status anew."""
        self._session.app.invalidate()

    async def lines(self) -> AsyncGenerator[str, None]:
        """Give the lines that the user types, until Ctrl-C or Ctrl-D."""
        while True:
            try:
                line = await self._session.prompt_async()
            except (EOFError, KeyboardInterrupt):
                return
            yield line


def make_screen(
    prompt: Callable[[], str], status: Callable[[], str], typing: Callable[[str], None]
) -> Screen:
    """Return the screen that fits where the program runs; see TerminalScreen."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return TerminalScreen(prompt, status, typing)
    return PlainScreen()
