"""A prompt and the values of a program on their way to messages. Standard input has no part in it."""

import os
from collections.abc import Mapping
from typing import Any, Literal, NoReturn

from aix.app import App
from aix.app_prompts import Chosen
from aix.config.paths import in_home
from aix.errors import UsageError
from aix.library.arguments import Sources, resolve
from aix.library.values import Value, given
from aix.messages import Part
from aix.runs import flags
from aix.runs.attachments import attached
from aix.runs.filling import complete, fill
from aix.runs.run import Run


def run_of(chosen: Chosen) -> Run:
    return Run(chosen.prompt.name, chosen.template.digest, chosen.prompt.layer, chosen.revision)


def fill_in(app: App, chosen: Chosen, run: Run, values: Mapping[str, Value], options: Mapping[str, Any]) -> None:
    """Give a run its messages. Raises UsageError, TemplateError or RefusedError."""
    params, parts = chosen.template.params, _attached(app, options.get("attach"))
    system, pin = options.get("system"), options.get("trust") or ""
    flags.refuse_others("system", [] if system is None else [system])
    flags.refuse_others("trust", [pin])
    found = resolve(params, given(params, values), Sources(_NoStdin(), app.cwd))
    seen = fill(run, chosen.prompt, params, found)
    commands = options.get("commands", True) and app.settings.get("commands_enabled").value
    messages = app.prompts.render(chosen, seen, commands=commands, pin=pin)
    run.messages = complete(messages, system, parts)


def _attached(app: App, given: Any) -> tuple[Part, ...]:
    """The parts that are attached, in their order. Raises UsageError."""
    items = flags.several(given)
    names = [_name(item) for item in items if not isinstance(item, Part)]
    read = iter(attached(names, lambda name: in_home(name, app.paths.home, app.cwd), lambda _: b""))
    return tuple(item if isinstance(item, Part) else next(read) for item in items)


def _name(item: object) -> str:
    """The name of a file to attach, which never is standard input. Raises UsageError."""
    if not isinstance(item, str | os.PathLike):
        raise UsageError(f"--attach must be a path, an Image, a File or a Text, not a Python {type(item).__name__}")
    return "./-" if (name := os.fsdecode(item)) == "-" else name


class _NoStdin:
    """Standard input is the program's own."""

    kind: Literal["terminal", "piped", "other", "closed"] = "closed"

    def read(self) -> str:
        return no_stdin()


def no_stdin() -> NoReturn:
    raise UsageError("'-' is standard input, which is the program's own", hint="give a name, or the path of a file")
