"""The commands there are, and the module of each, which is imported when the command is looked up and not before."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

MODULES = {
    "init": "init",
    "run": "run",
    "rerun": "rerun",
    "tokens": "tokens",
    "list": "prompts",
    "search": "prompts",
    "show": "prompts",
    "which": "which",
    "create": "create",
    "edit": "edit",
    "delete": "edit",
    "rename": "edit",
    "copy": "edit",
    "trust": "trust",
    "untrust": "trust",
    "log": "log",
    "stats": "stats",
    "collection": "collection",
    "config": "config",
    "api-key": "keys",
    "provider": "providers",
    "model": "models",
    "route": "route",
    "lint": "lint",
    "doctor": "doctor",
    "completion": "completion",
    "__complete": "completion",
    "ls": "prompts",
    "rm": "edit",
    "mv": "edit",
    "cp": "edit",
}
"""By name. Each module has a `register`, which adds its commands to a Typer."""

SUMMARIES = {
    "init": "Set up a provider, and run a first prompt.",
    "run": "Render a prompt; with -x, send it and stream the answer.",
    "rerun": "Send what a run sent once more, with other flags.",
    "tokens": "Count a prompt's tokens, and say what it costs to send it.",
    "list": "List the prompts that can be run.",
    "search": "Find prompts by words, the best first.",
    "show": "Show one prompt: where it lives, what it needs, what it says.",
    "which": "Print the file that runs by a name.",
    "create": "Make a prompt: from a text, from stdin, or in your editor.",
    "edit": "Change a prompt in your editor, or its front matter by flags.",
    "delete": "Delete prompts.",
    "rename": "Give a prompt another name.",
    "copy": "Copy a prompt, with what it includes.",
    "lint": "Look for what is wrong with prompt files.",
    "trust": "Let prompts run the commands that stand in them as sh(…).",
    "untrust": "Let prompts run commands no longer.",
    "collection": "Use a team's prompts: folders in git, pinned to a commit.",
    "log": "Look at what was run, who answered, and what came of it.",
    "stats": "Add up the run log: runs, tokens, cost and speed.",
    "config": "Look at settings, and change them.",
    "api-key": "Save a provider's key in config.json, which only you can read.",
    "provider": "Look at providers, try them, and add your own.",
    "model": "Look at models: what they can do, and what they cost.",
    "route": "Show who would be asked, in which order, and why.",
    "doctor": "Look for what is wrong, and say what to type.",
    "completion": "Print the script that completes aix in your shell.",
}
"""What each does, in the order of the help, which loads no command to say so. The others are hidden."""


class Commands(TyperGroup):
    """The root command: its subcommands come from MODULES."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Late()

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as Typer calls it
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


class _Late(MutableMapping[str, Any]):
    """The commands by name; one that is asked for is made, and kept."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            noun = typer.Typer(rich_markup_mode=None)
            import_module(f"aix.cli.{MODULES[name]}").register(noun)
            self._made |= get_group(noun).commands
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)
