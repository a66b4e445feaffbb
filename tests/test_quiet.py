"""What only one thread may do at a time, and a program that forks meanwhile."""

import os
import warnings
from threading import Event, Thread, Timer

import pytest

from aix.quiet import ALONE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_wait_for_a_thread_that_it_does_not_have() -> None:
    held, enough = Event(), Event()

    def hold() -> None:
        with ALONE:
            held.set()
            enough.wait(30)

    thread = Thread(target=hold)
    thread.start()
    held.wait(30)
    Timer(0.05, enough.set).start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(0 if ALONE.acquire(timeout=1) else 1)
    assert os.waitpid(child, 0)[1] == 0
    enough.set()
    thread.join(30)
    assert ALONE.acquire(blocking=False)
    ALONE.release()
