"""What a scripted server can do on a connection: one small class for each step."""

import select
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

BOUND = 30.0
"""No step waits longer than this, whatever the client does."""


class Step(Protocol):
    """One thing that the server does on a connection."""

    def play(self, connection: socket.socket) -> None: ...


@dataclass(frozen=True, slots=True)
class Send:
    data: bytes

    def play(self, connection: socket.socket) -> None:
        connection.sendall(self.data)


@dataclass(frozen=True, slots=True)
class Stall:
    """Say nothing until the client is gone."""

    seconds: float = BOUND

    def play(self, connection: socket.socket) -> None:
        is_gone(connection, self.seconds)


@dataclass(frozen=True, slots=True)
class Drip:
    """Send a few bytes, wait, send a few more, until all is sent or the client is gone."""

    data: bytes
    size: int = 1
    seconds: float = 0.0

    def play(self, connection: socket.socket) -> None:
        for start in range(0, len(self.data), self.size):
            connection.sendall(self.data[start : start + self.size])
            if is_gone(connection, self.seconds):
                return


@dataclass(frozen=True, slots=True)
class Flood:
    """Send the same bytes again and again until the client is gone; `limit` ends a client that swallows all."""

    data: bytes
    limit: int = 256 * 1024 * 1024

    def play(self, connection: socket.socket) -> None:
        for _ in range(0, self.limit, len(self.data)):
            connection.sendall(self.data)


@dataclass(frozen=True, slots=True)
class Until:
    """Wait for the test."""

    event: threading.Event

    def play(self, connection: socket.socket) -> None:
        self.event.wait(BOUND)


@dataclass(frozen=True, slots=True)
class Tell:
    """Let the test go on."""

    event: threading.Event

    def play(self, connection: socket.socket) -> None:
        self.event.set()


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a reset. A client may lose what it has not read yet: `Until` it has."""

    def play(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Say that nothing more will come, and stay."""

    def play(self, connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection. The end of a script does it too."""

    def play(self, connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_RDWR)


Script = Sequence[Step]


def is_gone(connection: socket.socket, seconds: float) -> bool:
    """Wait until the client closes its end, or for so many seconds; whether it closed. What it sends is dropped."""
    deadline = time.monotonic() + seconds
    while select.select([connection], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            if not connection.recv(65536):
                return True
        except OSError:
            return True
    return False
