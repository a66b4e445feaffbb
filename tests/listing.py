"""A server on this machine that gives every request one answer: what a model server says of its models, or worse."""

import contextlib
import email.utils
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

SECONDS = 30.0
TINY = json.dumps({"object": "list", "data": [{"id": "tiny"}, {"id": "large:latest"}]})


@dataclass(slots=True)
class Listener:
    """`asked` holds the head of every request that came."""

    port: int
    asked: list[str] = field(default_factory=list)
    more: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, text: str) -> None:
        """Wait until a request came that has the text in its head."""
        with self.more:
            assert self.more.wait_for(lambda: any(text in head for head in self.asked), SECONDS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@dataclass(frozen=True, slots=True)
class Says:
    """An answer whose clock is `ahead` of ours by so many seconds; `more` are header lines."""

    body: str = TINY
    status: str = "200 OK"
    kind: str = "application/json"
    ahead: float = 0.0
    more: str = ""

    def encoded(self) -> bytes:
        """The answer as it is sent now."""
        date = email.utils.formatdate(time.time() + self.ahead, usegmt=True)
        head = (
            f"HTTP/1.1 {self.status}\r\nDate: {date}\r\nContent-Type: {self.kind}\r\nConnection: close\r\n{self.more}"
        )
        return f"{head}Content-Length: {len(self.body.encode())}\r\n\r\n{self.body}".encode()


@contextlib.contextmanager
def listening(answer: Says | bytes | None) -> Iterator[Listener]:
    """Listen while the `with` lasts; None says nothing until the client is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Listener(server.getsockname()[1])
        ended = threading.Event()
        thread = threading.Thread(target=_accept, args=(server, listener, answer, ended), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            ended.set()
            with contextlib.suppress(OSError):
                socket.create_connection(server.getsockname(), timeout=SECONDS).close()  # wakes the one who accepts
            thread.join(SECONDS)


def _accept(server: socket.socket, listener: Listener, answer: Says | bytes | None, ended: threading.Event) -> None:
    while not ended.is_set():
        connection, _ = server.accept()
        threading.Thread(target=_serve, args=(connection, listener, answer), daemon=True).start()


def _serve(connection: socket.socket, listener: Listener, answer: Says | bytes | None) -> None:
    connection.settimeout(SECONDS)
    with connection, contextlib.suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := connection.recv(65536)):
                return
            head += more
        with listener.more:
            listener.asked.append(head.decode("latin-1"))
            listener.more.notify_all()
        if answer is None:
            connection.recv(1)
        else:
            connection.sendall(answer.encoded() if isinstance(answer, Says) else answer)


@contextlib.contextmanager
def nobody() -> Iterator[int]:
    """A port that refuses, and that nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
