"""`aix collection create`, `export`, `import`: prompts that are handed on."""

import json
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import Aix
from stage import Terminal, shell, write

from aix.library.collections import tar

KEY = "sk-proj-" + "a1B2" * 8


@pytest.fixture
def own(library: Path) -> Path:
    write(library, "_style", "Be short.\n")
    write(library, "greet", '---\ndescription: Say hello\n---\n{% include "_style.md" %}Hello {{ name }}\n')
    write(library, "web/page", "A page of {{ text }}\n")
    return library


def test_a_new_folder_has_the_prompts_with_what_they_include_and_can_be_added(own: Path, aix: Aix, home: Path) -> None:
    done = aix("collection", "create", "team", "user:greet", "--description", "What we | share")
    assert done.status == 0, done.stderr
    found = {path.relative_to(home / "team").as_posix() for path in (home / "team").rglob("*")}
    assert found == {"README.md", ".gitattributes", "_style.md", "greet.md"}
    page = (home / "team/README.md").read_text()
    assert "| `greet` | Say hello |" in page
    assert "What we \\| share" in page
    for line in done.stderr.splitlines():
        if "share it: " in line:
            subprocess.run(
                [
                    "sh",
                    "-c",
                    line.partition("share it: ")[2].replace("commit", "-c user.name=A -c user.email=a@b.c commit"),
                ],
                check=True,
                capture_output=True,
            )
    assert aix("collection", "add", "team").status == 0
    assert aix("run", "team:greet", "--name", "Ada").stdout.startswith("Be short.")


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (("full", "greet"), 2, "exists already"),
        (("user", "greet"), 2, "cannot be called 'user'"),
        (("../x", "greet"), 2, "cannot be called"),
        (("team", "nowhere"), 5, "no prompt 'nowhere'"),
        (("team", "greet", "broken"), 6, "broken.md"),
        (("team", "user:greet", "project:greet"), 2, "only one of them"),
    ],
)
def test_a_folder_is_made_whole_or_not_at_all(
    arguments: tuple[str, ...], status: int, why: str, own: Path, aix: Aix, home: Path
) -> None:
    write(home / "full", "a", "A\n")
    write(own, "broken", "{{\n")
    write(home / "work/.prompts", "greet", "Another\n")
    (home / "work/.git").mkdir()
    done = aix("collection", "create", *arguments, cwd=home / ("work" if "project:greet" in arguments else "."))
    assert (done.status, why in done.stderr, done.stderr.count("aix: error:")) == (status, True, 1), done.stderr
    assert not (home / "team").exists()
    assert not (home / "work/team").exists()


def test_the_same_prompts_are_the_same_bytes_everywhere(own: Path, home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name in ("web/page.md", "greet.md", "_style.md"):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(own / name, other / name)
        (other / name).chmod(0o600)
        os.utime(other / name, (1, 1))
    script = '"$AIX" collection export user --name team --library "$1"'
    one = shell(f"{script} | sha256sum", str(own)).stdout
    two = shell(f"umask 077; TZ=Asia/Kathmandu LANG=de_DE.UTF-8 {script} | sha256sum", str(other)).stdout
    assert one == two
    assert one.split()[0] != sha256(b"").hexdigest()


def test_what_is_exported_imported_and_exported_is_the_same(own: Path, aix: Aix, home: Path) -> None:
    assert aix("collection", "export", "user", "--desc", "Ours", "-o", "team.tar.gz").status == 0
    assert aix("collection", "import", "team.tar.gz").status == 0
    assert aix("collection", "export", "team", "-o", "again.tgz").status == 0
    assert (home / "team.tar.gz").read_bytes() == (home / "again.tgz").read_bytes()
    said = json.loads(dict(tar.unpacked((home / "again.tgz").read_bytes()))["manifest.json"])
    assert (said["name"], said["description"], sorted(said["prompts"])) == ("team", "Ours", ["greet", "web/page"])


def test_a_newer_archive_shows_what_changed_and_asks(own: Path, aix: Aix, home: Path) -> None:
    aix("collection", "export", "greet", "--name", "team", "-o", "1.tar.gz")
    write(own, "greet", "Good day {{ name }}\n")
    aix("collection", "export", "greet", "--name", "team", "-o", "2.tar.gz")
    assert aix("collection", "import", "1.tar.gz").status == 0
    assert ".aix.lock" in (own / ".gitignore").read_text()
    assert "all collections are from archives" in aix("collection", "update").stderr
    assert "up to date" in aix("collection", "import", "1.tar.gz").stderr
    asked = aix("collection", "import", "2.tar.gz")
    assert (asked.status, "~ greet" in asked.stdout, "- _style" in asked.stdout) == (2, True, True)
    assert aix("run", "team:greet", "--name", "A").stdout.startswith("Be short")
    with (home / "2.tar.gz").open("rb") as data:
        assert aix("collection", "import", "-", "--yes", stdin=data.read()).status == 0
    assert aix("run", "team:greet", "--name", "A").stdout.startswith("Good day")


def test_commands_of_a_new_archive_are_named(own: Path, aix: Aix) -> None:
    write(own, "recent", '{{ sh("git log") }}\n')
    aix("collection", "export", "recent", "--name", "team", "-o", "team.tar.gz")
    assert "once you trust them: aix show team:recent\n" in aix("collection", "import", "team.tar.gz").stderr


def test_a_key_in_a_prompt_is_pointed_out(own: Path, aix: Aix) -> None:
    write(own, "api", f"Use\n{KEY}\n")
    done = aix("collection", "export", "api", "-o", "api.tar.gz")
    assert done.status == 0
    assert "api.md:2: sk-p***" in done.stderr
    assert KEY not in done.stderr


def test_an_archive_is_nothing_for_a_terminal(own: Path) -> None:
    terminal = Terminal("collection", "export", "greet")
    assert terminal.end() == 2
    assert "an archive is nothing for a terminal" in terminal.screen
