"""Lists as one argument of a script: a command has a limited number of arguments."""

from __future__ import annotations

import struct
from collections.abc import Sequence

HEAD = struct.Struct(">BI")
ARRAY_32, STRING_32 = 0xDD, 0xDB


def packed_list(values: Sequence[bytes | str | int]) -> bytes:
    """Return values as a msgpack array of strings, which cmsgpack.unpack reads as if each were an argument.

    Bytes are strings as well, whatever they hold: the store's cmsgpack knows no binary type.
    """
    parts = [HEAD.pack(ARRAY_32, len(values))]
    for value in values:
        data = value if isinstance(value, bytes) else str(value).encode()
        parts += (HEAD.pack(STRING_32, len(data)), data)
    return b"".join(parts)
