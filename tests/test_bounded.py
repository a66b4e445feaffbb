"""Work in a child of its own: what it gives, and that nothing of it stays."""

import contextlib
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable

import pytest

from aix.bounded import ExhaustedError, bounded


def for_ever() -> None:
    while True:
        pass


def in_no_hurry() -> None:
    time.sleep(60)


def greedy() -> int:
    return len(bytearray(8 * 1024**3))


def raises() -> None:
    raise ValueError("no")


def recurses() -> None:
    recurses()


def leaves() -> None:
    sys.exit(0)


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def no_data() -> object:
    return object()


@pytest.mark.parametrize("value", [None, [], {"a": [1, 0.5, "ä\ud800"]}, "x" * 1_000_000])
def test_what_the_work_gives_comes_back(value: object) -> None:
    assert bounded(lambda: value) == value


def test_how_large_this_process_is_does_not_count() -> None:
    with mmap.mmap(-1, 2 * 1024**3):
        assert bounded(lambda: len([bytes(1000) for _ in range(100_000)])) == 100_000


@pytest.mark.parametrize("work", [for_ever, in_no_hurry, greedy, raises, recurses, leaves, dies, no_data])
def test_what_does_not_end_well_is_exhausted(work: Callable[[], object], capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with pytest.raises(ExhaustedError):
        bounded(work, seconds=0.5)
    assert time.monotonic() - began < 5
    assert capfd.readouterr() == ("", "")


def test_nothing_stays_behind() -> None:
    open_before = os.listdir("/dev/fd")
    for work in (for_ever, raises, list):
        with contextlib.suppress(ExhaustedError):
            bounded(work, seconds=0.1)
    assert len(os.listdir("/dev/fd")) == len(open_before)
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)
