"""Work that can be left behind: what it brings in time is handed over, and nothing it waits for holds its client.

Looking at the clock between two reads of a socket is not enough: a drip outlasts any limit, and a look-up of a name
cannot be stopped at all. So all of that is done in a thread of its own, and whoever wants the result waits for nothing
but a queue, a moment at a time. The deadline is kept to that moment, and Ctrl-C never finds a connection half closed.
"""

import _thread
import contextlib
import queue
import socket
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from aix.llm.clock import MOMENT

T = TypeVar("T")
Work = Callable[[Callable[[socket.socket], None]], Iterator[T]]

_END = object()


@dataclass(frozen=True, slots=True)
class Step:
    """A step of some work: how many seconds it may take, and what makes the error for one that takes longer."""

    seconds: float
    late: Callable[[], Exception]


class Errand(Generic[T]):
    """Runs `work` elsewhere. What it yields later than `seconds` from the start is not handed over: `late` makes the
    error that is raised then. Work that was done in time is handed over whole, however slowly it is taken; of work that
    has no end, nothing is taken later than that.

    The work is given a function that it calls with each socket it has connected: that is how it can be ended. It may
    go in steps, each with a limit of its own.
    """

    def __init__(self, work: Work[T], seconds: float, late: Callable[[], Exception]) -> None:
        self._work = work
        self._seconds = seconds
        self._deadline = self._last = self._step_ends = float("inf")
        self._late = self._step_late = late
        self._arrived: queue.SimpleQueue[tuple[float, Any]] = queue.SimpleQueue()
        self._lock = Lock()
        self._left = False
        self._done = False
        self._socket: socket.socket | None = None

    def items(self) -> Generator[T, None, None]:
        """What the work yields, as it comes. Raises what it raises."""
        self._deadline = self._last = time.monotonic() + self._seconds
        try:
            # not threading.Thread: its start() waits for a condition, where a signal can break the lock in two
            _thread.start_new_thread(self._run, ())
            while (item := self._next()) is not _END:
                yield item
        finally:
            self._leave()

    def hurry(self, seconds: float) -> None:
        """Wait no longer than so many seconds from now for all that is still to come."""
        self._deadline = min(self._last, time.monotonic() + seconds)

    def step(self, step: Step) -> None:
        """Begin a step, and end the one before it. For the work to call."""
        self._arrived.put((time.monotonic(), step))

    def _run(self) -> None:
        try:
            for item in self._work(self._connected):
                self._arrived.put((time.monotonic(), item))
            self._arrived.put((time.monotonic(), _END))
            self._done = True
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            self._arrived.put((time.monotonic(), error))
        finally:
            self._leave()

    def _connected(self, connection: socket.socket) -> None:
        """Keep a duplicate: TLS takes the original apart, and a number of our own cannot be closed and given to another
        connection between looking at it and shutting it down."""
        with self._lock:
            self._socket = connection.dup()
            if self._left:
                self._shut()

    def _next(self) -> Any:
        while True:
            step_is_first = self._step_ends < self._deadline
            ends, late = (self._step_ends, self._step_late) if step_is_first else (self._deadline, self._late)
            remaining = ends - time.monotonic()
            try:
                when, item = self._arrived.get(timeout=max(0.0, min(remaining, MOMENT)))
            except queue.Empty:
                if remaining > 0:
                    continue
                raise late() from None
            if when > ends:
                raise late()
            if time.monotonic() > self._deadline and not self._done:
                raise self._late()
            if isinstance(item, BaseException):
                raise item
            if not isinstance(item, Step):
                return item
            self._step_ends, self._step_late = when + item.seconds, item.late

    def _leave(self) -> None:
        """End the connection, whichever side is done with it first."""
        with self._lock:
            self._left = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is None:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._socket = None
