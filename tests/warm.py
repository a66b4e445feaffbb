"""A process in which the modules of aix are loaded already, and that becomes the command by forking: what a test waits
for is then the command, and not two hundred imports. Each command has a process, an environment and streams of its own,
and a terminal where it is to have one; how it starts for a user is for the tests that start the installed script.

Run as a script it serves: `python warm.py SOCKET`.
"""

import _socket
import fcntl
import gc
import importlib
import marshal
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from hand_over import hand_over

import aix

PROGRAM = """#!{python} -IS
import sys
sys.path.append({tests!r})
import hand_over
hand_over.stand_in({address!r}, {installed!r})
"""
LATE = ("httpcore", "questionary", "rich.live", "rich.markdown", "rich.table", "rich.theme")
"""What the modules of aix load only while they work."""


class Warm:
    """The serving process, started when it is first needed; a context that ends it."""

    def __init__(self, installed: Path) -> None:
        self._installed = installed
        self._server: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()

    def __enter__(self) -> "Warm":
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait()
            self._folder.cleanup()

    def run(
        self,
        arguments: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        streams: Sequence[int],
        on_terminal: bool = False,
    ) -> "Running":
        """Start the command with these descriptors as its stdin, stdout and stderr; if they are a terminal that is to
        be its own, it leads a session there, as what a terminal's window has started."""
        self._start()
        folder = os.open(cwd, os.O_RDONLY)
        try:
            return Running(hand_over(self._address, list(arguments), dict(env), [*streams, folder], on_terminal))
        finally:
            os.close(folder)

    @property
    def command(self) -> Path:
        """A program called `aix`, for shells; nothing else is in its folder."""
        self._start()
        return Path(self._folder.name) / "bin" / "aix"

    def _start(self) -> None:
        with self._starting:  # several threads of a test may each start a command first
            if self._server:
                return
            self._folder = tempfile.TemporaryDirectory()
            self._address = f"{self._folder.name}/warm"
            server = subprocess.Popen([sys.executable, __file__, self._address], stdout=subprocess.PIPE)
            assert server.stdout and server.stdout.readline() == b"ready\n"
            server.stdout.close()
            self._write_program(Path(self._folder.name) / "bin" / "aix")
            self._server = server

    def _write_program(self, path: Path) -> None:
        here, installed = str(Path(__file__).parent), str(self._installed)
        path.parent.mkdir()
        path.write_text(PROGRAM.format(python=sys.executable, tests=here, address=self._address, installed=installed))
        path.chmod(0o755)


class Running:
    """A command that runs."""

    def __init__(self, connection: _socket.socket) -> None:
        self._connection = connection
        self.pid = int(self._connection.recv(16))
        self.memory = 0.0
        """The most that it used in the end, in MiB."""

    def wait(self, timeout: float) -> int:
        """Its exit status, negative when a signal ended it. Raises TimeoutError, and then ends it."""
        self._connection.settimeout(timeout)
        try:
            status, most = self._connection.recv(32).split()
            self.memory = int(most) / (1024 if sys.platform == "linux" else 1024 * 1024)
            return int(status)
        except TimeoutError:
            with suppress(ProcessLookupError):  # it may have ended by itself just now
                os.kill(self.pid, signal.SIGKILL)
            raise
        finally:
            self._connection.close()


def serve(address: str) -> NoReturn:
    """Load everything, then fork for each order that comes, until the process is ended."""
    for module in (*LATE, *(found.name for found in pkgutil.walk_packages(aix.__path__, "aix."))):
        importlib.import_module(module)
    gc.freeze()  # no command looks through all of that again
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who watch a command
    os.write(1, b"ready\n")
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _watch(connection)
        connection.close()


def _watch(connection: socket.socket) -> NoReturn:
    """Start one command, and tell its number and, in the end, its status."""
    size, descriptors, _, _ = socket.recv_fds(connection, 8, 4)
    arguments, env, on_terminal = marshal.loads(_received(connection, int.from_bytes(size, "big")))
    pid = os.fork()
    if pid == 0:
        connection.close()
        if on_terminal:
            os.setsid()
            fcntl.ioctl(descriptors[0], termios.TIOCSCTTY, 0)
        _become(arguments, env, descriptors)
    connection.sendall(str(pid).encode().ljust(16))
    for descriptor in (*descriptors, 0, 1, 2):
        os.close(descriptor)
    _, status, used = os.wait4(pid, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)} {used.ru_maxrss}".encode().ljust(32))
    os._exit(0)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data


def _become(arguments: Sequence[str], env: Mapping[str, str], descriptors: Sequence[int]) -> NoReturn:
    """Be the command: as if the interpreter had just started with these arguments, this environment and streams."""
    *streams, folder = descriptors
    os.fchdir(folder)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, max(descriptors) + 1)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = ["aix", *arguments]
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - they end with the process
    sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    status: object = 1
    try:
        importlib.import_module("aix.__main__").main()
    except SystemExit as ended:
        status = ended.code
    finally:
        for ending in (sys.stdout, sys.stderr):
            ending.flush()
        os._exit(status if isinstance(status, int) else 0 if status is None else 1)
    raise AssertionError


if __name__ == "__main__":
    serve(sys.argv[1])
