"""What is made once per instance: nobody waits for an instance that is another thread's."""

import functools
import sys
from threading import Event, Thread
from typing import Any

import pytest

from aix.cached import cached_property


def met(kind: Any) -> bool:
    """Whether an instance can have its attribute while another one's is being made by a thread."""

    class Thing:
        def __init__(self, begun: Event, go_on: Event) -> None:
            self.begun, self.go_on = begun, go_on

        @kind  # type: ignore[untyped-decorator,unused-ignore]
        def made(self) -> bool:
            self.begun.set()
            return self.go_on.wait(30)

    begun, done, go_on, open_ = Event(), Event(), Event(), Event()
    open_.set()
    first, second = Thing(begun, go_on), Thing(done, open_)
    threads = [Thread(target=lambda thing=thing: thing.made, daemon=True) for thing in (first, second)]
    threads[0].start()
    begun.wait(30)
    threads[1].start()
    met = done.wait(0.1 if kind is functools.cached_property else 30)
    go_on.set()
    for thread in threads:
        thread.join(30)
    return met


def test_no_instance_waits_for_another() -> None:
    assert met(cached_property)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="Python's own has no lock any more")
def test_that_would_be_seen() -> None:
    assert not met(functools.cached_property)


def test_it_is_made_once_and_can_be_made_again() -> None:
    class Thing:
        count = 0

        @cached_property
        def number(self) -> int:
            """How often it was made."""
            self.count += 1
            return self.count

    thing = Thing()
    assert (thing.number, thing.number) == (1, 1)
    del thing.__dict__["number"]
    assert thing.number == 2
    assert Thing.number.__doc__ == "How often it was made."
