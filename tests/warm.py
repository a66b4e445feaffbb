"""A process in which the modules of aix are loaded already, and that becomes the command by forking: what a test waits
for is then the command, and not two hundred imports. Each command has a process, an environment and streams of its own;
how it starts for a user is for the tests that start the installed script.

Run as a script it serves: `python warm.py SOCKET`.
"""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import aix

LATE = ("httpx", "aix.runs.runner", "aix.llm.client", "aix.llm.probe", "aix.library.library", "aix.library.template")
"""What most commands load while they work; `rich` and `questionary` are for terminals, which a test makes itself."""


class Warm:
    """The serving process, started when it is first needed; a context that ends it."""

    def __init__(self, folder: Path) -> None:
        self._address = str(folder / "warm")
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Warm":
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.terminate()
            self._server.wait()

    def run(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, streams: Sequence[int]) -> "Running":
        """Start the command with these descriptors as its stdin, stdout and stderr."""
        if self._server is None:
            self._server = self._started()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        order = json.dumps([list(arguments), dict(env), str(cwd)]).encode()
        socket.send_fds(connection, [len(order).to_bytes(8, "big")], list(streams))
        connection.sendall(order)
        return Running(connection)

    def _started(self) -> subprocess.Popen[bytes]:
        server = subprocess.Popen([sys.executable, __file__, self._address], stdout=subprocess.PIPE)
        assert server.stdout and server.stdout.readline() == b"ready\n"
        server.stdout.close()
        return server


class Running:
    """A command that runs."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.pid = int(self._connection.recv(16))

    def wait(self, timeout: float) -> int:
        """Its exit status, negative when a signal ended it. Raises TimeoutError, and then ends it."""
        self._connection.settimeout(timeout)
        try:
            return int(self._connection.recv(16))
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
            raise
        finally:
            self._connection.close()


def serve(address: str) -> NoReturn:
    """Load everything, then fork for each order that comes, until the process is ended."""
    for module in (*LATE, *_commands()):
        importlib.import_module(module)
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


def _commands() -> list[str]:
    folder = Path(aix.__file__).parent / "cli"
    slow = {"ask"}
    return [f"aix.cli.{path.stem}" for path in sorted(folder.glob("[a-z]*.py")) if path.stem not in slow]


def _watch(connection: socket.socket) -> NoReturn:
    """Start one command, and tell its number and, in the end, its status."""
    size, streams, _, _ = socket.recv_fds(connection, 8, 3)
    arguments, env, cwd = json.loads(_received(connection, int.from_bytes(size, "big")))
    pid = os.fork()
    if pid == 0:
        connection.close()
        _become(arguments, env, cwd, streams)
    connection.sendall(str(pid).encode().ljust(16))
    for stream in (*streams, 0, 1, 2):
        os.close(stream)
    _, status = os.waitpid(pid, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode().ljust(16))
    os._exit(0)


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    return data


def _become(arguments: Sequence[str], env: Mapping[str, str], cwd: str, streams: Sequence[int]) -> NoReturn:
    """Be the command: as if the interpreter had just started with these arguments, this environment and streams."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, max(streams) + 1)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    os.chdir(cwd)
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
