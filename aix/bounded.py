"""Work that may never end, such as matching a stranger's regular expression: done in a child that can be ended.

The child is a copy of this process with limits of its own. What it finds comes back as JSON, so it is plain data. Where
a system has no such copies, the work is done here, and ended between two of its lines of Python when its time is up:
one computation that takes for ever is not ended there, and memory has no limit.
"""

import contextlib
import json
import math
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from aix.quiet import ALONE, quietly

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

SECONDS = 5.0
FAILED, TOO_LARGE = 1, 2
"""How a child ends that has nothing to say."""

_WHOLE = b"\n"
"""What stands at the end of what a child says, when that is all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the child may live and compute, in seconds, and how many bytes it may have besides what it shares with
    this process. The system counts computing in whole seconds. `inner` says whether bounded work in the child has a
    child of its own, with what is left to it said exactly; else it shares in what all of the work may take."""

    wall: float = SECONDS
    cpu: float = SECONDS + 1
    memory: int = 1024**3
    inner: bool = True


_sharing = False
"""Whether this process is a child whose bounded work has no child of its own."""


class ExhaustedError(Exception):
    """The work took more time or memory than it may, or failed; `why` is what became of it, as far as is known."""

    def __init__(self, why: str = "failed") -> None:
        super().__init__(why)
        self.why = why


def bounded(work: Callable[[], Any], limits: Limits = Limits()) -> Any:
    """What `work` returns, which must be plain data. Raises ExhaustedError."""
    if _sharing:
        return _shared(work, limits)
    if resource is None or not hasattr(os, "fork"):
        return watched(work, limits.wall)
    with contextlib.ExitStack() as alone:
        alone.enter_context(ALONE)  # a child of another thread would hold the pipe open, and its end be missed
        reader, writer = os.pipe()
        child = 0
        try:
            try:
                with _undisturbed():  # or a Ctrl-C could come when there is a child that nobody knows of yet
                    child = _child(work, writer, limits)
            finally:
                os.close(writer)
                alone.close()
            said = _all_of(reader, time.monotonic() + limits.wall, limits.wall)
            status = _status(child)
            child = 0
            if not said.endswith(_WHOLE):
                raise ExhaustedError(_became(status, limits))
            return json.loads(said.decode("utf-8", "surrogatepass"))
        finally:
            os.close(reader)
            if child:
                _end(child)


def _shared(work: Callable[[], Any], limits: Limits) -> Any:
    """The same where this process is ended in time anyway: refused once it is seen that it took too much."""
    began = time.process_time()
    try:
        said = _plain(work)
    except Exception:  # noqa: BLE001 - whatever it is, the work did not end well
        raise ExhaustedError from None
    if time.process_time() - began > limits.cpu:
        raise ExhaustedError(_became(-signal.SIGXCPU, limits))
    return json.loads(said.decode("utf-8", "surrogatepass"))


def watched(work: Callable[[], Any], wall: float) -> Any:
    """The same in this process, as well as that can be done."""
    deadline = time.monotonic() + wall

    def watch(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _TimeIsUp
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        return json.loads(_plain(work).decode("utf-8", "surrogatepass"))
    except _TimeIsUp:
        raise ExhaustedError(f"took more than {wall:g} s") from None
    except Exception:  # noqa: BLE001 - whatever it is, the work did not end well
        raise ExhaustedError from None
    finally:
        sys.settrace(before)


class _TimeIsUp(BaseException):
    """Nothing that the work catches."""


def _plain(work: Callable[[], Any]) -> bytes:
    """What the work gives, as JSON: exactly, for halves of a character stay halves."""
    return json.dumps(work(), ensure_ascii=False).encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """No signal arrives here meanwhile."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _child(work: Callable[[], Any], writer: int, limits: Limits) -> int:
    """Start the child, which no signal wakes that is held here: it would go on as if it were this process."""
    with quietly(DeprecationWarning):  # the child uses nothing that a thread could hold
        try:
            child = os.fork()
        except OSError as error:
            raise ExhaustedError(f"could not begin: {(error.strerror or str(error)).lower()}") from None
    if child == 0:
        _live(work, writer, limits)
    return child


def _live(work: Callable[[], Any], writer: int, limits: Limits) -> NoReturn:
    """The whole life of the child: whatever happens, it ends here and says nothing of its own."""
    global _sharing
    status, _sharing = FAILED, not limits.inner
    try:
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_CPU, math.ceil(limits.cpu))
        _limit(resource.RLIMIT_AS, _mapped() + limits.memory)
        warnings.simplefilter("ignore")
        said = memoryview(_plain(work) + _WHOLE)
        while said:
            said = said[os.write(writer, said) :]
        status = 0
    except MemoryError:
        status = TOO_LARGE
    finally:
        os._exit(status)


def _limit(kind: int, most: int) -> None:
    """Set a limit of this process; one that is tighter already stays."""
    soft, hard = resource.getrlimit(kind)
    if soft == resource.RLIM_INFINITY or most < soft:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, hard))


def _mapped() -> int:
    """How many bytes this process has in its address space; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def _all_of(reader: int, deadline: float, wall: float) -> bytes:
    """All that the child writes until it ends. Raises ExhaustedError when its time is up before."""
    pieces = list[bytes]()
    poll = select.poll()  # select() knows no more than 1,024 open files
    poll.register(reader, select.POLLIN)
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        if not (piece := os.read(reader, 1024 * 1024)):
            return b"".join(pieces)
        pieces.append(piece)
    raise ExhaustedError(f"took more than {wall:g} s")


def _status(child: int) -> int:
    """How a child ended. A process that ignores how its children end, or waits for all of them, is not told."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except ChildProcessError:
        return FAILED


def _became(status: int, limits: Limits) -> str:
    """What became of a child that did not finish."""
    said = {
        FAILED: "failed",
        TOO_LARGE: f"needed more than {limits.memory // 1024**2} MiB",
        -signal.SIGXCPU: f"took more than {limits.cpu:g} s of computing",
        -signal.SIGKILL: "was ended from outside",
    }
    return said.get(status, f"crashed (status {status})")


def _end(child: int) -> None:
    """End a child that may have ended, and leave nothing of it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
