"""A store with the limits of ElastiCache Serverless, whatever server is behind it.

The limits are those of AWS's pages "Valkey and Redis OSS configuration and limits" and "Supported and
restricted Valkey, Memcached, and Redis OSS commands" (November 2026). They say that a longer request gets an
error, and not which: the texts here are this module's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

import redis

from chalicelib.store.redis.nodes import Command, Node

MAX_ARGUMENTS = 3_999
"""Of a request; its name counts here, which AWS leaves open."""
MAX_KEY_BYTES = 4 * 1024
MAX_SCRIPT_BYTES = 4 * 1024 * 1024

GENERIC = """
copy del dump exists expire expireat expiretime persist pexpire pexpireat pexpiretime pttl rename
renamenx restore sort sort_ro touch ttl type unlink time
"""
HASHES = """
hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx
hstrlen hvals
"""
LISTS = """
lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem lset ltrim rpop rpoplpush rpush
rpushx
"""
SETS = """
sadd scard sdiff sdiffstore sinter sintercard sinterstore sismember smembers smismember smove spop
srandmember srem sscan sunion sunionstore
"""
SORTED_SETS = """
zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore
zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex
zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
zunion zunionstore
"""
STRINGS = """
append decr decrby get getdel getex getrange getset incr incrby incrbyfloat lcs mget mset msetnx
psetex set setex setnx setrange strlen substr
"""
IN_SCRIPTS = frozenset((GENERIC + HASHES + LISTS + SETS + SORTED_SETS + STRINGS).upper().split())
"""The commands on keys, and TIME, that a serverless store has; those that wait are left out."""
ON_ITS_OWN = frozenset(("EVAL", "EVALSHA", "PING"))
"""The commands that Parley sends: all others run inside a script."""


class ServerlessNode:
    """Hands commands on to a node, and refuses those that a serverless store would."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.login = node.login

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; raises ResponseError for one that is refused."""
        if error := self.refusal_of(command):
            raise error
        return self._node.execute(command, repeatable=repeatable)

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands in one round trip; a refused one has its error in its reply's position."""
        refusals = [self.refusal_of(command) for command in commands]
        allowed = [one for one, refusal in zip(commands, refusals, strict=True) if refusal is None]
        replies = iter(self._node.execute_all(allowed) if allowed else ())
        return [refusal or next(replies) for refusal in refusals]

    def ping(self) -> None:
        """Ping the servers."""
        self._node.ping()

    def refusal_of(self, command: Command) -> redis.ResponseError | None:
        """Return the error for a command, or None if it is allowed."""
        return refusal_of(command)


class TimelessNode(ServerlessNode):
    """The same without TIME in scripts, as public reports have it; it begins with no script in its cache.

    reason: what it says; the default is of cristipufu/aspnetcore-redis-rate-limiting, issue 154.
    """

    def __init__(self, node: Node, reason: str = "This Redis command is not allowed from script") -> None:
        super().__init__(node)
        self._reason = reason
        self._scripts: set[str] = set()

    def refusal_of(self, command: Command) -> redis.ResponseError | None:
        """Refuse scripts that call TIME, and names of scripts that it has not been given."""
        name, script = str(command[0]), str(command[1])
        if name == "EVALSHA" and script not in self._scripts:
            return redis.exceptions.NoScriptError("No matching script.")
        if name == "EVAL":
            sha = sha1(script.encode(), usedforsecurity=False).hexdigest()
            if "'TIME'" in script:
                return redis.ResponseError(f"{self._reason} script: {sha}, on @user_script:2.")
            self._scripts.add(sha)
        return super().refusal_of(command)


def refusal_of(command: Command) -> redis.ResponseError | None:
    """Return a serverless store's error for a command, or None if it is allowed."""
    name = str(command[0])
    if name not in ON_ITS_OWN:
        return redis.ResponseError(f"unknown command '{name}'")
    if len(command) > MAX_ARGUMENTS:
        return redis.ResponseError(f"{len(command)} arguments are more than {MAX_ARGUMENTS}")
    return _script_refusal(command) if name != "PING" else None


def _script_refusal(command: Command) -> redis.ResponseError | None:
    _, script, count, *rest = command
    keys = rest[: int(count)]
    if not keys:
        return redis.ResponseError("Lua scripts without any input keys are not supported.")
    if long := [key for key in keys if len(str(key).encode()) > MAX_KEY_BYTES]:
        return redis.ResponseError(f"the key {str(long[0])[:64]}... is longer than {MAX_KEY_BYTES} bytes")
    if len(str(script).encode()) > MAX_SCRIPT_BYTES:
        return redis.ResponseError(f"a script is longer than {MAX_SCRIPT_BYTES} bytes")
    return None
