"""What scripts/docs makes: the parts of the documents that come from the program, the picture, and the site."""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from docs_scene import ROOT

PROMPTS = ROOT / "prompts"
PICTURE = ROOT / "docs" / "session.svg"
REMOTE = re.compile(r"""(?:src|href)=["'](?:https?:)?//|url\(|@import|@font-face|<script""")


def script(name: str, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts that scripts/docs calls."""
    return subprocess.run(
        [sys.executable, root / "scripts" / name, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["make_reference.py", "make_session.py"])
def test_what_is_made_from_the_program_is_up_to_date(name: str) -> None:
    done = script(name, "--check")
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0), "run scripts/docs"


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_the_starter_prompts_are_counted(page: str) -> None:
    assert f"{len(list(PROMPTS.glob('*.md')))} prompts" in (ROOT / page).read_text()


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    text = PICTURE.read_text()
    ElementTree.fromstring(text)
    assert not REMOTE.search(re.sub(r"url\(#[\w-]+\)", "", text))
    assert re.findall(r"https?://[^\"<\s]+", text) == ["http://www.w3.org/2000/svg"]


def test_the_site_is_whole_and_needs_nothing_from_elsewhere(home: Path) -> None:
    done = script("make_site.py", str(home / "site"))
    assert (done.stdout, done.returncode) == (f"built {home}/site/index.html\n", 0), done.stdout
    pages = sorted((home / "site").glob("*.html"))
    assert len(pages) == len([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
    for page in pages:
        text = page.read_text()
        assert not re.search(r'<link|<script|@import|url\(|src="[a-z]+:', text), page
        for link in re.findall(r'(?:href|src)="([^":]+)"', text):
            target, _, anchor = link.partition("#")
            there = page.parent / (target or page.name)
            assert there.is_file(), f"{page.name}: {link}"
            assert not anchor or f'id="{anchor}"' in there.read_text(), f"{page.name}: {link}"


@pytest.mark.parametrize(
    ("page", "text", "said"),
    [
        ("docs/start.md", "[x](nowhere.md)", "docs/start.md: nowhere.md leads nowhere"),
        ("docs/start.md", "[x](values.md#nowhere)", "docs/start.md: values.md#nowhere leads nowhere"),
        ("README.md", "![x](docs/nowhere.svg)", "README.md: docs/nowhere.svg leads nowhere"),
        ("docs/forgotten.md", "# Forgotten", "docs/forgotten.md: docs/index.md does not lead to it"),
        ("docs/index.md", "[x](gone.md)", "docs/index.md: gone.md leads nowhere"),
    ],
    ids=["page", "anchor", "picture", "page left out", "page in the navigation"],
)
def test_a_broken_link_ends_the_build(page: str, text: str, said: str, home: Path) -> None:
    for folder in ("docs", "scripts"):
        shutil.copytree(ROOT / folder, home / folder)
    for file in [*ROOT.glob("*.md"), ROOT / "LICENSE"]:
        shutil.copy(file, home)
    with (home / page).open("a") as file_:
        file_.write(f"\n{text}\n")
    done = script("make_site.py", str(home / "site"), root=home)
    assert (done.stdout.splitlines(), done.returncode) == ([said], 1)
    assert not (home / "site").exists()
