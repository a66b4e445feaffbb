"""What the documents show is what happens: pages.py says how a page is read. Here are the two that are read first."""

import re
from pathlib import Path

import pytest
from docs_scene import ROOT
from pages import BLOCK, DOCS, FRONT, NOT_RUN, Step, check, commands, story

from aix.config.values import KEYS

LONGEST = 150


@pytest.mark.parametrize("page", FRONT, ids=lambda page: page.name)
def test_all_that_a_page_shows_happens(page: Path, home: Path) -> None:
    check(page, home)


@pytest.mark.parametrize("page", [page for page in [*FRONT, *DOCS] if page.name != "commands.md"], ids=lambda p: p.name)
def test_a_page_is_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```sh\naix show nothing\n```", "ended with 5, not 0"),
        ("```sh\naix list  # exit status 5\n```", "ended with 0, not 5"),
        ("```console\n$ aix --version\naix 0.0.1\n```", "and not:\naix 0.0.1"),
        ("```console\n$ aix list --tag none\n```", "no prompt has none as a tag"),
    ],
    ids=["failure", "success", "other words", "words on stderr"],
)
def test_a_page_that_is_wrong_is_noticed(block: str, said: str, home: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{block}\n")
    with pytest.raises(AssertionError, match=re.escape(said)):
        check(page, home)


def test_what_is_not_run_is_still_shown() -> None:
    shown = {part.plain for page in [*FRONT, *DOCS] for part in story(page) if isinstance(part, Step)}
    assert set(NOT_RUN) <= shown


def test_there_is_much_to_check() -> None:
    assert sum(isinstance(part, Step) for page in [*FRONT, *DOCS] for part in story(page)) >= 100


def test_the_two_commands_of_the_readme_stand_first() -> None:
    first, second = [block["text"] for block in BLOCK.finditer(FRONT[0].read_text())][:2]
    assert first.startswith("python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/aix run hello ")
    assert second == "scripts/test\n"


def test_a_command_of_several_lines_is_one() -> None:
    text = "for x in a b; do\n  echo $x\ndone\n# a remark\necho one \\\n  two\ncat <<END\nhi\nEND\n"
    assert list(commands(text)) == ["for x in a b; do\n  echo $x\ndone", "echo one \\\n  two", "cat <<END\nhi\nEND"]


@pytest.mark.parametrize("key", [*KEYS, "api_keys.", "custom_providers.", "models.", "roles."])
def test_every_setting_is_on_the_page_of_settings(key: str) -> None:
    assert f"`{key}" in (ROOT / "docs" / "configuration.md").read_text()
