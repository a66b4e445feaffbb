"""Work that may never end, such as matching a stranger's regular expression: done in a child that can be ended.

The child is a copy of this process with limits of its own. What it finds comes back as JSON, so it is plain data.
"""

import contextlib
import json
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

try:
    import resource
except ImportError:  # not a POSIX system: the work is done here, without limits
    resource = None  # type: ignore[assignment]

SECONDS = 5.0
MEMORY = 1024 * 1024 * 1024
"""All that the child may have, besides what it shares with this process."""


class ExhaustedError(Exception):
    """The work took more time or memory than it may, or failed."""


def bounded(work: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What `work` returns, which must be plain data. Raises ExhaustedError."""
    if resource is None or not hasattr(os, "fork"):
        return work()
    reader, writer = os.pipe()
    child = _child(work, writer, seconds)
    try:
        os.close(writer)
        return json.loads(_all_of(reader, time.monotonic() + seconds))
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _child(work: Callable[[], Any], writer: int, seconds: float) -> int:
    """Start the child, which a signal to this process does not wake: it would go on as if it were this one."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the child uses nothing that a thread could hold
            child = os.fork()
        if child == 0:
            _live(work, writer, seconds)
        return child
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _live(work: Callable[[], Any], writer: int, seconds: float) -> NoReturn:
    """The whole life of the child: whatever happens, it ends here and says nothing of its own."""
    try:
        for kind, most in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_CPU, int(seconds) + 1),
            (resource.RLIMIT_AS, _mapped() + MEMORY),
        ):
            with contextlib.suppress(ValueError, OSError):  # one that is tighter already stays
                resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
        warnings.simplefilter("ignore")
        said = json.dumps(work()).encode()
        while said:
            said = said[os.write(writer, said) :]
    finally:
        os._exit(0)


def _mapped() -> int:
    """How many bytes this process has in its address space; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def _all_of(reader: int, deadline: float) -> bytes:
    """All that the child writes until it ends. Raises ExhaustedError."""
    pieces = list[bytes]()
    while select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
        if piece := os.read(reader, 65536):
            pieces.append(piece)
        elif pieces:
            return b"".join(pieces)
        else:
            break
    raise ExhaustedError
