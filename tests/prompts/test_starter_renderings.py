"""What each starter prompt renders to, byte for byte: see shelf.py for the cases and how to write them anew."""

import json
import re
from pathlib import Path

import pytest
from conftest import Aix
from shelf import CASES, PROMPTS, WRITE, run_case

from aix.library.prompt import Prompt


def optional(prompt: Prompt) -> bool:
    return not all(param.required for param in prompt.params or ())


each_case = pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")


@each_case
def test_the_rendering_is_the_one_that_was_kept(case: Path, aix: Aix) -> None:
    kept = case / "rendering.md"
    done = run_case(aix, case)
    assert (done.stderr, done.status) == ("aix: rendered, not sent; add -x to send\n", 0)
    if WRITE:
        kept.write_bytes(done.stdout.encode())
    assert kept.exists(), f"write it with WRITE_RENDERINGS=1, and read it: {kept}"
    assert done.stdout.encode() == kept.read_bytes()


@each_case
def test_what_is_left_out_leaves_no_trace(case: Path) -> None:
    """Neither a gap nor a doubled space where an optional part would stand; the input itself may have both."""
    instructions = (case / "rendering.md").read_text().split("\n## user\n")[0]
    assert not re.search(r"\n\n\n|[ \t]\n|\S {2,}\S| [.,:;]", instructions)


def test_every_prompt_has_cases_and_every_case_a_prompt() -> None:
    assert {case.parent.name for case in CASES} == set(PROMPTS)


@pytest.mark.parametrize("name", [name for name, prompt in PROMPTS.items() if optional(prompt)])
def test_a_prompt_with_optional_params_is_seen_with_more_and_with_fewer(name: str) -> None:
    given = [json.loads((case / "arguments.json").read_text()) for case in CASES if case.parent.name == name]
    assert len({sum(word.startswith("-") for word in words) for words in given}) > 1
