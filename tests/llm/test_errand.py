"""Work that is done elsewhere: in order, in time, and left behind without a trace."""

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from aix.errors import AixError, DeadlineError
from aix.llm.clock import MOMENT, pause
from aix.llm.errand import Errand, Step

Connected = Callable[[socket.socket], None]


def late() -> AixError:
    return DeadlineError("too late")


def counting(_: Connected) -> Iterator[int]:
    yield from range(1000)


def test_what_it_brings_comes_in_order() -> None:
    assert list(Errand(counting, 20, late).items()) == list(range(1000))


def test_what_it_raises_is_raised_after_what_it_brought() -> None:
    def failing(_: Connected) -> Iterator[str]:
        yield "first"
        raise LookupError("second")

    items = Errand(failing, 20, late).items()
    assert next(items) == "first"
    with pytest.raises(LookupError, match="second"):
        next(items)


def test_nothing_runs_before_it_is_asked_for() -> None:
    def unwanted(_: Connected) -> Iterator[int]:
        raise AssertionError

    Errand(unwanted, 20, late).items().close()


def test_work_without_an_end_is_taken_until_the_deadline_and_no_longer() -> None:
    go_on = threading.Event()

    def endless(_: Connected) -> Iterator[int]:
        yield from range(100_000)
        go_on.wait(20)

    started, taken = time.monotonic(), 0
    with pytest.raises(DeadlineError):
        for _ in Errand(endless, 0.2, late).items():
            taken += 1
            pause(0.01)  # slower than it comes
    go_on.set()
    assert taken < 100
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("seconds", [0.0, 0.05, MOMENT * 1.5])
def test_work_that_hangs_is_left_behind_in_time(seconds: float) -> None:
    released = threading.Event()

    def hanging(_: Connected) -> Iterator[int]:
        released.wait(30)
        yield 1

    started = time.monotonic()
    with pytest.raises(DeadlineError, match="too late"):
        list(Errand(hanging, seconds, late).items())
    released.set()
    assert seconds <= time.monotonic() - started < seconds + 0.5


@pytest.mark.parametrize(("seconds", "hurry"), [(20.0, 0.1), (0.1, 20.0)])
def test_a_wait_can_be_made_shorter_and_never_longer(seconds: float, hurry: float) -> None:
    released = threading.Event()

    def hanging(_: Connected) -> Iterator[int]:
        yield 1
        released.wait(30)

    errand, started = Errand(hanging, seconds, late), time.monotonic()
    items = errand.items()
    assert next(items) == 1
    errand.hurry(hurry)
    with pytest.raises(DeadlineError, match="too late"):
        next(items)
    released.set()
    assert time.monotonic() - started < 5


def test_each_step_has_a_limit_and_an_error_of_its_own() -> None:
    released = threading.Event()

    def slow(_: Connected) -> Iterator[int]:
        errand.step(Step(20, lambda: LookupError("never")))
        yield 1
        errand.step(Step(0.1, lambda: LookupError("the second step")))
        yield 2
        released.wait(30)

    errand = Errand(slow, 20, late)
    started, items = time.monotonic(), errand.items()
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(LookupError, match="the second step"):
        next(items)
    released.set()
    assert time.monotonic() - started < 5


def test_a_step_that_ended_in_time_may_be_taken_late() -> None:
    done = threading.Event()

    def quick(_: Connected) -> Iterator[int]:
        for number in range(3):
            errand.step(Step(0.1, late))
            yield number
        done.set()

    errand = Errand(quick, 20, late)
    items = errand.items()
    assert next(items) == 0
    assert done.wait(10)
    pause(0.2)
    assert list(items) == [1, 2]


def test_work_that_never_ends_is_left_behind_in_time() -> None:
    pulse = threading.Event()

    def dripping(_: Connected) -> Iterator[int]:
        while not pulse.wait(0.01):
            yield 1

    started, count = time.monotonic(), 0
    with pytest.raises(DeadlineError):
        for item in Errand(dripping, 0.2, late).items():
            count += item
    pulse.set()
    assert time.monotonic() - started < 1
    assert count > 1


def test_what_was_brought_in_time_may_be_taken_late() -> None:
    done = threading.Event()

    def quick(_: Connected) -> Iterator[int]:
        yield from (1, 2, 3)
        done.set()

    items = Errand(quick, 0.2, late).items()
    assert next(items) == 1
    assert done.wait(10)
    pause(0.3)
    assert list(items) == [2, 3]


def test_what_is_brought_late_is_not_handed_over() -> None:
    go_on, brought = threading.Event(), threading.Event()

    def slow(_: Connected) -> Iterator[int]:
        yield 1
        go_on.wait(10)
        yield 2
        brought.set()

    items = Errand(slow, 0.1, late).items()
    assert next(items) == 1
    pause(0.2)
    go_on.set()
    assert brought.wait(10)
    with pytest.raises(DeadlineError):
        next(items)


@pytest.mark.parametrize("leave", ["closed", "late"])
def test_a_connection_is_shut_down_under_the_work_that_is_left(leave: str) -> None:
    ended: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    ours, theirs = socket.socketpair()

    def reading(connected: Connected) -> Iterator[int]:
        connected(ours)
        yield 1
        ended.put(ours.recv(10))

    with ours, theirs:
        items = Errand(reading, 20 if leave == "closed" else 0.1, late).items()
        assert next(items) == 1
        if leave == "closed":
            items.close()
        else:
            with pytest.raises(DeadlineError):
                next(items)
        assert ended.get(timeout=10) == b""


def test_a_connection_that_comes_after_it_was_left_is_shut_down_at_once() -> None:
    go_on = threading.Event()
    ended: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    ours, theirs = socket.socketpair()

    def connecting(connected: Connected) -> Iterator[int]:
        go_on.wait(10)
        connected(ours)
        ended.put(ours.recv(10))
        yield 1

    with ours, theirs:
        with pytest.raises(DeadlineError):
            next(Errand(connecting, 0.05, late).items())
        go_on.set()
        assert ended.get(timeout=10) == b""


def test_its_own_descriptor_is_closed_at_the_end() -> None:
    ours, theirs = socket.socketpair()

    def connecting(connected: Connected) -> Iterator[int]:
        connected(ours)
        yield 1

    with theirs:
        with ours:
            assert list(Errand(connecting, 20, late).items()) == [1]
        theirs.settimeout(10)
        assert theirs.recv(10) == b""


def test_a_deadline_may_be_as_far_away_as_one_likes() -> None:
    assert list(Errand(counting, float("inf"), late).items())[-1] == 999


def test_a_pause_lasts_as_long_as_it_should() -> None:
    started = time.monotonic()
    pause(MOMENT * 1.2)
    assert MOMENT * 1.2 <= time.monotonic() - started < 1
    pause(0)
    pause(-1)
