"""Processes that aix starts: none is left behind, whenever a Ctrl-C comes."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def signals_held() -> Iterator[None]:
    """A Ctrl-C in the middle of starting a process would leave one behind that nobody knows: it waits until then."""
    came = list[int]()
    held = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    in_main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in held if in_main}
    own = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in own:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in own.items():
            signal.signal(number, handler)
        for first in came[:1]:
            signal.raise_signal(first)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a process that has a session of its own, with whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
