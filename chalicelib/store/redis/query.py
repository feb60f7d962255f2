"""What is asked of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from chalicelib.store.redis.nodes import Command
from chalicelib.store.redis.scripts import Script, calling

T_co = TypeVar("T_co", covariant=True)
RAISE: Any = object()


class Query(NamedTuple, Generic[T_co]):
    """One request to the store, and how its reply is read.

    run: a script, or the name of a command on one key. keys: every key it touches, all of one slot.
    read: makes the result of the reply. repeatable: whether running it twice does no more than once.
    if_refused: the reply to read where the store refuses writes; RAISE: then the script runs without its
    writes if it can, and the error is raised if it cannot.
    """

    run: Script | str
    keys: tuple[str, ...]
    args: tuple[bytes | str | int, ...] = ()
    read: Callable[[Any], T_co] = lambda reply: reply
    repeatable: bool = True
    if_refused: Any = RAISE

    @property
    def without_writes(self) -> Query[T_co] | None:
        """The query that replies the same and writes nothing, if there is one."""
        script = self._script.without_writes
        return None if script is None else self._replace(run=script)

    def at(self, time: int) -> Query[T_co]:
        """Return the query that tells its script the time, in µs since 1970, if the script asks for it."""
        script = self._script.on_callers_clock
        if script is self._script:
            return self
        return self._replace(run=script, args=(*self._args, *divmod(time, 1_000_000)))

    @property
    def by_name(self) -> Command:
        """The command that runs it, if the store has the script."""
        return ("EVALSHA", self._script.sha, len(self.keys), *self.keys, *self._args)

    @property
    def in_full(self) -> Command:
        """The command that gives the store the script and runs it."""
        return ("EVAL", self._script.source, len(self.keys), *self.keys, *self._args)

    @property
    def _script(self) -> Script:
        return calling(self.run) if isinstance(self.run, str) else self.run

    @property
    def _args(self) -> tuple[bytes | str | int, ...]:
        return (self.run, *self.args) if isinstance(self.run, str) else self.args
