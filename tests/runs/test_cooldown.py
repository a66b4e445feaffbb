"""Who failed rests for a while: how long, after what, and whatever the file of it looks like."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aix.config import files
from aix.errors import AixError, AuthError, DeadlineError, NetworkError, ProviderError, RateLimitError
from aix.llm.clock import Clock
from aix.llm.providers import Provider
from aix.llm.routing import Target
from aix.runs.cooldown import Cooldown

NOW = 1_790_000_000.0
BOX = Target(Provider("box", "openai-chat", "https://box.example/v1"), "small")
BIG = Target(BOX.provider, "big")
OTHER = Target(Provider("other", "openai-chat", "https://other.example/v1"), "small")


class Time:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOW

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "aix" / "cooldown.json"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cooldown(path: Path, time: Time) -> Cooldown:
    return Cooldown(path, time.clock)


def error(kind: type[AixError], status: int = 0, reason: str = "", wait: float | None = None) -> AixError:
    made = kind("it failed", status=status, reason=reason)
    made.wait = wait
    return made


BUSY = error(ProviderError, 503)

FAILURES: list[tuple[AixError, str, str]] = [
    (error(ProviderError, 500), "box", "HTTP 500"),
    (error(ProviderError, 503), "box", "HTTP 503"),
    (error(RateLimitError, 529), "box", "HTTP 529"),
    (error(AuthError, 401), "", ""),
    (error(RateLimitError, 402), "", ""),
    (error(AuthError, 403), "", ""),
    (error(RateLimitError, 429, "quota"), "", ""),
    (error(NetworkError), "box", "a failed connection"),
    (error(DeadlineError), "box", "a time-out"),
    (error(DeadlineError, 408), "box", "HTTP 408"),
    (error(RateLimitError, 429), "box:small", "HTTP 429"),
    (error(RateLimitError, 498), "box:small", "HTTP 498"),
    (error(AuthError, 0, "no_key"), "", ""),
    (error(ProviderError, 400), "", ""),
    (error(ProviderError, 400, "context"), "", ""),
    (error(ProviderError, 404), "", ""),
    (error(ProviderError, 409), "", ""),
    (error(ProviderError, 500, "content_filter"), "", ""),
    (error(ProviderError), "box", "an unusable answer"),
    (error(ProviderError, 200), "box", "an unusable answer"),
    (error(AuthError), "", ""),
]


@pytest.mark.parametrize(("failure", "name", "after"), FAILURES, ids=lambda value: repr(value)[:60])
def test_after_some_failures_a_provider_rests_or_one_of_its_models(
    failure: AixError, name: str, after: str, cooldown: Cooldown, path: Path
) -> None:
    cooldown.failed(BOX, failure)
    rest = cooldown.find(BOX)
    assert str(rest or "") == (f"{name} rests for 30 s more after {after}" if name else "")
    assert bool(cooldown.find(BIG)) == (name == "box")
    assert cooldown.find(OTHER) is None
    assert path.exists() == bool(name)


def test_each_further_failure_doubles_the_rest_up_to_a_quarter_of_an_hour(cooldown: Cooldown, time: Time) -> None:
    rests = []
    for _ in range(8):
        cooldown.failed(BOX, BUSY)
        rest = cooldown.find(BOX)
        assert rest
        rests.append(rest.seconds)
        time.now += rest.seconds
        assert cooldown.find(BOX) is None
    assert rests == [30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 30), (7.5, 8), (120.0, 120), (3600.0, 3600), (86_400.0, 3600), (float("inf"), 3600), (0.0, 30), (-5.0, 30)],
)
def test_a_provider_rests_for_as_long_as_it_asks_but_no_longer_than_an_hour(
    asked: float | None, seconds: int, cooldown: Cooldown
) -> None:
    cooldown.failed(BOX, error(RateLimitError, 429, wait=asked))
    rest = cooldown.find(BOX)
    assert rest
    assert rest.seconds == seconds


def test_a_shorter_rest_does_not_cut_a_longer_one(cooldown: Cooldown) -> None:
    cooldown.failed(BOX, error(ProviderError, 503, wait=300.0))
    cooldown.failed(BOX, error(ProviderError, 503, wait=5.0))
    assert str(cooldown.find(BOX)) == "box rests for 300 s more after HTTP 503"


def test_the_longer_of_two_rests_is_told(cooldown: Cooldown) -> None:
    cooldown.failed(BOX, error(RateLimitError, 429, wait=90.0))
    cooldown.failed(BOX, BUSY)
    assert str(cooldown.find(BOX)) == "box:small rests for 90 s more after HTTP 429"
    assert str(cooldown.find(BIG)) == "box rests for 30 s more after HTTP 503"


def test_failures_are_forgotten_after_an_hour(cooldown: Cooldown, time: Time) -> None:
    for _ in range(3):
        cooldown.failed(BOX, BUSY)
        cooldown.find(BOX)
    time.now += 3600
    cooldown.failed(BOX, BUSY)
    assert str(cooldown.find(BOX)) == "box rests for 30 s more after HTTP 503"


def test_an_answer_clears_all_that_stood_in_its_way(cooldown: Cooldown, path: Path) -> None:
    for target, failure in ((BOX, BUSY), (BOX, error(RateLimitError, 429)), (OTHER, BUSY)):
        cooldown.failed(target, failure)
    cooldown.answered(BOX)
    assert (cooldown.find(BOX), bool(cooldown.find(OTHER))) == (None, True)
    assert list(json.loads(path.read_bytes())) == ["other"]


def test_an_answer_of_one_model_leaves_the_rest_of_another(cooldown: Cooldown) -> None:
    cooldown.failed(BIG, error(RateLimitError, 429))
    cooldown.answered(BOX)
    assert cooldown.find(BIG)


def test_nothing_is_written_where_nothing_changes(cooldown: Cooldown, path: Path) -> None:
    cooldown.answered(BOX)
    assert not path.parent.parent.exists()
    cooldown.failed(BOX, BUSY)
    before = path.stat().st_ino
    cooldown.answered(OTHER)
    cooldown.find(BOX)
    assert path.stat().st_ino == before


def test_another_process_sees_it_and_nobody_else_can_read_it(cooldown: Cooldown, path: Path, time: Time) -> None:
    cooldown.failed(BOX, BUSY)
    time.now += 12
    assert str(Cooldown(path, time.clock).find(BOX)) == "box rests for 18 s more after HTTP 503"
    assert [stat.S_IMODE(place.stat().st_mode) for place in (path, path.parent)] == [0o600, 0o700]


ENTRY: dict[str, Any] = {"failures": 1, "last": NOW - 10, "until": NOW + 20, "after": "HTTP 503"}
HOSTILE: list[Any] = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'"box"',
    b"[" * 100_000,
    b'{"box": ' * 50_000,
    b'{"box": 1' + b"0" * 5_000 + b"}",
    b'{"box": {"failures": 1e999, "last": NaN, "until": Infinity, "after": ""}}',
    b" " * 300_000 + b"{}",
    {"box": None},
    {"box": []},
    {"box": {}},
    {"box": {"until": NOW + 20}},
    {"box": {**ENTRY, "failures": 0}},
    {"box": {**ENTRY, "failures": -1}},
    {"box": {**ENTRY, "failures": 10**100}},
    {"box": {**ENTRY, "failures": 1.5}},
    {"box": {**ENTRY, "failures": True}},
    {"box": {**ENTRY, "failures": "1"}},
    {"box": {**ENTRY, "last": "now"}},
    {"box": {**ENTRY, "last": None}},
    {"box": {**ENTRY, "last": 10**400}},
    {"box": {**ENTRY, "last": NOW + 1}},
    {"box": {**ENTRY, "last": NOW + 10**9, "until": NOW + 10**9 + 20}},
    {"box": {**ENTRY, "last": NOW - 3600}},
    {"box": {**ENTRY, "last": 0}},
    {"box": {**ENTRY, "until": NOW + 3591}},
    {"box": {**ENTRY, "until": 10**400}},
    {"box": {**ENTRY, "until": NOW - 11}},
    {"box": {**ENTRY, "after": 503}},
    {"box": {**ENTRY, "after": "\x1b[2J"}},
    {"box": {**ENTRY, "after": "x" * 41}},
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: repr(content)[:60])
def test_what_cannot_be_true_counts_as_nothing(content: Any, cooldown: Cooldown, path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    before = path.read_bytes()
    assert cooldown.find(BOX) is None
    cooldown.answered(BOX)
    assert path.read_bytes() == before
    cooldown.failed(BOX, BUSY)
    assert str(cooldown.find(BOX)) == "box rests for 30 s more after HTTP 503"


def test_what_is_true_counts_beside_what_is_not(cooldown: Cooldown, path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_text(json.dumps({"box": ENTRY, "other": {**ENTRY, "last": None}, "": ENTRY}))
    assert str(cooldown.find(BOX)) == "box rests for 20 s more after HTTP 503"
    assert cooldown.find(OTHER) is None


def folder_in_its_place(path: Path) -> None:
    path.mkdir(parents=True)


def pipe_in_its_place(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)


def file_for_its_folder(path: Path) -> None:
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("")


def read_only(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    path.chmod(0o400)
    path.parent.chmod(0o500)


@pytest.mark.parametrize("place", [folder_in_its_place, pipe_in_its_place, file_for_its_folder, read_only])
def test_a_place_that_cannot_be_written_costs_nobody_a_run(place: Any, cooldown: Cooldown, path: Path) -> None:
    place(path)
    cooldown.failed(BOX, BUSY)
    cooldown.answered(BOX)
    cooldown.find(BOX)


def test_who_holds_the_lock_is_not_waited_for_long(cooldown: Cooldown, path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    with files.locked(path.parent, 1.0):
        cooldown.failed(BOX, BUSY)
    assert cooldown.find(BOX) is None


AT_ONCE = """
import multiprocessing, pathlib, sys
from aix.llm.clock import Clock
from test_cooldown import BOX, BUSY, NOW, Cooldown, RateLimitError, Target, error

def fail(number, barrier):
    cooldown = Cooldown(pathlib.Path(sys.argv[1]), Clock(now=lambda: NOW))
    target = BOX if sys.argv[2] else Target(BOX.provider, f"m{number}")
    cooldown.find(target)
    barrier.wait(20)
    cooldown.failed(target, BUSY if sys.argv[2] else error(RateLimitError, 429))

fork = multiprocessing.get_context("fork")
barrier = fork.Barrier(20)
processes = [fork.Process(target=fail, args=(number, barrier)) for number in range(20)]
for process in processes:
    process.start()
for process in processes:
    process.join()
sys.exit(any(process.exitcode for process in processes))
"""
"""Twenty processes that all know of no failure, and all fail; a process without threads starts them."""


@pytest.mark.parametrize(("alike", "entries"), [("alike", 1), ("", 20)])
def test_twenty_processes_at_once_lose_nothing_and_count_as_one(
    alike: str, entries: int, path: Path, cooldown: Cooldown
) -> None:
    places = os.pathsep.join([os.environ["PYTHONPATH"], str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, path, alike], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert done.returncode == 0
    found = json.loads(path.read_bytes())
    assert (len(found), {one["failures"] for one in found.values()}) == (entries, {1})
    rest = cooldown.find(BOX if alike else Target(BOX.provider, "m7"))
    assert rest
    assert rest.seconds == 30
