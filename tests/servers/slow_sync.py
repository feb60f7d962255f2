"""A disk with slow syncs: Linux hands each fsync of a process to us, and it continues when we say so."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import platform
import select
import socket
import struct
import sys
import threading
from types import TracebackType
from typing import Self

PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
SET_MODE_FILTER, NEW_LISTENER = 1, 8  # linux/seccomp.h
NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000
RECEIVE, SEND = 0xC0502100, 0xC0182101
CONTINUE = 1
NOTICE_BYTES = 80
CALLS = {"x86_64": (317, 74, 75), "aarch64": (277, 82, 83)}
"""The numbers of seccomp, fsync and fdatasync."""
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


class SlowSync:
    """Delays every fsync and fdatasync of a process that is started with `install`, and of its children.

    It needs no privileges; source: seccomp_unotify(2). seconds: the delay, which may change at any time. As a
    context it ends once those processes have.
    """

    supported = sys.platform == "linux" and platform.machine() in CALLS

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._ours, self._theirs = socket.socketpair()

    def install(self) -> None:
        """Hand over the calls of this process; subprocess calls it between fork and exec."""
        libc = ctypes.CDLL(None, use_errno=True)
        program = _program()
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        seccomp = CALLS[platform.machine()][0]
        listener = libc.syscall(seccomp, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(program))
        if listener < 0:
            raise OSError(ctypes.get_errno(), "seccomp")
        socket.send_fds(self._theirs, [b"!"], [listener])

    def serve(self) -> None:
        """Take over the calls, once the process was started."""
        (self._listener,) = socket.recv_fds(self._ours, 1, 1)[1]
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            notice = bytearray(NOTICE_BYTES)
            try:
                fcntl.ioctl(self._listener, RECEIVE, notice)
            except OSError as error:
                if error.errno == errno.ENOENT and not _is_over(self._listener):
                    continue
                return
            (call,) = struct.unpack_from("Q", notice)
            timer = threading.Timer(self.seconds, self._continue, (call,))
            timer.daemon = True
            timer.start()

    def _continue(self, call: int) -> None:
        with contextlib.suppress(OSError):  # its process was killed
            fcntl.ioctl(self._listener, SEND, struct.pack("QqiI", call, 0, 0, CONTINUE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        self._theirs.close()


def _program() -> _Program:
    _, *calls = CALLS[platform.machine()]
    steps = [(LOAD, 0, 0, 0)]
    steps += [(JUMP_EQUAL, len(calls) - number, 0, call) for number, call in enumerate(calls)]
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOTIFY)]
    return _Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))


def _is_over(listener: int) -> bool:
    """Return whether every process with handed-over calls has ended."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return any(events & select.POLLHUP for _, events in poll.poll(0))
