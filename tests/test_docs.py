"""What the documents show is what happens: each `console` block is run, and its output compared."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import AIX

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CUSTOM_PROVIDERS.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


BLOCKS = [
    pytest.param(match[1], id=f"{page.name}-{number}")
    for page in PAGES
    for number, match in enumerate(BLOCK.finditer(page.read_text()))
]


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block with the output that stands under it."""
    for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = piece.partition("\n")
        yield command, output


@pytest.mark.parametrize("block", BLOCKS)
def test_a_shown_session_is_a_real_one(block: str, home: Path) -> None:
    environment = {**os.environ, "PATH": f"{AIX.parent}:{os.environ['PATH']}"}
    for command, expected in steps(block):
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            text=True,
            env=environment,
            cwd=home,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said = done.stdout + (done.stderr if done.returncode else "")
        assert re.sub("sha256:[0-9a-f]{64}", "sha256:…", said).rstrip("\n") == expected.rstrip("\n"), command


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        assert (page.parent / link).exists(), link


def test_there_are_sessions_to_check() -> None:
    assert len(BLOCKS) >= 3
