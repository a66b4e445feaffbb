"""Each starter prompt is sent, and each tells an empty pipe from a value."""

import pytest
from conftest import Aix, Result
from shelf import CASES, PROMPTS, run_case

from aix.library.prompt import Param

FIRST = {case.parent.name: case for case in reversed(CASES)}
PIPED = {name: param for name, prompt in PROMPTS.items() for param in prompt.params or () if param.stdin}
ALSO_NEEDED = {"ask": ["--question", "Why?"]}


@pytest.mark.parametrize("name", list(PROMPTS)[::4])
def test_it_is_sent_as_it_is(name: str, aix: Aix) -> None:
    done = run_case(aix, FIRST[name], "--provider", "echo", "-x")
    assert done.stdout.startswith("echo was asked")
    assert (done.stderr, done.status) == ("", 0)


@pytest.mark.parametrize("name", PIPED)
def test_what_a_pipe_fills_is_required(name: str) -> None:
    assert PIPED[name].required


SOME = sorted(PIPED)[::6]  # the words are made in one place: a few prompts show that they fit


@pytest.mark.parametrize(("name", "param"), [(name, PIPED[name]) for name in SOME], ids=SOME)
def test_an_empty_pipe_is_told_from_a_value(name: str, param: Param, aix: Aix) -> None:
    done = aix("run", name, *ALSO_NEEDED.get(name, []), "--provider", "echo", "-x", stdin="")
    assert done == Result(
        "",
        f"aix: error: required param '{param.name}' is empty (stdin had 0 bytes)\n"
        f"  hint: pipe something in, or give {param.flag}\n",
        2,
    )
