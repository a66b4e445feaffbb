"""The documents as their tests see them: each page is a story, told in one shell from its first block to its last.

- A ```console block shows a session: a command after `$ `, and below it all that it prints, errors too.
- Each line of a ```sh block is a command.
- A block whose language is followed by a file's name is that file: it is written where the name says.
- A command ends well, or with the status that its last comment tells: `# exit status 4`.

Where that takes place is in docs_scene.py.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docs_scene import ROOT, SECONDS, Scene, scene_in

FRONT = [ROOT / "README.md", ROOT / "CUSTOM_PROVIDERS.md"]
DOCS = sorted((ROOT / "docs").glob("*.md"))

BLOCK = re.compile(
    r"^(?P<fence>`{3,})(?P<language>\w+)(?: (?P<file>\S+))?\n(?P<text>.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)
STATUS = re.compile(r"# exit status (\d+)$", re.MULTILINE)
COMMENT = re.compile(r"\s+#(?: .*)?$")
MARK = "\x1e"

NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install --quiet . "
    "&& .venv/bin/aix run hello --name Ada --provider echo --execute": "installs packages",
    "scripts/test": "runs these tests",
    "pipx install .": "installs packages",
    "aix init": "asks a person; see tests/cli/test_init.py",
    "aix run": "asks a person; see tests/cli/test_pick.py",
    "aix api-key openrouter": "asks a person; see tests/cli/test_api_key.py",
}
"""Commands that no test here can run, and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, with what it is to print; None where the page does not show that."""

    command: str
    shown: str | None = None

    @property
    def status(self) -> int:
        found = STATUS.search(self.command)
        return int(found[1]) if found else 0

    @property
    def plain(self) -> str:
        """The command without the comment behind it."""
        return COMMENT.sub("", self.command)


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page shows."""

    name: str
    text: str


def story(page: Path) -> Iterator[Step | File]:
    """What a page tells, in its order."""
    for block in BLOCK.finditer(page.read_text()):
        if block["file"]:
            yield File(block["file"], block["text"])
        elif block["language"] == "console":
            yield from session(block["text"])
        elif block["language"] == "sh":
            yield from (Step(command) for command in commands(block["text"]))


def session(text: str) -> Iterator[Step]:
    """The commands of a session, each with what it printed."""
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = piece.partition("\n")
        yield Step(command, shown)


def commands(text: str) -> Iterator[str]:
    """The lines of a block, those that belong together as one."""
    gathered = ""
    for line in text.splitlines():
        gathered += f"{line}\n"
        if is_whole(gathered):
            if COMMENT.sub("", f" {gathered.strip()}").strip():
                yield gathered.rstrip("\n")
            gathered = ""
    assert not gathered, f"this is no whole command: {gathered}"


@cache
def is_whole(text: str) -> bool:
    """Whether a shell would run it, and not wait for more lines."""
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, check=False)
    return done.returncode == 0 and not done.stderr and not text.endswith("\\\n")


def told(scene: Scene, page: Path) -> list[tuple[Step, int, str]]:
    """Run all commands of a page in one shell: each with its status and what it printed."""
    steps, script = [], ["cd project"]
    for part in story(page):
        if isinstance(part, File):
            script.append(written(part))
        elif part.plain not in NOT_RUN:
            steps.append(part)
            script.append(f"{scene.localised(part.command)}\nprintf '{MARK}%s{MARK}' $?")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        env=scene.environment(),
        cwd=scene.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    pieces = done.stdout.decode().split(MARK)
    assert len(pieces) == 2 * len(steps) + 1, f"the shell ended early: {done.stdout.decode()[-500:]}"
    return [(step, int(pieces[2 * at + 1]), pieces[2 * at]) for at, step in enumerate(steps)]


def written(file: File) -> str:
    """The command that writes a file; scripts and hooks can be run."""
    place = file.name.replace("~", "$HOME", 1)
    run = f'\nchmod +x "{place}"' if file.text.startswith("#!") else ""
    return f'mkdir -p "$(dirname "{place}")"\ncat > "{place}" <<\'END-OF-FILE\'\n{file.text}END-OF-FILE{run}'


def check(page: Path, home: Path) -> None:
    """Tell the page's story, and compare all of it with what the page says."""
    with scene_in(home) as scene:
        wrong = [fault(scene, *outcome) for outcome in told(scene, page)]
    assert not any(wrong), "\n\n".join(filter(None, wrong))


def fault(scene: Scene, step: Step, status: int, printed: str) -> str:
    """What a step did other than its page says; empty when nothing."""
    said = scene.readable(printed)
    if status != step.status:
        return f"$ {step.command}\nended with {status}, not {step.status}:\n{said}"
    if step.shown is not None and said != step.shown.rstrip("\n"):
        return f"$ {step.command}\nprinted:\n{said}\nand not:\n{step.shown}"
    return ""
