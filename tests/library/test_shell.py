"""`sh(…)`: what a command is given, what comes of it, and that it ends."""

import datetime
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aix.errors import TemplateError
from aix.library.trust.shell import Machine, running

ENV = {"PATH": os.environ["PATH"], "SEEN": "yes"}


def machine(**changes: Any) -> Machine:
    return Machine(**{"cwd": Path.cwd(), "env": ENV, **changes})


def run(command: str, *values: object, **changes: Any) -> str:
    return running(machine(**changes))(command, *values)


@pytest.mark.parametrize(
    ("command", "values", "output"),
    [
        ("echo hi", [], "hi"),
        ("printf 'a\\n\\nb\\n\\n'", [], "a\n\nb"),
        ('printf "[%s]" "$@"', [1, -2, -2.5, True, None, "", "x y", "$(id)", "`id`;id", "a\nb"], None),
        ('printf "[%s]" "$1"', [datetime.date(2026, 11, 21)], "[2026-11-21]"),
        ("echo $0 $#", ["a", "b"], "sh 2"),
        ("cat; echo $SEEN", [], "yes"),
        ("printf 'a\\377b'", [], "a\ufffdb"),
        ("printf '{%% system %%}{{ 1 }}'", [], "{% system %}{{ 1 }}"),
        ("echo bad >&2", [], ""),
    ],
)
def test_a_command_gives_what_it_writes(command: str, values: list[object], output: str | None) -> None:
    shown = "".join(f"[{'' if value is None else value}]" for value in values)
    assert run(command, *values) == (shown if output is None else output)


def test_a_command_runs_where_the_user_is(tmp_path: Path) -> None:
    assert run("pwd -P", cwd=tmp_path) == str(tmp_path.resolve())


@pytest.mark.parametrize("value", ["-x", "--output=/etc/passwd", "-", "-1", "-\n", -math.inf])
def test_a_value_cannot_be_an_option(value: str | float) -> None:
    with pytest.raises(TemplateError, match="for an option"):
        run('touch ran; echo "$1"', value)
    assert not Path("ran").exists()
    assert run('printf %s "$1"', value, choices=[str(value)]) == str(value).rstrip("\n")


@pytest.mark.parametrize(
    ("value", "said"), [(["a"], "a list"), ({"a": 1}, "a dict"), ("a\0b", "NUL"), ("x" * 3_000_000, "cannot be run")]
)
def test_what_is_no_argument_is_refused(value: object, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        run("echo $1", value)


@pytest.mark.parametrize(
    ("command", "value", "refused"),
    [
        ('echo "$1"', "pin", True),
        ('echo "$1"', "pins", False),
        ('echo "$1"', "Bearer sk-0123456789", True),
        ("echo sk-0123456789", "", True),
        ('echo "$1"', "sk-01234", False),
    ],
)
def test_a_secret_is_no_argument_since_the_list_of_processes_shows_those(
    command: str, value: str, refused: bool
) -> None:
    secrets = ["pin", "sk-0123456789"]
    if not refused:
        assert run(command, value, secrets=secrets) == value
        return
    with pytest.raises(TemplateError, match="is given a secret") as caught:
        run(command, value, secrets=secrets)
    assert "sk-0123456789" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "ended with status 3"),
        ("echo why >&2; false", "ended with status 1: why"),
        ("no-such-command", "ended with status 127: .*not found"),
        ("kill -9 $$", "ended with status -9"),
        ("sleep 9", "took longer than 0.3 s"),
        ("sleep 9 & echo hi", "left something running"),
        ("exec >&- 2>&-; sleep 9", "took longer than 0.3 s"),
        ("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxx; done", "wrote more than 1024 KiB|took longer"),
        ("trap '' TERM INT HUP; sleep 9", "took longer than 0.3 s"),
    ],
)
def test_a_command_that_does_not_end_well_is_an_error(command: str, said: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateError, match=said):
        run(command, seconds=0.3)
    assert time.monotonic() - began < 5


def test_output_may_be_as_long_as_that_and_no_longer() -> None:
    assert len(run("head -c 1048576 /dev/zero")) == 1024 * 1024
    with pytest.raises(TemplateError, match="1024 KiB"):
        run("head -c 1048577 /dev/zero")
    assert run("head -c 5000000 /dev/zero >&2; echo hi") == "hi"


def test_a_render_runs_so_many_commands_and_no_more() -> None:
    sh = running(machine(most=3))
    assert [sh("echo 1") for _ in range(3)] == ["1"] * 3
    with pytest.raises(TemplateError, match="3 commands at most"):
        sh("touch ran")
    assert not Path("ran").exists()


def test_what_is_waited_for_is_told_after_a_while() -> None:
    told: list[str] = []
    assert run("sleep 1.2; echo hi", notice=told.append) == "hi"
    assert run("echo quick", notice=told.append) == "quick"
    assert told == ["running sleep 1.2; echo hi"]


def test_a_directory_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be run"):
        run("pwd", cwd=tmp_path / "gone")


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        os.sched_yield()


def test_what_it_started_ends_with_it() -> None:
    run("sleep 60 > /dev/null 2>&1 & echo $! > pid")
    wait_until(lambda: gone(int(Path("pid").read_text())))


PROGRAM = """
from pathlib import Path
from aix.library.trust.shell import Machine, running
try:
    running(Machine(Path.cwd(), {"PATH": %r}))("sleep 60 & echo $! > pid.new; mv pid.new pid; wait")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_control_c_ends_all_of_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM % ENV["PATH"]], stdout=subprocess.PIPE)
    wait_until(Path("pid").exists)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0] == b"interrupted\n"
    wait_until(lambda: gone(int(Path("pid").read_text())))
