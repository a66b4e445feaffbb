"""Questions to a person, asked on stderr so that stdout stays the answer's. The one door to questionary."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aix.cli.console import visible
from aix.errors import UsageError
from aix.library.prompt import Param

EDITORS = ("nano", "vim", "vi", "emacs")


def value(param: Param, env: Mapping[str, str], editor: str | None) -> str:
    """What a person gives for a required param: a choice, a line, or an editor's text. Raises UsageError."""
    title = f"{param.name}{f' ({visible(param.help)})' if param.help else ''}:"
    if param.choices:
        return choose(title, [str(choice) for choice in param.choices])
    if param.type == "boolean":
        return choose(title, ["yes", "no"])
    if param.secret:
        return secret(title)
    if param.type == "text":
        with edited("", env, editor, f"{param.name}.txt") as (text, _):
            return text
    return line(title, lambda text: _complaint(param, text))


def line(title: str, complaint: Callable[[str], str] = lambda _: "") -> str:
    """One line; it is asked for again while there is a `complaint` about it."""
    import questionary

    return str(_answered(questionary.text(title, validate=lambda text: complaint(text) or True, **_stderr())))


def secret(title: str) -> str:
    """A line that is not shown while it is typed."""
    import questionary

    return str(_answered(questionary.password(title, **_stderr())))


def choose(title: str, choices: list[str]) -> str:
    import questionary

    shown = [questionary.Choice(visible(choice), value=choice) for choice in choices]
    return str(_answered(questionary.select(title, choices=shown, **_stderr())))


def confirm(title: str) -> bool:
    import questionary

    return bool(_answered(questionary.confirm(title, default=False, **_stderr())))


@contextmanager
def edited(start: str, env: Mapping[str, str], editor: str | None, name: str) -> Iterator[tuple[str, Path]]:
    """The text that a person leaves in an editor that began with `start`, and the file that it is in. The file stays
    when what is done with a new text fails. Raises UsageError when there is no editor, when it fails, or leaves no
    text."""
    command = find_editor(env, editor)
    folder = Path(tempfile.mkdtemp(prefix="aix-"))
    path = folder / Path(name).name
    path.write_text(start, encoding="utf-8")
    try:
        _start_editor([*command, str(path)], env)
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text (byte {error.start}); it stays where it is") from None
    except BaseException:
        _discard_untouched(path, start)
        raise
    try:
        yield text, path
    except BaseException:
        _discard_untouched(path, start)
        raise
    shutil.rmtree(folder)


def _discard_untouched(path: Path, start: str) -> None:
    """Remove the folder of a file in which nobody wrote anything; what somebody wrote is never removed."""
    if path.read_text(encoding="utf-8", errors="replace").strip() in ("", start.strip()):
        shutil.rmtree(path.parent)


def _start_editor(command: list[str], env: Mapping[str, str]) -> None:
    """Run it on the terminal that stderr is: stdout may be a file that waits for the answer."""
    try:
        status = subprocess.run(command, env=dict(env), stdout=sys.stderr, check=False).returncode
    except OSError as error:
        raise UsageError(
            f"cannot start the editor {command[0]}: {os.strerror(error.errno or 0).lower()}", hint="export EDITOR=nano"
        ) from None
    if status != 0:
        raise UsageError(
            f"the editor {command[0]} ended with status {status}; nothing is changed",
            hint=f"what was written, if anything, is in {command[-1]}",
        )


def _complaint(param: Param, text: str) -> str:
    try:
        param.read(text)
    except UsageError as error:
        return error.message
    return "" if text.strip() else "it is required"


def find_editor(env: Mapping[str, str], setting: str | None) -> list[str]:
    """`$VISUAL`, `$EDITOR`, the setting, then what is there. Raises UsageError."""
    for command in (env.get("VISUAL"), env.get("EDITOR"), setting):
        if command and command.strip():
            return _words(command)
    for name in EDITORS:
        if shutil.which(name, path=env.get("PATH")):
            return [name]
    raise UsageError("there is no editor", hint="export EDITOR=nano, or give the text as an argument")


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        raise UsageError(f"the editor {command} has a quote without its end", hint="export EDITOR=nano") from None


def _stderr() -> dict[str, Any]:
    from prompt_toolkit.output import create_output

    return {"output": create_output(stdout=sys.stderr)}


def _answered(question: Any) -> Any:
    """The answer; Ctrl-C while it is asked is a Ctrl-C of the whole command."""
    try:
        answer = question.unsafe_ask()
    except EOFError:
        raise UsageError("the question was left unanswered; nothing is changed") from None
    if answer is None:
        raise KeyboardInterrupt
    return answer
