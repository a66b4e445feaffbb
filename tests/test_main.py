"""The root command: what it says alone, how errors are told, and what never appears in them."""

import json
import re
from pathlib import Path

import pytest
from conftest import Aix

import aix as package
from aix import errors

KEY = "sk-canary-0123456789abcdef"


def test_alone_it_shows_its_help(aix: Aix) -> None:
    done = aix()
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout == aix("--help").stdout


def test_it_knows_its_version(aix: Aix) -> None:
    assert aix("--version").stdout == f"aix {package.__version__}\n"


def test_a_wrong_command_is_told_with_near_ones(aix: Aix) -> None:
    done = aix("shwo")
    assert (done.stdout, done.status) == ("", 2)
    assert done.stderr == "aix: error: no such command 'shwo'. Did you mean 'show'?\n  hint: aix --help\n"


def test_a_traceback_is_shown_only_when_it_is_asked_for(aix: Aix) -> None:
    assert "Traceback" not in aix("run", "nope").stderr
    assert "Traceback" in aix("run", "nope", env={"AIX_DEBUG": "1"}).stderr


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_key_that_aix_knows_is_in_no_error(debug: str, aix: Aix) -> None:
    done = aix("run", KEY, "--json", env={"OPENAI_API_KEY": KEY, "AIX_DEBUG": debug})
    assert done.status == 5
    assert KEY not in done.stdout + done.stderr
    assert "sk-c***cdef" in done.stderr
    assert json.loads(done.stdout)["error"]["message"] == "there is no prompt 'sk-c***cdef'"


def test_every_documented_exit_status_is_the_one_in_the_code() -> None:
    table = Path(__file__).parent.parent.joinpath("docs", "exit-status.md").read_text()
    documented = {(int(number), name) for number, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", table, re.MULTILINE)}
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert documented == {(kind.exit_code, kind.name) for kind in classes} | {(0, "OK")}  # type: ignore[attr-defined]
