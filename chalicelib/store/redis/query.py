"""Queries: requests to the store, with functions that read the replies. Store.run runs them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.store.partitions import Grouping
from chalicelib.store.redis.nodes import Command
from chalicelib.store.redis.scripts import Script, calling

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
RAISE: Any = object()


class _Unrun:
    """A value for Store.run: mypy reports an unused one as `unused-awaitable`."""

    if TYPE_CHECKING:

        def __await__(self) -> Never: ...


class Query(Struct, _Unrun, Generic[T_co], frozen=True):
    """One request to the store, which Store.run runs, and a function that reads its reply.

    script: A script, or the name of a command on one key. keys: All keys that it touches, of one slot.
    read: Returns the result in a reply. repeatable: Whether the query is idempotent. if_refused: The reply to
    read if the store refuses writes, or keys of several slots; RAISE: the script runs without its writes if
    it can, else the error is raised.
    """

    script: Script | str
    keys: tuple[str, ...]
    args: tuple[bytes | str | int, ...] = ()
    read: Callable[[Any], T_co] = lambda reply: reply
    repeatable: bool = True
    if_refused: Any = RAISE

    @property
    def parts(self) -> Sequence[Query[Any]]:
        """The query itself, as the one part that it has; see Batch."""
        return (self,)

    def grouped(self, grouping: Grouping) -> Query[T_co]:
        """Return the query itself; see UserBatch."""
        return self

    def result(self, results: Iterator[Any]) -> T_co:
        """Return the next of the results of parts."""
        return next(results)  # type: ignore[no-any-return]

    def map(self, make: Callable[[T_co], T]) -> Query[T]:
        """Return the query whose result is made of this one's."""
        query: Any = self
        read = self.read
        return replace(query, read=lambda reply: make(read(reply)))

    def deferred(self) -> Query[Callable[[], T_co]]:
        """Return the query whose result is a function that reads the reply when it is called."""
        query: Any = self
        return replace(query, read=functools.partial(functools.partial, self.read))

    @property
    def without_writes(self) -> Query[T_co] | None:
        """The query that replies the same and writes nothing, if there is one."""
        script = self._script.without_writes
        return None if script is None else replace(self, script=script)

    def at(self, time: int) -> Query[T_co]:
        """Return the query that passes a time, µs since 1970, to its script, if the script needs one."""
        script = self._script.on_callers_clock
        if script is self._script:
            return self
        return replace(self, script=script, args=(*self._args, *divmod(time, 1_000_000)))

    @property
    def by_name(self) -> Command:
        """The command that runs it, if the store has the script."""
        script, keys = self.script, self.keys
        if isinstance(script, str):
            return ("EVALSHA", calling(script).sha, len(keys), *keys, script, *self.args)
        return ("EVALSHA", script.sha, len(keys), *keys, *self.args)

    @property
    def in_full(self) -> Command:
        """The command that gives the store the script and runs it."""
        return ("EVAL", self._script.source, len(self.keys), *self.keys, *self._args)

    @property
    def _script(self) -> Script:
        return calling(self.script) if isinstance(self.script, str) else self.script

    @property
    def _args(self) -> tuple[bytes | str | int, ...]:
        return (self.script, *self.args) if isinstance(self.script, str) else self.args


class Batch(Struct, _Unrun, Generic[T_co], frozen=True):
    """Several repeatable queries of one round trip, none is allowed too, and one result of theirs.

    parts: the queries. join: makes the result of theirs, which are in the same order.
    """

    parts: Sequence[Query[Any]]
    join: Callable[[list[Any]], T_co]

    def grouped(self, grouping: Grouping) -> Batch[T_co]:
        """Return the batch itself; see UserBatch."""
        return self

    def result(self, results: Iterator[Any]) -> T_co:
        """Return the result of the next of the results of parts, as many as there are parts."""
        return self.join(list(itertools.islice(results, len(self.parts))))

    def deferred(self) -> Batch[Callable[[], T_co]]:
        """Return the batch whose result is a function that reads the replies when it is called."""
        join = self.join
        return Batch(
            [part.deferred() for part in self.parts],
            lambda reads: functools.partial(_joined, join, reads),
        )


class UserBatch(Struct, _Unrun, Generic[T_co], frozen=True):
    """A batch about users: how many queries it has depends on the store that runs it.

    A cluster takes a query for each partition, a single server one for users of all partitions.
    ask: Returns the queries for groups of users, which the store makes. join: See Batch.
    """

    ask: Callable[[Grouping], Sequence[Query[Any]]]
    join: Callable[[list[Any]], T_co]

    def grouped(self, grouping: Grouping) -> Batch[T_co]:
        """Return the batch of the queries for the groups that a store makes."""
        return Batch(self.ask(grouping), self.join)

    def deferred(self) -> UserBatch[Callable[[], T_co]]:
        """Return the batch whose result is a function that reads the replies when it is called."""
        ask, join = self.ask, self.join
        return UserBatch(
            lambda grouping: [query.deferred() for query in ask(grouping)],
            lambda reads: functools.partial(_joined, join, reads),
        )


Runnable = Query[T] | Batch[T] | UserBatch[T]
"""What Store.run runs."""


def concatenated(queries: Sequence[Query[list[T]]]) -> Batch[list[T]]:
    """Return the batch of queries whose results are lists; its result has the elements of all."""
    return Batch(queries, in_one_list)


def each(queries: Sequence[Query[T]]) -> Batch[list[T]]:
    """Return the batch whose result is the list of the queries' results."""
    return Batch(queries, lambda results: results)


def of_users(
    handles: Iterable[str],
    each: int,
    ask: Callable[[Sequence[str]], Query[Any]],
    join: Callable[[list[Any]], T],
) -> UserBatch[T]:
    """Return the batch with one query for each group of users.

    each: Number of keys of one user. ask: Returns the query about a group. join: See Batch.
    """
    users = tuple(dict.fromkeys(handles))
    return UserBatch(lambda grouping: [ask(group) for group in grouping(users, each)], join)


def in_one_dict(parts: Iterable[Mapping[str, T]]) -> dict[str, T]:
    """Return the items of several dicts in one."""
    return {key: value for part in parts for key, value in part.items()}


def in_one_list(lists: Iterable[Iterable[T]]) -> list[T]:
    """Return the elements of several lists in one."""
    return [one for part in lists for one in part]


def _joined(join: Callable[[list[Any]], T], reads: Sequence[Callable[[], Any]]) -> T:
    return join([read() for read in reads])
