"""Which route a path belongs to, by the rules of API Gateway's resource tree."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote

KEPT_PATHS, KEPT_CHARACTERS = 4096, 256
"""Number and length of paths whose routes are remembered."""


class Match(NamedTuple):
    """A route and what its parameters stand for, as the path has it."""

    resource: str
    parameters: dict[str, str]


class _Node:
    """One segment of the resource tree."""

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.resource: str | None = None

    def child(self, segment: str) -> _Node:
        """Return the node below for a segment of a resource, made if it is new."""
        if not segment.startswith("{"):
            return self.literals.setdefault(segment, _Node())
        if self.parameter is None:
            self.parameter = _Node()
        return self.parameter

    def find(self, segments: list[str], depth: int, values: list[str]) -> str | None:
        """Return the resource of the segments from depth on; a parameter's segment is put into values."""
        if depth == len(segments):
            return self.resource
        segment = segments[depth]
        literal = self.literals.get(unquote(segment) if "%" in segment else segment)
        if literal is not None and (resource := literal.find(segments, depth + 1, values)):
            return resource
        if self.parameter is None or not segment:
            return None
        values.append(segment)
        resource = self.parameter.find(segments, depth + 1, values)
        if resource is None:
            values.pop()
        return resource


class Router:
    """Matches paths to resources: a literal segment beats a parameter, one slash at the end is ignored.

    resources: paths as Chalice writes them, such as `/v1/chats/{chat}/messages`. A parameter takes one
    segment that is not empty.
    """

    def __init__(self, resources: Iterable[str]) -> None:
        self._root = _Node()
        self._names: dict[str, list[str]] = {}
        self._literal: dict[str, Match] = {}
        self._kept = functools.lru_cache(KEPT_PATHS)(self._found)
        for resource in resources:
            self._add(resource)

    def match(self, path: str) -> Match | None:
        """Return the route of a path, percent-encoded and without its query, or None.

        An encoded slash stays in its segment, and parameters stay encoded.
        """
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        if literal := self._literal.get(path):
            return literal
        return self._kept(path) if len(path) <= KEPT_CHARACTERS else self._found(path)

    def _found(self, path: str) -> Match | None:
        values: list[str] = []
        resource = self._root.find(path.split("/"), 0, values)
        if resource is None:
            return None
        return Match(resource, dict(zip(self._names[resource], values, strict=True)))

    def _add(self, resource: str) -> None:
        segments = resource.split("/")
        node = self._root
        for segment in segments:
            node = node.child(segment)
        node.resource = resource
        self._names[resource] = [segment[1:-1] for segment in segments if segment.startswith("{")]
        if not self._names[resource]:
            self._literal[resource] = Match(resource, {})
