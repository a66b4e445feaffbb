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
    "which": "prompts",
    "create": "create",
    "edit": "edit",
    "delete": "edit",
    "rename": "edit",
    "copy": "edit",
    "log": "log",
    "stats": "stats",
    "config": "config",
    "api-key": "keys",
    "provider": "providers",
    "model": "models",
    "route": "route",
    "doctor": "doctor",
    "completion": "completion",
    "__complete": "completion",
    "ls": "prompts",
    "rm": "edit",
    "mv": "edit",
    "cp": "edit",
}
"""By name, in the order of the help. Each module has a `register`, which adds its commands to a Typer."""


class Commands(TyperGroup):
    """The root command: its subcommands come from MODULES."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Late()


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
