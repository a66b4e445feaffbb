"""Work in a child of its own: what it gives, and that nothing of it stays."""

import contextlib
import faulthandler
import mmap
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from aix.bounded import ExhaustedError, Limits, bounded, watched
from aix.library.document import parse
from aix.library.templates.template import Template, nothing


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


def leaves_without_data() -> object:
    return {1, 2}


def no_data() -> object:
    return object()


@pytest.mark.parametrize(
    "value", [None, [], {"a": [1, 0.5, "ä\ud800"]}, "x" * 1_000_000, "\ud83d\ude00", "\U0001f600" * 100_000]
)
def test_what_the_work_gives_comes_back(value: object) -> None:
    assert bounded(lambda: value) == value


def test_how_large_this_process_is_does_not_count() -> None:
    with mmap.mmap(-1, 2 * 1024**3):
        assert bounded(lambda: len([bytes(1000) for _ in range(100_000)])) == 100_000


@pytest.mark.parametrize("work", [for_ever, in_no_hurry, greedy, raises, recurses, leaves, dies, no_data])
def test_what_does_not_end_well_is_exhausted(work: Callable[[], object], capfd: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    with pytest.raises(ExhaustedError):
        bounded(work, Limits(wall=0.5))
    assert time.monotonic() - began < 5
    assert capfd.readouterr() == ("", "")


def crashes() -> None:
    faulthandler.disable()  # which pytest has on, and which would tell of it
    os.kill(os.getpid(), signal.SIGSEGV)


def counts_for_ever() -> int:
    return sum(iter(int, 1))


@pytest.mark.parametrize(
    ("work", "limits", "why"),
    [
        (in_no_hurry, Limits(wall=0.2), "took more than 0.2 s"),
        (counts_for_ever, Limits(wall=10, cpu=1), "took more than 1 s of computing"),
        (greedy, Limits(memory=1024**2), "needed more than 1 MiB"),
        (dies, Limits(), "was ended from outside"),
        (crashes, Limits(), "crashed (status -11)"),
        (recurses, Limits(), "failed"),
        (raises, Limits(), "failed"),
    ],
)
def test_it_is_said_what_became_of_the_work(work: Callable[[], object], limits: Limits, why: str) -> None:
    with pytest.raises(ExhaustedError) as caught:
        bounded(work, limits)
    assert caught.value.why == why


def test_work_is_done_beside_threads_that_hold_locks() -> None:
    ended = threading.Event()
    threads = [threading.Thread(target=ended.wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        assert [bounded(partial(int, number)) for number in range(20)] == list(range(20))
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_many_threads_have_work_done_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda number: bounded(lambda: [number]), range(40))) == [[n] for n in range(40)]


@pytest.mark.parametrize("value", [None, {"a": [1, "\ud800"]}])
def test_without_children_the_work_is_done_here(value: object) -> None:
    assert watched(lambda: value, 5) == value


@pytest.mark.parametrize("work", [for_ever, raises, recurses, leaves_without_data])
def test_without_children_work_ends_too_where_python_is_asked(work: Callable[[], object]) -> None:
    before, began = sys.gettrace(), time.monotonic()
    with pytest.raises(ExhaustedError):
        watched(work, 0.2)
    assert time.monotonic() - began < 5
    assert sys.gettrace() is before


def test_without_children_a_template_that_never_ends_does() -> None:
    template = Template(parse("{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3, "main"), nothing)
    with pytest.raises(ExhaustedError, match="took more than"):
        watched(lambda: [message.text for message in template.render({}, {})], 0.2)


def test_a_host_that_ignores_how_its_children_end_is_served_too() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert bounded(lambda: [1]) == [1]
        for work in (raises, dies, in_no_hurry):
            with pytest.raises(ExhaustedError):
                bounded(work, Limits(wall=0.2))
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_ctrl_c_ends_the_child_with_the_work() -> None:
    script = "from aix.bounded import bounded\nprint(1, flush=True)\nbounded(lambda: [0 for _ in iter(int, 1)])"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    with process.stdout:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == -signal.SIGINT
        assert process.stdout.read() == b""  # whoever still had this end would keep it open


def limits_here() -> list[int]:
    return [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS)]


def test_limits_that_are_tighter_already_stay() -> None:
    asked = Limits(cpu=50, memory=1024**4)
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 * 1024**3, before[1]))
    try:
        assert bounded(limits_here, asked) == [50, 8 * 1024**3]
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_host_with_many_open_files_is_served_too() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 1200:
        pytest.skip("the system has no so many files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (1200, before[1]))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        assert bounded(lambda: [1]) == [1]
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_nothing_stays_behind() -> None:
    open_before = os.listdir("/dev/fd")
    for work in (for_ever, raises, list):
        with contextlib.suppress(ExhaustedError):
            bounded(work, Limits(wall=0.1))
    assert len(os.listdir("/dev/fd")) == len(open_before)
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG) == (0, 0)


@pytest.mark.parametrize("inner", [True, False])
def test_work_inside_of_work_has_a_child_of_its_own_or_shares_one(inner: bool) -> None:
    def pids() -> list[int]:
        return [os.getpid(), bounded(os.getpid)]

    outer, own = bounded(pids, Limits(inner=inner))
    assert (outer == own, outer == os.getpid()) == (not inner, False)
    assert bounded(os.getpid) != os.getpid()


def test_shared_work_that_fails_is_said_to() -> None:
    def inside() -> str:
        try:
            bounded(raises)
        except ExhaustedError as error:
            return error.why
        return ""

    assert bounded(inside, Limits(inner=False)) == "failed"
