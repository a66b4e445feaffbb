"""An HTTP server that does exactly what a test scripts, byte by byte: what no well-behaved server would do.

A script is a list of steps, one script for each connection, the last one for all that come after it.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from answers import Answer
from steps import BOUND, Close, Script, is_gone


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """Listens on this machine while the `with` lasts. `requests` holds all that came, in order.

    `reads` is whether it reads a request before its script begins.
    """

    def __init__(self, *, reads: bool = True) -> None:
        self._reads = reads
        self.requests: list[Received] = []
        self.connections = 0
        self._scripts: list[Script] = [[Close()]]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ending = False
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *scripts: Answer | Script) -> None:
        """What the next connections get, one after the other; the last script is for all the others too."""
        self._scripts = [script.script if isinstance(script, Answer) else script for script in scripts]

    def __enter__(self) -> "Server":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ending = True
            for connection in self._open:
                _shut(connection)
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname(), timeout=BOUND).close()  # wakes the one who accepts
        for thread in self._threads:
            thread.join(BOUND)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with self._lock:
                if self._ending:
                    connection.close()
                    return
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                self.connections += 1
                self._open.add(connection)
            self._start(self._serve, connection, script)

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(BOUND)
        with connection, contextlib.suppress(OSError):  # the client may leave at any moment
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._reads and (request := read_request(connection)) is not None:
                self.requests.append(request)
            for step in script:
                step.play(connection)
            if connection.fileno() >= 0:
                _shut(connection, socket.SHUT_WR)
                is_gone(connection, 1.0)  # closing with something unread would be a reset, which is a step of its own
        with self._lock:
            self._open.discard(connection)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()


def read_request(connection: socket.socket) -> Received | None:
    """The request; None when the client left or sent something else."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
        if not data[:1].isalpha():
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        if not (more := connection.recv(65536)):
            return None
        body += more
    method, path, _ = first.split(" ", 2)
    return Received(method, path, headers, body)


@contextlib.contextmanager
def nobody_listens() -> Iterator[str]:
    """The URL of a port that is taken, so that nobody else gets it, and refuses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def _shut(connection: socket.socket, how: int = socket.SHUT_RDWR) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(how)
