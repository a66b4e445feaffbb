"""What a command does not use, it does not load: checked in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from conftest import Aix
from typer.main import get_command

from aix.cli.commands import MODULES, SUMMARIES
from aix.cli.main import cli

COMMANDS = [name for name in MODULES if name != "__complete"]

LOADED = """
import json, sys
from aix.cli.main import execute
status = execute(sys.argv[1:])
sys.stdout.flush()
print("\\n" + json.dumps([status, sorted(name for name in sys.modules if "." not in name or name.startswith("aix."))]))
"""


def loaded_after(*arguments: str) -> set[str]:
    """The top-level modules, and those of aix, that are there when the command has ended well."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        check=True,
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], {"httpx", "jinja2", "yaml", "rich", "questionary", "ssl"}),
        (["--help"], {"httpx", "jinja2", "yaml", "rich", "questionary", "ssl", "aix.cli.run", "aix.cli.log"}),
        (["run", "--help"], {"sqlite3", "httpx", "jinja2", "yaml", "rich", "questionary", "ssl"}),
        (["list"], {"httpx", "jinja2", "rich", "questionary", "ssl"}),
        (["config", "--list"], {"httpx", "jinja2", "yaml", "rich", "questionary", "ssl"}),
        (["run", "hello", "--name", "Ada"], {"sqlite3", "email", "httpx", "rich", "questionary", "ssl"}),
        (["run", "hello", "--name", "Ada", "--json"], {"sqlite3", "email", "httpx", "rich", "questionary", "ssl"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_nothing_is_loaded_before_it_is_used(arguments: list[str], absent: set[str]) -> None:
    assert loaded_after(*arguments) & (absent | {"click", "pydantic"}) == set()


def test_the_check_can_fail() -> None:
    assert "jinja2" in loaded_after("run", "hello", "--name", "Ada")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_that_fits(command: str, aix: Aix) -> None:
    done = aix(command, "--help", env={"COLUMNS": "80"})
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: aix {command} ")
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_the_help_of_all_fits_and_cuts_no_summary(aix: Aix) -> None:
    shown = aix("--help", env={"COLUMNS": "80"}).stdout.splitlines()
    assert [line for line in shown if len(line) > 80 or line.endswith("...")] == shown[:1]


def test_what_the_help_says_of_a_command_is_what_it_says_itself() -> None:
    root = get_command(cli)
    shown = {name: command for name, command in root.commands.items() if not command.hidden}  # type: ignore[attr-defined]
    assert {name: command.get_short_help_str(80) for name, command in shown.items()} == SUMMARIES
