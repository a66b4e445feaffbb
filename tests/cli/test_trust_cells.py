"""What is not trusted never runs: each state of a prompt, each command that reads one, on a terminal, in a pipe, in CI.

A cell of the table is a state, a command and a kind of place. `AIX_FULL=1` runs all of them; else each state, command
and kind stands in some.
"""

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Aix
from full import full
from stage import Terminal, serving

from aix.app import App
from aix.app_prompts import Chosen, Prompts
from aix.errors import RefusedError
from aix.library.trust.store import content

PROMPT = '---\ndescription: A prompt\n---\n{% include "_part.md" %}\n{{ sh("touch ran") }}\n'
PART = "Be short.\n"
FOREIGN = '{{ sh("touch ran") }}\n'


@dataclass(frozen=True, slots=True)
class Shelf:
    """A library, where it matters in git, in a home of its own, whose prompt `p` is trusted as it is at first."""

    home: Path

    @property
    def library(self) -> Path:
        return self.home / ".prompts"

    @property
    def path(self) -> Path:
        return self.library / "p.md"

    @property
    def ran(self) -> bool:
        return (self.home / "ran").exists()

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "HOME": str(self.home)}

    @property
    def prompts(self) -> Prompts:
        return App(self.env, self.home).prompts

    def choose(self, name: str = "p") -> Chosen:
        return self.prompts.choose(name, None, str)

    def trust(self) -> None:
        chosen = self.choose()
        self.prompts.trust.add(content(chosen.prompt, chosen.template))

    def replace(self, old: str, new: str, file: str = "p.md") -> None:
        path = self.library / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def git(self, *arguments: str, within: str = ".prompts") -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *who, *arguments], cwd=self.home / within, env=self.env, check=True, capture_output=True)

    def commit(self, within: str = ".prompts") -> None:
        self.git("commit", "--quiet", "--all", "--message", "a change", within=within)


def shelf_in(home: Path) -> Shelf:
    shelf = Shelf(home)
    shelf.library.mkdir(mode=0o700, parents=True)
    shelf.path.write_text(PROMPT)
    (shelf.library / "_part.md").write_text(PART)
    return shelf


# --- the states: each gives the name that is run then ---------------------------------------------------------------


def new(shelf: Shelf) -> str:
    (shelf.library / "q.md").write_text(PROMPT.replace("A prompt", "Another"))
    return "q"


def one_byte_changed(shelf: Shelf) -> str:
    shelf.replace("touch ran", "touch  ran")
    return "p"


def include_changed(shelf: Shelf) -> str:
    shelf.replace("short", "brief", "_part.md")
    return "p"


def front_matter_changed(shelf: Shelf) -> str:
    shelf.replace("A prompt", "a prompt")
    return "p"


def another_branch(shelf: Shelf) -> str:
    shelf.git("checkout", "--quiet", "-b", "other")
    shelf.replace("touch ran", "touch ./ran")
    shelf.commit()
    shelf.git("checkout", "--quiet", "main")
    shelf.git("checkout", "--quiet", "other")
    return "p"


def pulled(shelf: Shelf) -> str:
    shelf.git("clone", "--quiet", ".prompts", "theirs", within=".")
    (shelf.home / "theirs" / "_part.md").write_text("Be brief.\n")
    shelf.commit(within="theirs")
    shelf.git("pull", "--quiet", "--ff-only", "../theirs", "main")
    return "p"


def reverted(shelf: Shelf) -> str:
    shelf.git("revert", "--no-edit", "HEAD")
    return "p"


def untrusted_again(shelf: Shelf) -> str:
    assert shelf.prompts.trust.remove(shelf.choose().template.digest)
    return "p"


def foreign_include(shelf: Shelf) -> str:
    """The user writes a prompt that includes a stranger's file."""
    (shelf.library / "_theirs.md").write_text(FOREIGN)
    home = shelf.prompts.library_at(None)
    prompt = home.create(home.refuse("q"), b'{% include "_theirs.md" %}\n')
    shelf.prompts.wrote(prompt, home.layers[0])
    return "q"


def renamed(shelf: Shelf) -> str:
    shelf.git("mv", "p.md", "q.md")
    return "q"


def copied(shelf: Shelf) -> str:
    (shelf.library / "q.md").write_bytes(shelf.path.read_bytes())
    return "q"


def moved(shelf: Shelf) -> str:
    (shelf.library / "web").mkdir()
    shelf.path.rename(shelf.library / "web" / "p.md")
    return "web/p"


def with_other_line_ends(shelf: Shelf) -> str:
    shelf.path.write_bytes(shelf.path.read_bytes().replace(b"\n", b"\r\n"))
    return "p"


def touched(shelf: Shelf) -> str:
    os.utime(shelf.path, (1, 1))
    return "p"


State = Callable[[Shelf], str]
LOSE: Sequence[State] = (
    new,
    one_byte_changed,
    include_changed,
    front_matter_changed,
    another_branch,
    pulled,
    reverted,
    untrusted_again,
    foreign_include,
)
KEEP: Sequence[State] = (renamed, copied, moved, with_other_line_ends, touched)
IN_GIT = (another_branch, pulled, reverted, renamed)
COMMANDS: Mapping[str, tuple[Sequence[str], bool]] = {
    "run": (["run", "{}"], True),
    "run -x": (["run", "{}", "-x"], True),
    "run -n": (["run", "{}", "-n"], True),
    "run --show-request": (["run", "{}", "--show-request"], True),
    "tokens": (["tokens", "{}"], True),
    "show": (["show", "{}"], False),
    "list": (["list"], False),
    "lint": (["lint", "{}"], False),
}
"""What each command is, and whether it renders."""
KINDS = ("terminal", "pipe", "CI")


def cells() -> list[tuple[State, str, str]]:
    whole = list(itertools.product((*LOSE, *KEEP), COMMANDS, KINDS))
    assert len(whole) == 336
    names, states = list(COMMANDS), (*LOSE, *KEEP)
    some = [(state, names[at % 8], KINDS[(at + at // 8) % 3]) for at, state in enumerate(states)]
    return full(some, whole)


def made(state: State, home: Path) -> tuple[Shelf, str]:
    """A shelf in a state, and the name to run."""
    shelf = shelf_in(home)
    if state in IN_GIT:
        shelf.git("init", "--quiet")
        shelf.git("add", ".")
        shelf.commit()
    if state is reverted:  # to a content that was never trusted
        shelf.replace("touch ran", "touch ran ran")
        shelf.commit()
    shelf.trust()
    return shelf, state(shelf)


@pytest.mark.parametrize(("state", "command", "kind"), cells(), ids=lambda value: getattr(value, "__name__", value))
def test_a_command_runs_only_where_the_digest_is_trusted(
    state: State, command: str, kind: str, home: Path, aix: Aix
) -> None:
    shelf, name = made(state, home)
    words, renders = COMMANDS[command]
    arguments = [word.format(name) for word in words]
    runs, refused = renders and state in KEEP, renders and state in LOSE
    with serving(shelf.library) as model:
        status = _status(arguments, kind, aix, asks=refused)
    assert (shelf.ran, bool(model.asked)) == (runs, runs and command == "run -x")
    assert (status == 11, status in (0, 6, 11)) == (refused, True)  # 6: `lint` found something


def _status(arguments: Sequence[str], kind: str, aix: Aix, *, asks: bool) -> int:
    if kind == "pipe":
        return aix(*arguments).status
    terminal = Terminal(*arguments, env={"CI": "1"} if kind == "CI" else {})
    if asks and kind == "terminal":
        terminal.wait_for("Trust this content")
        terminal.type("n")
    return terminal.end()


# --- the controls -----------------------------------------------------------------------------------------------------


class SaysYes(Prompts):
    def trusts(self, chosen: Chosen) -> bool:
        return True


class ForgetsIncludes(Prompts):
    """Knows a prompt by its own file alone."""

    def trusts(self, chosen: Chosen) -> bool:
        return any(next(iter(entry.files.values()), "") == chosen.prompt.text for entry in self.trust.all())


def wrong(kind: type[Prompts], folder: Path) -> Iterator[str]:
    """The states in which a command runs, or does not, against the table."""
    for state in (*LOSE, *KEEP):
        shelf, name = made(state, folder / state.__name__)
        app = App(shelf.env, shelf.home)
        prompts = kind(lambda app=app: app.paths, shelf.env, shelf.home, app.warn, app.known_secrets)  # type: ignore[misc]
        try:
            prompts.render(prompts.choose(name, None, str), {}, commands=True)
        except RefusedError:
            assert not shelf.ran
        if shelf.ran != (state in KEEP):
            yield state.__name__


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Prompts, []),
        (SaysYes, [state.__name__ for state in LOSE]),
        (ForgetsIncludes, ["include_changed", "pulled"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_table_tells_a_store_that_trusts_too_much(kind: type[Prompts], found: list[str], tmp_path: Path) -> None:
    assert list(wrong(kind, tmp_path / "shelves")) == found
