"""Questions to a person, asked on stderr so that stdout stays the answer's. The one door to questionary."""

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aix.errors import UsageError
from aix.library.prompt import Param

EDITORS = ("nano", "vim", "vi", "emacs")


def value(param: Param, env: Mapping[str, str], editor: str | None) -> str:
    """What a person gives for a required param: a choice, a line, or an editor's text. Raises UsageError."""
    title = f"{param.name}{f' ({param.help})' if param.help else ''}:"
    if param.choices:
        return choose(title, [str(choice) for choice in param.choices])
    if param.type == "text":
        return edit("", env, editor, f"{param.name}.txt")
    return text(title)


def text(title: str) -> str:
    import questionary

    return str(_answered(questionary.text(title, **_stderr())))


def secret(title: str) -> str:
    """A line that is not shown while it is typed."""
    import questionary

    return str(_answered(questionary.password(title, **_stderr())))


def choose(title: str, choices: list[str]) -> str:
    import questionary

    return str(_answered(questionary.select(title, choices=choices, **_stderr())))


def confirm(title: str) -> bool:
    import questionary

    return bool(_answered(questionary.confirm(title, default=False, **_stderr())))


def edit(start: str, env: Mapping[str, str], editor: str | None, name: str) -> str:
    """The text that a person leaves in an editor that began with `start`. Raises UsageError when there is no editor,
    or when it fails."""
    command = find_editor(env, editor)
    with tempfile.TemporaryDirectory(prefix="aix-") as folder:
        path = Path(folder) / Path(name).name
        path.write_text(start, encoding="utf-8")
        try:
            status = subprocess.run([*command, str(path)], env=dict(env), check=False).returncode
        except OSError as error:
            raise UsageError(
                f"cannot start the editor {command[0]}: {error.strerror}", hint="export EDITOR=nano"
            ) from None
        if status != 0:
            raise UsageError(f"the editor {command[0]} ended with status {status}; nothing is changed")
        return path.read_text(encoding="utf-8", errors="surrogateescape")


def find_editor(env: Mapping[str, str], setting: str | None) -> list[str]:
    """`$VISUAL`, `$EDITOR`, the setting, then what is there. Raises UsageError."""
    for command in (env.get("VISUAL"), env.get("EDITOR"), setting):
        if command and command.strip():
            return shlex.split(command)
    for name in EDITORS:
        if shutil.which(name, path=env.get("PATH")):
            return [name]
    raise UsageError("there is no editor", hint="export EDITOR=nano, or give the text as an argument")


def _stderr() -> dict[str, Any]:
    from prompt_toolkit.output import create_output

    return {"output": create_output(stdout=sys.stderr)}


def _answered(question: Any) -> Any:
    """The answer; Ctrl-C while it is asked is a Ctrl-C of the whole command."""
    answer = question.unsafe_ask()
    if answer is None:
        raise KeyboardInterrupt
    return answer
