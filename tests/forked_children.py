"""Analysing children that start at once: forked from a process that has loaded what they run.

    tests ---start---> stem: has loaded the engine and matplotlib
    bot ---starts---> relay ---its stdin, stdout, stderr and arguments---> stem ---forks---> child
                      relay <---how the child ended--- stem         (a relay that is killed takes its child along)

Every bot under test starts children of its own, and loading took each of them longer than all that a test asks of it.
What they run, read and write, how they are killed and what is seen of their end stay as they are; `test_runner.py`
holds both ways to start a child to the same.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ARGUMENTS_BYTES = 64 * 1024
STREAMS = 3


@contextlib.contextmanager
def stem() -> Iterator[tuple[str, ...]]:
    """Run a stem; yields the command that starts a child of it."""
    import subprocess
    from tempfile import TemporaryDirectory

    with (
        TemporaryDirectory() as folder,  # the name of a socket must be short
        subprocess.Popen(
            [sys.executable, __file__, "stem", path := f"{folder}/stem"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout.readline() == b"ready\n"
        yield sys.executable, "-I", "-S", __file__, "relay", path
        process.stdin.close()


def relay(path: str, arguments: Sequence[str]) -> NoReturn:
    """Give the standard streams of this process to a child of the stem's, and end as that child ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # as the child does
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)
        socket.send_fds(caller, ["\0".join(["child", *arguments]).encode()], range(STREAMS))
        for number in range(STREAMS - 1):
            os.close(number)  # an end of the stream that only the child holds is seen when it ends
        said = caller.recv(ARGUMENTS_BYTES)
    status = int(said or -signal.SIGKILL)  # nothing: the stem is gone
    if status < 0:
        os.kill(os.getpid(), -status)
    os._exit(status)


class Child(NamedTuple):
    """A forked child: its process, the relay that it works for, and a pipe that ends with it."""

    pid: int
    caller: socket.socket
    lives: int


class Stem:
    """Forks a child for every relay that connects, until standard input closes."""

    def __init__(self, path: str, main: Callable[[], None]) -> None:
        self._main = main
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._events = selectors.DefaultSelector()
        self._events.register(self._listener, selectors.EVENT_READ)
        self._events.register(0, selectors.EVENT_READ)

    def serve(self) -> None:
        """Fork children, and see to their ends."""
        print("ready", flush=True)
        while True:
            key = self._events.select()[0][0]
            if key.fileobj == 0:
                return
            if key.fileobj is self._listener:
                self._fork()
            else:
                self._end(key.data)

    def _fork(self) -> None:
        caller, _ = self._listener.accept()
        said, streams, _, _ = socket.recv_fds(caller, ARGUMENTS_BYTES, STREAMS)
        if not said:  # killed before it spoke
            caller.close()
            return
        lives, held = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._be_child(said.decode().split("\0"), streams, held)
        for number in (held, *streams):
            os.close(number)
        for end in (caller, lives):
            self._events.register(end, selectors.EVENT_READ, Child(pid, caller, lives))

    def _be_child(self, arguments: list[str], streams: list[int], held: int) -> NoReturn:
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(STREAMS, held)  # what is the stem's, and what other children hold
        os.closerange(held + 1, os.sysconf("SC_OPEN_MAX"))
        sys.argv = arguments
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115 - open until it ends
        status = 1
        try:
            self._main()
            status = 0
        except BaseException:  # noqa: BLE001 - nothing of the stem's may run on in a child
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)

    def _end(self, child: Child) -> None:
        """Make an end of a child that ended, or whose relay did."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)  # one that ended already keeps its status
        status = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        for end in (child.caller, child.lives):
            self._events.unregister(end)
        os.close(child.lives)
        with child.caller, contextlib.suppress(OSError):  # nobody listens when the relay ended first
            child.caller.sendall(str(status).encode())


def main() -> None:
    """Be a stem, or a relay."""
    kind, path, *arguments = sys.argv[1:]
    if kind == "relay":
        relay(path, arguments)
    sys.path[0] = str(Path.cwd())  # as `python -m` has it
    import gc

    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401 - loaded once for all that draw

    from bot.analysing import child

    gc.freeze()  # pages that no collector writes to stay shared
    Stem(path, child.main).serve()


if __name__ == "__main__":
    main()
